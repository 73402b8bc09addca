import pg from 'pg';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '#app/database/database.server.ts';
import { leasedPostgresFeed } from '#app/sessions/leases/leased-postgres.ts';
import { leasedRedisFeed } from '#app/sessions/leases/leased-redis.ts';
import type { SessionFeed } from '#app/sessions/session-feed.ts';
import { listenWithRedis } from '#app/sessions/feeds/redis-subscription.ts';
import { startPostgres, type Postgres } from '../../fixtures/postgres.ts';
import { startRedis, type Redis } from '../../fixtures/redis.ts';
import { HeldMessages } from './held-messages.ts';

/** Long enough that a busy machine renews in time. */
const LEASE_MS = 2000;
const log = { info: () => undefined, warn: () => undefined };

/** A node and the messages to it. */
interface Node {
  feed: SessionFeed;
  messages: HeldMessages;
  /** Each report of its link: true for up, false for down. */
  links: boolean[];
}

interface Server {
  open(messages: HeldMessages): SessionFeed;
  leases(): Promise<string[]>;
  /** Adds a lease as a killed process leaves it behind. */
  leaveLease(id: string): Promise<unknown>;
  leaveBarrier(id: string): Promise<unknown>;
  barriers(): Promise<string[]>;
  removeBarriers(): Promise<unknown>;
  removeLeases(): Promise<unknown>;
}

let postgres: Postgres;
let database: Database;
let url: string;
let redis: Redis;
let client: ReturnType<typeof createClient>;

beforeAll(async () => {
  postgres = await startPostgres();
  url = await postgres.createDatabase();
  database = await openDatabase({ databaseUrl: url, log });
  redis = await startRedis();
  client = createClient({ url: redis.url });
  await client.connect();
});
afterAll(async () => {
  await database.close();
  await postgres.close();
  client.destroy();
  await redis.close();
});

const sql = (text: string, ...values: unknown[]) =>
  database.client.$queryRawUnsafe<Record<string, unknown>[]>(text, ...values);
const rowIds = async () => (await sql('SELECT "id" FROM "CacheLease"')).map(({ id }) => String(id));
const insert = (id: string) => sql('INSERT INTO "CacheLease" ("id") VALUES ($1)', id);

const onPostgres: Server = {
  open: (messages) =>
    leasedPostgresFeed({
      log,
      leaseMs: LEASE_MS,
      ask: sql,
      async connect() {
        const connection = new pg.Client({ connectionString: url });
        await connection.connect();
        return {
          query: (text, values) => connection.query<Record<string, unknown>>(text, values),
          on: (event: string, listener: (message: never) => void) =>
            connection.on(event as 'error', messages.wrap(listener as () => void)),
          end: () => connection.end(),
        };
      },
    }),
  leases: async () => (await rowIds()).filter((id) => !id.startsWith('barrier ')),
  barriers: async () => (await rowIds()).filter((id) => id.startsWith('barrier ')),
  leaveLease: insert,
  leaveBarrier: (id) => insert(`barrier ${id}`),
  removeBarriers: () => sql(`DELETE FROM "CacheLease" WHERE "id" LIKE 'barrier %'`),
  removeLeases: () => sql('DELETE FROM "CacheLease"'),
};

const onRedis: Server = {
  open: (messages) =>
    leasedRedisFeed({
      log,
      leaseMs: LEASE_MS,
      send: (command) => client.sendCommand(command),
      async listen() {
        const settings = { url: redis.url, socket: { reconnectStrategy: false } } as const;
        const subscription = await listenWithRedis(createClient(settings));
        return {
          subscribe: (channel, listener) =>
            subscription.subscribe(channel, messages.wrap(listener)),
          onLost: (listener) => subscription.onLost(listener),
          close: () => subscription.close(),
        };
      },
    }),
  leases: () => client.hKeys('latchkey:leases'),
  barriers: () => client.sMembers('latchkey:barriers'),
  leaveLease: (id) => client.hSet('latchkey:leases', id, '1'),
  leaveBarrier: (id) => client.sAdd('latchkey:barriers', id),
  removeBarriers: () => client.del('latchkey:barriers'),
  removeLeases: () => client.del('latchkey:leases'),
};

describe.each([
  ['PostgreSQL', onPostgres],
  ['Redis', onRedis],
])('on %s', (_name, server) => {
  let nodes: Node[] = [];

  const open = async (): Promise<Node> => {
    const messages = new HeldMessages();
    const feed = server.open(messages);
    const links: boolean[] = [];
    feed.onLink((isUp) => links.push(isUp));
    const node = { feed, messages, links };
    nodes.push(node);
    await expect.poll(() => feed.isCurrent()).toBe(true);
    return node;
  };

  afterEach(async () => {
    for (const { feed } of nodes) await feed.close();
    nodes = [];
    expect(await server.leases()).toEqual([]);
  });

  test('a round ends when every node has answered, and no node loses its lease', async () => {
    const one = await open();
    const other = await open();
    const third = await open();
    await Promise.all([one.feed.settle(), other.feed.settle(), third.feed.settle()]);
    for (const { feed, links } of nodes) {
      expect(feed.isCurrent()).toBe(true);
      expect(links).toEqual([true]);
    }
    expect(await server.leases()).toHaveLength(3);
  });

  test('a round waits until the lease of a deaf node has expired, and healthy nodes keep theirs', async () => {
    const one = await open();
    const deaf = await open();
    const healthy = await open();
    deaf.messages.hold();
    await Promise.all([one.feed.settle(), healthy.feed.settle()]);
    expect(deaf.feed.isCurrent()).toBe(false);
    await one.feed.settle();
    expect(deaf.feed.isCurrent()).toBe(false);
    expect(healthy.links).toEqual([true]);
    expect(await server.barriers()).toEqual([]);
    deaf.messages.release();
    await expect.poll(() => deaf.feed.isCurrent()).toBe(true);
    expect(deaf.links).toEqual([true, false, true]);
  });

  test('the rounds of a deaf node end, and healthy nodes keep their leases', async () => {
    const deaf = await open();
    const one = await open();
    const other = await open();
    deaf.messages.hold();
    await deaf.feed.settle();
    await deaf.feed.settle();
    expect(deaf.feed.isCurrent()).toBe(false);
    for (const { feed, links } of [one, other]) {
      expect(feed.isCurrent()).toBe(true);
      expect(links).toEqual([true]);
    }
    deaf.messages.release();
  });

  test('a round raises a lost barrier again, and keeps a dead lease until then', async () => {
    const one = await open();
    await server.leaveLease('killed 1');
    const settled = one.feed.settle();
    await expect.poll(() => server.barriers()).toHaveLength(1);
    await server.removeBarriers();
    await expect.poll(() => server.barriers()).toHaveLength(1);
    expect(await server.leases()).toContain('killed 1');
    await settled;
    expect(await server.leases()).toHaveLength(1);
  });

  test('a round waits until the lease of a killed process has expired, and deletes it', async () => {
    const one = await open();
    await server.leaveLease('killed 1');
    await one.feed.settle();
    expect(await server.leases()).toHaveLength(1);
    expect(one.links).toEqual([true]);
  });

  test('a node whose lease was deleted clears its cache and takes a new lease', async () => {
    const one = await open();
    await server.removeLeases();
    await expect.poll(() => one.links).toEqual([true, false, true]);
    expect(await server.leases()).toHaveLength(1);
  });

  test('a node renews its lease under a barrier that is older than the node', async () => {
    await server.leaveBarrier('left');
    const one = await open();
    const [before] = await server.leases();
    await expect.poll(async () => (await server.leases())[0]).not.toBe(before);
    expect(one.links).toEqual([true]);
  });
});
