import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Sessions } from '../../app/sessions/sessions.ts';
import { newFolder } from '../fixtures/application.ts';
import { query, startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { openStore, type OpenStore } from '../sessions/open-store.ts';
import { ApplicationNode } from './application-node.ts';
import { startBalancer } from './balancer.ts';
import { startFreezingProxy, type FreezingProxy } from './freezing-proxy.ts';
import { aWhile, createWork } from './work-under-fault.ts';

const USER = 'user-1';
const BUSY_LOOPS = 8;
const AIMED_REVOKES = 100;

const folder = newFolder();

let postgres: Postgres;
let databaseUrl: string;
let one: ApplicationNode;
/** It reaches PostgreSQL by a network that can be broken. */
let other: ApplicationNode;
let third: ApplicationNode;
let network: FreezingProxy;
let open: OpenStore;
let sessions: Sessions;

beforeAll(async () => {
  postgres = await startPostgres();
  databaseUrl = await postgres.createDatabase();
  open = await openStore({ kind: 'postgresql', url: databaseUrl });
  await open.addUser(USER);
  // Of one user, whose cap is not what this is about.
  sessions = new Sessions({ store: open.store, maxPerUser: 1_000_000 });
  network = await startFreezingProxy(postgres.port);
  const far = databaseUrl.replace(`:${postgres.port}/`, `:${network.port}/`);
  const env = { STOP_DELAY_SECONDS: '1' };
  one = new ApplicationNode({ databaseUrl, folder, env });
  other = new ApplicationNode({ databaseUrl: far, folder, env });
  third = new ApplicationNode({ databaseUrl, folder, env });
  // The first of them makes the secrets that all share.
  await one.start();
  await Promise.all([other.start(), third.start()]);
});
afterAll(async () => {
  await Promise.all([one.stop(), other.stop(), third.stop()]);
  await network.close();
  await open.close();
  await postgres.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(() => Promise.all([one.untilReady(), other.untilReady(), third.untilReady()]));

const { signIn, during } = createWork('PostgreSQL', {
  nodes: () => [one, other, third],
  sessions: () => sessions,
  userId: USER,
});
/** A session for which every node has answered. A node may still be recovering from the test before. */
const signInEverywhere = async () => {
  for (const node of [one, other, third]) {
    await expect.poll(async () => (await node.send(READYZ).catch(() => null))?.status).toBe(200);
  }
  const target = (await signIn())!;
  for (const node of [one, other, third]) {
    await expect.poll(() => node.ask(target.token)).toBe('live');
  }
  return target;
};
const READYZ = { method: 'GET', path: '/readyz', headers: {} };

test('without a fault no ended session is let in and no request fails', async () => {
  const seen = await during(() => aWhile(500));
  expect(seen.unavailable).toBe(0);
});

test('a node that is killed and started again lets no ended session in', async () => {
  await during(async () => {
    await aWhile(200);
    await other.kill();
    await aWhile(200);
    await other.start();
    await aWhile(200);
  });
});

test('a PostgreSQL server that stops signs no user out, and all nodes are back when it is', async () => {
  const seen = await during(async () => {
    await aWhile(200);
    await postgres.stop();
    await aWhile(500);
    await postgres.start();
    await Promise.all([one.untilReady(), other.untilReady(), third.untilReady()]);
    await aWhile(200);
  });
  expect(seen.unavailable).toBeGreaterThan(0);
});

test('connections that hear news may be cut: no request fails for it', async () => {
  const seen = await during(async () => {
    let cuts = 0;
    for (let times = 0; times < 3; times += 1) {
      const [cut] = await query<{ count: string }>(
        databaseUrl,
        `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE pid <> pg_backend_pid() AND query LIKE 'LISTEN %'`,
      );
      cuts += Number(cut?.count);
      await aWhile(300);
    }
    expect(cuts).toBeGreaterThan(2);
  });
  expect(seen.unavailable).toBe(0);
});

test('a node that was paused across an end refuses the session at its first answer', async () => {
  await during(async () => {
    const target = await signInEverywhere();
    other.pause();
    expect(await one.revoke(target)).toBe(true);
    const answers = Promise.all(Array.from({ length: 5 }, () => other.ask(target.token)));
    await aWhile(200);
    other.resume();
    expect(await answers).not.toContain('live');
    expect(await answers).toContain('refused');
  });
});

test('a busy node refuses each of a hundred sessions that another node has just ended', async () => {
  const held = await signInEverywhere();
  let isOver = false;
  const load = Array.from({ length: BUSY_LOOPS }, async () => {
    while (!isOver) await other.ask(held.token);
  });
  const letIn: string[] = [];
  try {
    for (let count = 0; count < AIMED_REVOKES; count += 1) {
      const target = (await signIn())!;
      expect(await other.ask(target.token)).toBe('live');
      const ending = count % 2 === 0 ? one : third;
      expect(await ending.revoke(target)).toBe(true);
      if ((await other.ask(target.token)) !== 'refused') letIn.push(target.id);
    }
  } finally {
    isOver = true;
    await Promise.all(load);
  }
  expect(letIn).toEqual([]);
});

test('a node that hears nothing refuses what two others ended, and is ready all the while', async () => {
  const targets = [await signInEverywhere(), await signInEverywhere(), await signInEverywhere()];
  const [first, second, last] = targets as [(typeof targets)[0], ...typeof targets];
  expect(network.freeze('LISTEN')).toBe(1);
  const firstEnd = one.revoke(first);
  // Under leases that node has lost its own by then, and does not know it.
  await aWhile(400);
  expect(await third.revoke(second!)).toBe(true);
  expect(await other.ask(second!.token)).toBe('refused');
  expect(await one.revoke(last!)).toBe(true);
  expect(await other.ask(last!.token)).toBe('refused');
  expect(await firstEnd).toBe(true);
  expect(await other.ask(first.token)).toBe('refused');
  await expect
    .poll(async () => {
      const { status, text } = await other.send(READYZ);
      expect(status).toBe(200);
      return JSON.parse(text) as unknown;
    })
    .toEqual({ status: 'ready', checks: ['database', 'migrations'], degraded: ['feed'] });
  await expect.poll(async () => (await other.send(READYZ)).text).not.toContain('degraded');
});

test('a node whose network goes silent answers 503, keeps sessions, and recovers by itself', async () => {
  const target = await signInEverywhere();
  other.tellExcuses();
  network.freezeAll();
  const asked = Array.from({ length: 30 }, () => other.ask(target.token));
  expect(new Set(await Promise.all(asked))).toEqual(new Set(['unavailable']));
  // Each said so itself: none hung until the client gave up.
  expect(other.tellExcuses()).toEqual(['503, Retry-After: 10 (30)']);
  expect((await other.send({ ...READYZ, path: '/healthz' })).status).toBe(200);
  expect(await one.ask(target.token)).toBe('live');
  network.heal();
  await expect.poll(() => other.ask(target.token)).toBe('live');
});

test('a rolling restart under load fails no request', async () => {
  const target = await signInEverywhere();
  const balancer = startBalancer([one, third]);
  const statuses = new Map<number, number>();
  let isOver = false;
  const load = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      const status = await balancer.send(one.requestFor(target.token));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  });
  try {
    for (const node of [one, third]) {
      await node.restart();
      // Until it has its share of the load.
      await aWhile(300);
    }
  } finally {
    isOver = true;
    await Promise.all(load);
    balancer.close();
  }
  expect([...statuses.keys()]).toEqual([200]);
});
