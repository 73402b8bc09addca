import { rmSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Sessions } from '../../app/sessions/sessions.ts';
import { newFolder } from '../fixtures/application.ts';
import { query, startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { openStore, type OpenStore } from '../sessions/open-store.ts';
import { ApplicationNode } from './application-node.ts';
import { startBalancer } from './balancer.ts';
import { startFreezingProxy, type FreezingProxy } from './freezing-proxy.ts';
import { wait, createWork } from './work-under-fault.ts';

const USER = 'user-1';
const BUSY_LOOPS = 8;
const REVOKED_ONE_BY_ONE = 100;

const folder = newFolder();

let postgres: Postgres;
let databaseUrl: string;
let one: ApplicationNode;
/** Connects to PostgreSQL through `network`, which can fail. */
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
  // All sessions belong to one user, so raise the limit per user.
  sessions = new Sessions({ store: open.store, maxPerUser: 1_000_000 });
  network = await startFreezingProxy(postgres.port);
  const far = databaseUrl.replace(`:${postgres.port}/`, `:${network.port}/`);
  const env = { STOP_DELAY_SECONDS: '1' };
  one = new ApplicationNode({ databaseUrl, folder, env });
  other = new ApplicationNode({ databaseUrl: far, folder, env });
  third = new ApplicationNode({ databaseUrl, folder, env });
  // The first node creates the secrets that all share.
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
/** Starts a session and waits until every node accepts it. A node may still be recovering from the last test. */
const signInEverywhere = async () => {
  for (const node of [one, other, third]) {
    await expect.poll(async () => (await node.send(READYZ).catch(() => null))?.status).toBe(200);
  }
  const target = (await signIn())!;
  for (const node of [one, other, third]) {
    await expect.poll(() => node.checkToken(target.token)).toBe('live');
  }
  return target;
};
const READYZ = { method: 'GET', path: '/readyz', headers: {} };

test('without a fault no node accepts a revoked session and no request fails', async () => {
  const result = await during(() => wait(500));
  expect(result.unavailable).toBe(0);
});

test('a node that is killed and started again accepts no revoked session', async () => {
  await during(async () => {
    await wait(200);
    await other.kill();
    await wait(200);
    await other.start();
    await wait(200);
  });
});

test('an outage of PostgreSQL signs no user out, and all nodes recover after it', async () => {
  const result = await during(async () => {
    await wait(200);
    await postgres.stop();
    await wait(500);
    await postgres.start();
    await Promise.all([one.untilReady(), other.untilReady(), third.untilReady()]);
    await wait(200);
  });
  expect(result.unavailable).toBeGreaterThan(0);
});

test('no request fails when the LISTEN connections of the feed are cut', async () => {
  const result = await during(async () => {
    let cuts = 0;
    for (let times = 0; times < 3; times += 1) {
      const [cut] = await query<{ count: string }>(
        databaseUrl,
        `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE pid <> pg_backend_pid() AND query LIKE 'LISTEN %'`,
      );
      cuts += Number(cut?.count);
      await wait(300);
    }
    expect(cuts).toBeGreaterThan(2);
  });
  expect(result.unavailable).toBe(0);
});

test('a node that was paused during a revocation refuses the session in its first response', async () => {
  await during(async () => {
    const target = await signInEverywhere();
    other.pause();
    expect(await one.revoke(target)).toBe(true);
    const answers = Promise.all(Array.from({ length: 5 }, () => other.checkToken(target.token)));
    await wait(200);
    other.resume();
    expect(await answers).not.toContain('live');
    expect(await answers).toContain('refused');
  });
});

test('a busy node refuses each of a hundred sessions right after another node revoked it', async () => {
  const busySession = await signInEverywhere();
  let isOver = false;
  const load = Array.from({ length: BUSY_LOOPS }, async () => {
    while (!isOver) await other.checkToken(busySession.token);
  });
  const accepted: string[] = [];
  try {
    for (let count = 0; count < REVOKED_ONE_BY_ONE; count += 1) {
      const target = (await signIn())!;
      expect(await other.checkToken(target.token)).toBe('live');
      const revokingNode = count % 2 === 0 ? one : third;
      expect(await revokingNode.revoke(target)).toBe(true);
      if ((await other.checkToken(target.token)) !== 'refused') accepted.push(target.id);
    }
  } finally {
    isOver = true;
    await Promise.all(load);
  }
  expect(accepted).toEqual([]);
});

test('a node without feed events refuses sessions that other nodes revoked, and stays ready', async () => {
  const targets = [await signInEverywhere(), await signInEverywhere(), await signInEverywhere()];
  const [first, second, last] = targets as [(typeof targets)[0], ...typeof targets];
  expect(network.freeze('LISTEN')).toBe(1);
  const firstRevocation = one.revoke(first);
  // With SESSION_CACHE=leased the node would have lost its lease by now without noticing.
  await wait(400);
  expect(await third.revoke(second!)).toBe(true);
  expect(await other.checkToken(second!.token)).toBe('refused');
  expect(await one.revoke(last!)).toBe(true);
  expect(await other.checkToken(last!.token)).toBe('refused');
  expect(await firstRevocation).toBe(true);
  expect(await other.checkToken(first.token)).toBe('refused');
  await expect
    .poll(async () => {
      const { status, text } = await other.send(READYZ);
      expect(status).toBe(200);
      return JSON.parse(text) as unknown;
    })
    .toEqual({ status: 'ready', checks: ['database', 'migrations'], degraded: ['feed'] });
  await expect.poll(async () => (await other.send(READYZ)).text).not.toContain('degraded');
});

test('a node whose network goes silent responds 503, keeps sessions, and recovers by itself', async () => {
  const target = await signInEverywhere();
  other.takeFailures();
  network.freezeAll();
  const verdicts = Array.from({ length: 30 }, () => other.checkToken(target.token));
  expect(new Set(await Promise.all(verdicts))).toEqual(new Set(['unavailable']));
  // The node itself responded to each request: none hung until the client's timeout.
  expect(other.takeFailures()).toEqual(['503, Retry-After: 10 (30)']);
  expect((await other.send({ ...READYZ, path: '/healthz' })).status).toBe(200);
  expect(await one.checkToken(target.token)).toBe('live');
  network.heal();
  await expect.poll(() => other.checkToken(target.token)).toBe('live');
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
      // Until the balancer sends it requests again.
      await wait(300);
    }
  } finally {
    isOver = true;
    await Promise.all(load);
    balancer.close();
  }
  expect([...statuses.keys()]).toEqual([200]);
});
