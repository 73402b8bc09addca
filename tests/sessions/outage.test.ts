import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MINUTE_MS } from '../../app/sessions/session.ts';
import { StoreUnavailableError } from '../../app/sessions/session-store.ts';
import { Sessions } from '../../app/sessions/sessions.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { openStore, type OpenStore, type StoreAddress } from './open-store.ts';

const NOW = new Date('2026-05-01T12:00:00.000Z');
const USER = 'user-1';
const after = (ms: number) => new Date(NOW.getTime() + ms);

const postgres = await startPostgres();
const redis = await startRedis();

afterAll(async () => {
  await postgres.close();
  await redis.close();
});

interface Server {
  address(): Promise<StoreAddress>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

const onRedis = (kind: 'redis' | 'ioredis'): Server => ({
  address: async () => ({ kind, url: redis.url }),
  async stop() {
    // Saves, like a Redis that is configured with persistence.
    const admin = await createClient({ url: redis.url }).connect();
    await admin.sendCommand(['SAVE']);
    admin.destroy();
    await redis.stop();
  },
  start: () => redis.start(),
});

const servers: [string, Server][] = [
  [
    'PostgreSQL',
    {
      address: async () => ({ kind: 'postgresql', url: await postgres.createDatabase() }),
      stop: () => postgres.stop(),
      start: () => postgres.start(),
    },
  ],
  ['Redis through redis', onRedis('redis')],
  ['Redis through ioredis', onRedis('ioredis')],
];

describe.each(servers)('an outage of %s', (_name, server) => {
  let open: OpenStore;

  beforeAll(async () => {
    open = await openStore(await server.address());
    await open.addUser(USER);
  });
  afterAll(() => open.close());

  test('an outage accepts no token and ends no session, and afterwards everything is as before', async () => {
    const sessions = new Sessions({ store: open.store });
    const { token, session } = await sessions.start({ userId: USER }, NOW);
    const ended = await sessions.start({ userId: USER }, NOW);
    await sessions.revoke(ended.session.id, { reason: 'signed-out' }, NOW);

    await server.stop();
    const calls: (() => Promise<unknown>)[] = [
      () => sessions.resume(token, after(1)),
      () => sessions.resume(token, after(MINUTE_MS)),
      () => sessions.resume(ended.token, after(1)),
      () => sessions.renew(token, after(1)),
      () => sessions.start({ userId: USER }, after(1)),
      () => sessions.revoke(session.id, { reason: 'signed-out' }, after(1)),
      () => sessions.revokeOthers(USER, session.id, { reason: 'signed-out-elsewhere' }, after(1)),
      () => sessions.list(USER, after(1)),
      () => sessions.name(session.id, USER, 'name'),
      () => sessions.listAll(null),
      () => sessions.prune(after(1)),
      () => sessions.erase(USER, after(1)),
    ];
    for (const call of calls) await expect(call()).rejects.toBeInstanceOf(StoreUnavailableError);

    await server.start();
    await waitForStore(() => sessions.resume(token, after(1), { countsAsActivity: false }));
    expect(await sessions.resume(token, after(2))).toMatchObject({ state: 'live', session });
    expect((await sessions.resume(ended.token, after(2))).state).toBe('ended');
    expect((await sessions.list(USER, after(2))).live).toHaveLength(1);
    expect(await sessions.revoke(session.id, { reason: 'signed-out' }, after(3))).toBe(true);
    expect((await sessions.resume(token, after(4))).state).toBe('ended');
  });
});

// A client takes some time to reconnect. Until then, every call is a StoreUnavailableError.
async function waitForStore(resume: () => Promise<{ state: string }>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    try {
      expect((await resume()).state).toBe('live');
      return;
    } catch (error) {
      expect(error).toBeInstanceOf(StoreUnavailableError);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error('The store did not come back.');
}
