import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '#app/database/database.server.ts';
import { createMemoryCounters, type CounterStore } from '#app/limits/counters.server.ts';
import { createPostgresCounters } from '#app/limits/postgres-counters.server.ts';
import { createRedisCounters } from '#app/limits/redis-counters.server.ts';
import {
  createRateLimits,
  type AttemptPermit,
  type RateLimitOptions,
  type RateLimits,
} from '#app/limits/rate-limits.server.ts';
import { createKeyring } from '#app/config/keyring.server.ts';
import { createLog } from '#app/operations/log.server.ts';
import { openRedis, type Redis as RedisConnection } from '#app/database/redis.server.ts';
import { query, sharedPostgres } from '../fixtures/postgres.ts';
import { startRedis, type Redis } from '../fixtures/redis.ts';

const keyring = createKeyring([{ id: 'k', secret: randomBytes(32) }]);
const rotated = createKeyring([
  { id: 'k2', secret: randomBytes(32) },
  { id: 'k', secret: randomBytes(32) },
]);
const silent = createLog('silent');
const PLENTY = 1_000_000;
const plenty: RateLimitOptions = {
  passwordTriesPerAccount: 100_000,
  passwordTriesPerNetwork: PLENTY,
  codeTriesPerAccount: 100_000,
  codeTriesPerNetwork: PLENTY,
  passwordTriesInAll: PLENTY,
  codeTriesInAll: PLENTY,
  signUpsInAll: PLENTY,
  signUpsPerNetwork: PLENTY,
  mailsPerAddress: PLENTY,
  mailsPerNetwork: PLENTY,
  mailsInAll: PLENTY,
};

/** The counters of one process of the application. */
interface ProcessCounters {
  counters: CounterStore;
  close(): Promise<void>;
}

interface Store {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Opens the counters as another process would. */
  open(): Promise<ProcessCounters>;
  empty(): Promise<void>;
  /** Returns all stored keys; null if they are in memory only. */
  keys: (() => Promise<string[]>) | null;
}

let postgresUrl: string;
let redis: Redis;
const memory = { counters: createMemoryCounters() };

const inMemory: Store = {
  start: () => Promise.resolve(),
  stop: () => Promise.resolve(),
  open: () =>
    Promise.resolve({
      counters: memory.counters,
      close: () => Promise.resolve(),
    } satisfies ProcessCounters),
  empty() {
    memory.counters = createMemoryCounters();
    return Promise.resolve();
  },
  keys: null,
};
const inPostgres: Store = {
  async start() {
    postgresUrl = await (await sharedPostgres()).createDatabase();
    // A connection limit, as small databases need it.
    postgresUrl += '?connection_limit=5';
    // Creates the tables.
    await (await inPostgres.open()).close();
  },
  stop: () => Promise.resolve(),
  async open() {
    const database: Database = await openDatabase({ databaseUrl: postgresUrl, log: silent });
    return { counters: createPostgresCounters(database.client), close: () => database.close() };
  },
  empty: () =>
    query(withoutParameters(postgresUrl), 'DELETE FROM "RateLimit"').then(() => undefined),
  keys: async () =>
    (
      await query<{ key: string }>(withoutParameters(postgresUrl), 'SELECT key FROM "RateLimit"')
    ).map(({ key }) => key),
};
const inRedis: Store = {
  async start() {
    redis = await startRedis();
  },
  stop: () => redis.close(),
  async open() {
    const connection: RedisConnection = await openRedis({ url: redis.url, log: silent });
    const close = () => Promise.resolve(connection.close());
    return { counters: createRedisCounters(connection), close };
  },
  empty: () => redis.flush(),
  keys: () => redis.keys(),
};
const withoutParameters = (url: string) => url.replace(/\?.*$/, '');

describe.each([
  ['in memory', inMemory],
  ['in PostgreSQL', inPostgres],
  ['in Redis', inRedis],
])('rate limits with counters %s', (_where, store) => {
  const processes: ProcessCounters[] = [];
  /** Returns the rate limits of another process. */
  const open = async (options: Partial<RateLimitOptions> = {}, ring = keyring) => {
    const process = await store.open();
    processes.push(process);
    return createRateLimits({ ...plenty, ...options }, process.counters, ring);
  };
  beforeAll(() => store.start());
  afterAll(async () => {
    for (const process of processes) await process.close();
    await store.stop();
  });

  const from = (ipAddress: string, account = 'ada@example.com') => ({
    account,
    ipAddress,
    trustedSessionId: null,
  });
  const isAllowed = async (permit: Promise<AttemptPermit>) => (await permit).isAllowed;
  const countAllowed = async (limits: RateLimits, times: number, source = from('198.51.100.7')) => {
    const permits = await Promise.all(
      Array.from({ length: times }, () => limits.takeAttempt('password', source)),
    );
    return permits.filter((permit) => permit.isAllowed).length;
  };

  test('fifty concurrent attempts get exactly as many permits as the limit', async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerAccount: 10 });
    expect(await countAllowed(limits, 50)).toBe(10);
    expect(await countAllowed(limits, 5)).toBe(0);
  });

  test('two processes share their counters', async () => {
    await store.empty();
    const both = [
      await open({ passwordTriesPerAccount: 10 }),
      await open({ passwordTriesPerAccount: 10 }),
    ];
    const allowed = await Promise.all(both.map((limits) => countAllowed(limits, 25)));
    // In memory, each process counts by itself.
    const counterSets = store === inMemory ? 2 : 1;
    expect(allowed.reduce((sum, count) => sum + count)).toBe(10 * counterSets);
  });

  test('a refunded attempt does not count', async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerAccount: 2 });
    for (let times = 0; times < 10; times += 1) {
      const permit = await limits.takeAttempt('password', from('198.51.100.7'));
      if (!permit.isAllowed) throw new Error('A refunded attempt was counted.');
      await permit.refund();
    }
    expect(await countAllowed(limits, 5)).toBe(2);
  });

  test("an attempt that is refused for its account does not count against its network's limit", async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerAccount: 3, passwordTriesPerNetwork: 6 });
    expect(await countAllowed(limits, 40)).toBe(3);
    expect(await countAllowed(limits, 40, from('198.51.100.7', 'bob@example.com'))).toBe(3);
    expect(await countAllowed(limits, 40, from('198.51.100.7', 'cem@example.com'))).toBe(0);
  });

  test('an account gets at most ten times its limit from all networks together', async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerAccount: 2 });
    let allowed = 0;
    for (let network = 0; network < 15; network += 1) {
      allowed += await countAllowed(limits, 3, from(`198.51.${network}.1`));
    }
    expect(allowed).toBe(20);
  });

  test('the limit for all users together stops a flood, but not a browser that was signed in before', async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerNetwork: 10, passwordTriesInAll: 30 });
    // A single network is stopped by its own limit.
    expect(await countAllowed(limits, 40)).toBe(10);
    expect(await isAllowed(limits.takeAttempt('password', from('192.0.2.1')))).toBe(true);
    let allowed = 11;
    for (let network = 0; network < 10; network += 1) {
      const account = `user-${network}@example.com`;
      allowed += await countAllowed(limits, 5, from(`203.0.113.${network}`, account));
    }
    expect(allowed).toBe(30);
    const stranger = await limits.takeAttempt('password', from('192.0.2.2', 'eve@example.com'));
    expect(stranger).toMatchObject({ isAllowed: false });
    const known = { ...from('192.0.2.2'), trustedSessionId: randomUUID() };
    expect(await isAllowed(limits.takeAttempt('password', known))).toBe(true);
    // Each kind of attempt has its own limit.
    expect(await isAllowed(limits.takeAttempt('second-factor', from('192.0.2.2')))).toBe(true);
  });

  test.each(['second-factor', 'mailed-code'] as const)(
    'attempts of the kind %s have a limit for all users together',
    async (kind) => {
      await store.empty();
      const limits = await open({ codeTriesInAll: 5 });
      const allowed: boolean[] = [];
      for (let network = 0; network < 7; network += 1) {
        allowed.push(
          await isAllowed(limits.takeAttempt(kind, from(`198.51.${network}.1`, `${network}`))),
        );
      }
      expect(allowed).toEqual([true, true, true, true, true, false, false]);
    },
  );

  test('sign-ups and mails have a limit per network and one for all users together', async () => {
    await store.empty();
    const limits = await open({ signUpsPerNetwork: 2, signUpsInAll: 3 });
    const signUp = (ipAddress: string) => isAllowed(limits.takeSignUp(ipAddress));
    expect([await signUp('192.0.2.1'), await signUp('192.0.2.1')]).toEqual([true, true]);
    expect([await signUp('192.0.2.1'), await signUp('192.0.2.2')]).toEqual([false, true]);
    expect(await signUp('192.0.2.3')).toBe(false);

    const mailing = await open({ mailsPerAddress: 2, mailsPerNetwork: 4, mailsInAll: 16 });
    const mail = (email: string, ipAddress: string, trustedSessionId: string | null = null) =>
      isAllowed(mailing.takeMailAttempt({ email, ipAddress, trustedSessionId }));
    // To one address from one network, ...
    expect(await mail('a@example.com', '192.0.2.1')).toBe(true);
    expect(await mail('a@example.com', '192.0.2.1')).toBe(true);
    expect(await mail('a@example.com', '192.0.2.1')).toBe(false);
    // ... from one network to any, ...
    expect(await mail('b@example.com', '192.0.2.1')).toBe(true);
    expect(await mail('c@example.com', '192.0.2.1')).toBe(true);
    expect(await mail('d@example.com', '192.0.2.1')).toBe(false);
    // ... to one address from all networks, ...
    for (const at of [2, 3, 4, 5]) {
      expect(await mail('a@example.com', `192.0.2.${at}`)).toBe(true);
      expect(await mail('a@example.com', `192.0.2.${at}`)).toBe(true);
    }
    expect(await mail('a@example.com', '192.0.2.6')).toBe(false);
    // ... and in all.
    for (const at of [7, 8]) {
      expect(await mail(`e${at}@example.com`, `192.0.2.${at}`)).toBe(true);
      expect(await mail(`f${at}@example.com`, `192.0.2.${at}`)).toBe(true);
    }
    expect(await mail('g@example.com', '192.0.2.9')).toBe(false);
    // Others cannot use up the mails of a user whose browser is known.
    const known = randomUUID();
    expect(await mail('a@example.com', '192.0.2.3', known)).toBe(true);
    expect(await mail('a@example.com', '192.0.2.3', known)).toBe(true);
    expect(await mail('a@example.com', '192.0.2.3', known)).toBe(false);
  });

  test('a refusal has the seconds until the next attempt', async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerAccount: 1, signUpsPerNetwork: 1 });
    const refuseSecond = async (take: () => Promise<AttemptPermit>) => {
      await take();
      const permit = await take();
      return permit.isAllowed ? 0 : permit.retryAfterSeconds;
    };
    const tries = await refuseSecond(() => limits.takeAttempt('password', from('198.51.100.7')));
    expect(tries).toBeGreaterThan(870);
    expect(tries).toBeLessThanOrEqual(900);
    const signUps = await refuseSecond(() => limits.takeSignUp('198.51.100.7'));
    expect(signUps).toBeGreaterThan(3570);
    expect(signUps).toBeLessThanOrEqual(3600);
  });

  test('attempts are allowed again after the window, and a refund after it has no effect', async () => {
    await store.empty();
    const process = await store.open();
    processes.push(process);
    const withDuration = (durationSeconds: number): CounterStore => ({
      ...process.counters,
      counter: ({ points }) => process.counters.counter({ points, durationSeconds }),
    });
    const limits = createRateLimits({ ...plenty, signUpsPerNetwork: 2 }, withDuration(3), keyring);
    const first = await limits.takeSignUp('192.0.2.1');
    await limits.takeSignUp('192.0.2.1');
    expect(await isAllowed(limits.takeSignUp('192.0.2.1'))).toBe(false);
    await expect.poll(() => isAllowed(limits.takeSignUp('192.0.2.1'))).toBe(true);
    if (first.isAllowed) await first.refund();
    const both = [await limits.takeSignUp('192.0.2.1'), await limits.takeSignUp('192.0.2.1')];
    expect(both.map((permit) => permit.isAllowed)).toEqual([true, false]);
  });

  test('erasing a user deletes their counters and no others', async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerAccount: 2, codeTriesPerAccount: 2 });
    const user = { email: 'ada@example.com', userId: 'user_ada%' };
    const known = randomUUID();
    const useUp = async (email: string, userId: string) => {
      const allowed: boolean[] = [];
      for (let times = 0; times < 3; times += 1) {
        allowed.push(
          await isAllowed(limits.takeAttempt('password', from('192.0.2.1', email))),
          await isAllowed(limits.takeAttempt('mailed-code', from('192.0.2.1', email))),
          await isAllowed(
            limits.takeAttempt('password', {
              ...from('192.0.2.1', email),
              trustedSessionId: known,
            }),
          ),
          await isAllowed(limits.takeAttempt('second-factor', from('192.0.2.1', userId))),
        );
      }
      await limits.takeMailAttempt({ email, ipAddress: '192.0.2.1' });
      return allowed.filter(Boolean).length;
    };
    expect(await useUp(user.email, user.userId)).toBe(8);
    expect(await useUp('bob@example.com', 'user_bob')).toBe(8);
    const before = (await store.keys?.()) ?? [];
    await limits.forget(user);
    const after = (await store.keys?.()) ?? [];
    if (store.keys) {
      // The counters of the other user, of the network and of all users are left.
      const ofAccounts = (keys: string[]) => keys.filter((key) => key.includes('account:'));
      expect(ofAccounts(after)).toHaveLength(ofAccounts(before).length / 2);
      expect(after.length - ofAccounts(after).length).toBe(
        before.length - ofAccounts(before).length,
      );
    }
    expect(await useUp('bob@example.com', 'user_bob')).toBe(0);
    expect(await useUp(user.email, user.userId)).toBe(8);
  });

  test('erasing a user also deletes counters under an older key', async () => {
    await store.empty();
    const old = { id: 'old', secret: randomBytes(32) };
    const before = await open({ passwordTriesPerAccount: 1 }, createKeyring([old]));
    expect(await countAllowed(before, 3)).toBe(1);
    const after = await open({}, createKeyring([{ id: 'new', secret: randomBytes(32) }, old]));
    await after.forget({ email: 'ada@example.com', userId: 'x' });
    expect(await countAllowed(before, 3)).toBe(1);
  });

  test('the key of a counter reveals no user, network or session', async () => {
    await store.empty();
    const limits = await open({}, rotated);
    const known = randomUUID();
    await limits.takeAttempt('password', from('198.51.100.7'));
    await limits.takeAttempt('password', { ...from('198.51.100.7'), trustedSessionId: known });
    await limits.takeMailAttempt({ email: 'ada@example.com', ipAddress: '2001:db8:1:2::1' });
    await limits.takeSignUp('198.51.100.7');
    const keys = (await store.keys?.()) ?? [];
    if (store.keys) expect(keys.length).toBeGreaterThanOrEqual(8);
    for (const key of keys) {
      expect(key).not.toMatch(/ada|example|198\.51|2001|db8/);
      expect(key).not.toContain(known);
    }
  });

  test('prune() deletes expired counters only', async () => {
    await store.empty();
    const process = await store.open();
    processes.push(process);
    const short = process.counters.counter({ points: 5, durationSeconds: 1 });
    const long = process.counters.counter({ points: 1, durationSeconds: 60 });
    await short.consume('all:short');
    await long.consume('all:long');
    const left = async () => {
      await process.counters.prune();
      return (await store.keys?.())?.map((key) => key.replace(/^.*(?=all:)/, '')) ?? ['all:long'];
    };
    await expect.poll(left).toEqual(['all:long']);
    await expect(long.consume('all:long')).rejects.toMatchObject({ consumedPoints: 2 });
  });
});
