import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Sessions } from '../../app/sessions/sessions.ts';
import { newFolder } from '../fixtures/application.ts';
import { query, startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { openStore, type OpenStore } from '../sessions/open-store.ts';
import { ApplicationNode } from './application-node.ts';
import { startFreezingProxy, type FreezingProxy } from './freezing-proxy.ts';
import { aWhile, createWork } from './work-under-fault.ts';

const USER = 'somebody';
/** Past the time of a lease, and of a look at it. */
const A_WHILE_MS = 3000;

const folder = newFolder();

let postgres: Postgres;
let databaseUrl: string;
let one: ApplicationNode;
/** It reaches PostgreSQL by a network that can be broken. */
let other: ApplicationNode;
let network: FreezingProxy;
let open: OpenStore;
let sessions: Sessions;

beforeAll(async () => {
  postgres = await startPostgres();
  databaseUrl = await postgres.createDatabase();
  open = await openStore({ kind: 'postgresql', url: databaseUrl });
  await open.addUser(USER);
  // Of one person, whose cap is not what this is about.
  sessions = new Sessions({ store: open.store, maxPerUser: 1_000_000 });
  one = new ApplicationNode({ databaseUrl, folder });
  network = await startFreezingProxy(postgres.port);
  const far = databaseUrl.replace(`:${postgres.port}/`, `:${network.port}/`);
  other = new ApplicationNode({ databaseUrl: far, folder });
  await one.start();
  await other.start();
});
afterAll(async () => {
  await one.stop();
  await other.stop();
  await network.close();
  await open.close();
  await postgres.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  await one.untilReady();
  await other.untilReady();
});

const { signIn, during } = createWork('PostgreSQL', {
  ...{ nodes: () => [one, other], sessions: () => sessions, userId: USER },
});

test('nothing goes wrong: nobody is let in after their end, and nothing is unavailable', async () => {
  const seen = await during(() => aWhile(A_WHILE_MS));
  expect(seen.unavailable).toBe(0);
});

test('a node is killed, and started again', async () => {
  await during(async () => {
    await aWhile(500);
    await other.kill();
    await aWhile(A_WHILE_MS);
    await other.start();
    await aWhile(1000);
  });
});

test('PostgreSQL is stopped, and started again', async () => {
  const seen = await during(async () => {
    await aWhile(500);
    await postgres.stop();
    await aWhile(1500);
    await postgres.start();
    await Promise.all([one.untilReady(), other.untilReady()]);
    await aWhile(1000);
  });
  expect(seen.unavailable).toBeGreaterThan(0);
});

test('only the connections that hear of news are cut', async () => {
  const seen = await during(async () => {
    let cuts = 0;
    for (let times = 0; times < 5; times += 1) {
      await aWhile(500);
      const [cut] = await query<{ count: string }>(
        databaseUrl,
        `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
           AND query ~ '^(LISTEN|SELECT 1 FROM "CacheLease"|INSERT INTO "CacheLease"|SELECT pg_notify.*2.$)'`,
      );
      cuts += Number(cut?.count);
    }
    // Now and then one is cut while it is on its way back.
    expect(cuts).toBeGreaterThan(2);
  });
  expect(seen.unavailable).toBe(0);
});

test('a node is paused across an end: its first answer afterwards refuses', async () => {
  await during(async () => {
    const target = (await signIn())!;
    expect(await other.ask(target.token)).toBe('live');
    // From memory.
    expect(await other.ask(target.token)).toBe('live');
    other.pause();
    expect(await one.revoke(target)).toBe(true);
    const answers = Promise.all(Array.from({ length: 5 }, () => other.ask(target.token)));
    await aWhile(200);
    other.resume();
    expect(await answers).not.toContain('live');
    expect(await answers).toContain('refused');
  });
});

test('a node hears nothing any more, and does not know it: an end waits until it may not answer from memory', async () => {
  const seen = await during(async () => {
    const target = (await signIn())!;
    expect(await other.ask(target.token)).toBe('live');
    expect(network.freeze('LISTEN')).toBe(1);
    expect(await other.ask(target.token)).toBe('live');
    const begun = performance.now();
    expect(await one.revoke(target)).toBe(true);
    expect(performance.now() - begun).toBeGreaterThan(1500);
    expect(await other.ask(target.token)).toBe('refused');
    await aWhile(1000);
  });
  expect(seen.unavailable).toBe(0);
});
