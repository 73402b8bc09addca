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

/** A place for counters, as one process of the application has it. */
interface Place {
  counters: CounterStore;
  close(): Promise<void>;
}

interface Store {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** One process more on the same counters. */
  open(): Promise<Place>;
  empty(): Promise<void>;
  /** Every key that is kept; null where nobody could read them. */
  keys: (() => Promise<string[]>) | null;
}

let postgresUrl: string;
let redis: Redis;
const onePlace = { current: createMemoryCounters() };

const inMemory: Store = {
  start: () => Promise.resolve(),
  stop: () => Promise.resolve(),
  open: () =>
    Promise.resolve({ counters: onePlace.current, close: () => Promise.resolve() } satisfies Place),
  empty() {
    onePlace.current = createMemoryCounters();
    return Promise.resolve();
  },
  keys: null,
};
const inPostgres: Store = {
  async start() {
    postgresUrl = await (await sharedPostgres()).createDatabase();
    // With a limit of its own, as small databases ask for.
    postgresUrl += '?connection_limit=5';
    // Makes the tables.
    await (await inPostgres.open()).close();
  },
  stop: () => Promise.resolve(),
  async open() {
    const database: Database = await openDatabase({ databaseUrl: postgresUrl, log: silent });
    return { counters: createPostgresCounters(database.client), close: () => database.close() };
  },
  empty: () => query(bare(postgresUrl), 'DELETE FROM "RateLimit"').then(() => undefined),
  keys: async () =>
    (await query<{ key: string }>(bare(postgresUrl), 'SELECT key FROM "RateLimit"')).map(
      ({ key }) => key,
    ),
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
const bare = (url: string) => url.replace(/\?.*$/, '');

describe.each([
  ['in memory', inMemory],
  ['in PostgreSQL', inPostgres],
  ['in Redis', inRedis],
])('limits %s', (_where, store) => {
  const places: Place[] = [];
  /** The limits of one process more. */
  const open = async (options: Partial<RateLimitOptions> = {}, ring = keyring) => {
    const place = await store.open();
    places.push(place);
    return createRateLimits({ ...plenty, ...options }, place.counters, ring);
  };
  beforeAll(() => store.start());
  afterAll(async () => {
    for (const place of places) await place.close();
    await store.stop();
  });

  const from = (ipAddress: string, account = 'ada@example.com') => ({
    account,
    ipAddress,
    trustedSessionId: null,
  });
  const isAllowed = async (leave: Promise<AttemptPermit>) => (await leave).isAllowed;
  const howMany = async (limits: RateLimits, times: number, trier = from('198.51.100.7')) => {
    const leaves = await Promise.all(
      Array.from({ length: times }, () => limits.takeAttempt('password', trier)),
    );
    return leaves.filter((leave) => leave.isAllowed).length;
  };

  test('fifty at once get as many tries as there are, and no more', async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerAccount: 10 });
    expect(await howMany(limits, 50)).toBe(10);
    expect(await howMany(limits, 5)).toBe(0);
  });

  test('two processes count together', async () => {
    await store.empty();
    const both = [
      await open({ passwordTriesPerAccount: 10 }),
      await open({ passwordTriesPerAccount: 10 }),
    ];
    const given = await Promise.all(both.map((limits) => howMany(limits, 25)));
    // Memory is not shared: there each counts for itself.
    const placesToCount = store === inMemory ? 2 : 1;
    expect(given.reduce((sum, count) => sum + count)).toBe(10 * placesToCount);
  });

  test('a try that was given back can be taken again, once', async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerAccount: 2 });
    for (let times = 0; times < 10; times += 1) {
      const right = await limits.takeAttempt('password', from('198.51.100.7'));
      if (!right.isAllowed) throw new Error('A right guess was counted.');
      await right.refund();
    }
    expect(await howMany(limits, 5)).toBe(2);
  });

  test('what is refused to one account takes nothing of its network', async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerAccount: 3, passwordTriesPerNetwork: 6 });
    expect(await howMany(limits, 40)).toBe(3);
    expect(await howMany(limits, 40, from('198.51.100.7', 'bob@example.com'))).toBe(3);
    expect(await howMany(limits, 40, from('198.51.100.7', 'cem@example.com'))).toBe(0);
  });

  test('an account takes no more from many networks than ten times what one may', async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerAccount: 2 });
    let given = 0;
    for (let network = 0; network < 15; network += 1) {
      given += await howMany(limits, 3, from(`198.51.${network}.1`));
    }
    expect(given).toBe(20);
  });

  test('a flood ends at the ceiling, but not for a browser that was signed in before', async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerNetwork: 10, passwordTriesInAll: 30 });
    // One network alone does not get that far.
    expect(await howMany(limits, 40)).toBe(10);
    expect(await isAllowed(limits.takeAttempt('password', from('192.0.2.1')))).toBe(true);
    let given = 11;
    for (let network = 0; network < 10; network += 1) {
      const account = `person-${network}@example.com`;
      given += await howMany(limits, 5, from(`203.0.113.${network}`, account));
    }
    expect(given).toBe(30);
    const stranger = await limits.takeAttempt('password', from('192.0.2.2', 'eve@example.com'));
    expect(stranger).toMatchObject({ isAllowed: false });
    const known = { ...from('192.0.2.2'), trustedSessionId: randomUUID() };
    expect(await isAllowed(limits.takeAttempt('password', known))).toBe(true);
    // Each kind has a ceiling of its own.
    expect(await isAllowed(limits.takeAttempt('second-factor', from('192.0.2.2')))).toBe(true);
  });

  test.each(['second-factor', 'mailed-code'] as const)('a ceiling for each %s', async (kind) => {
    await store.empty();
    const limits = await open({ codeTriesInAll: 5 });
    const given: boolean[] = [];
    for (let network = 0; network < 7; network += 1) {
      given.push(
        await isAllowed(limits.takeAttempt(kind, from(`198.51.${network}.1`, `${network}`))),
      );
    }
    expect(given).toEqual([true, true, true, true, true, false, false]);
  });

  test('sign-ups and mails have a limit a network and a ceiling', async () => {
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
    // Nobody keeps a person from a mail by asking for theirs.
    const known = randomUUID();
    expect(await mail('a@example.com', '192.0.2.3', known)).toBe(true);
    expect(await mail('a@example.com', '192.0.2.3', known)).toBe(true);
    expect(await mail('a@example.com', '192.0.2.3', known)).toBe(false);
  });

  test('a refusal says when to come back', async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerAccount: 1, signUpsPerNetwork: 1 });
    const second = async (ask: () => Promise<AttemptPermit>) => {
      await ask();
      const leave = await ask();
      return leave.isAllowed ? 0 : leave.retryAfterSeconds;
    };
    const tries = await second(() => limits.takeAttempt('password', from('198.51.100.7')));
    expect(tries).toBeGreaterThan(870);
    expect(tries).toBeLessThanOrEqual(900);
    const signUps = await second(() => limits.takeSignUp('198.51.100.7'));
    expect(signUps).toBeGreaterThan(3570);
    expect(signUps).toBeLessThanOrEqual(3600);
  });

  test('a window ends, and what is given back after it counts for nothing', async () => {
    await store.empty();
    const place = await store.open();
    places.push(place);
    const seconds = (durationSeconds: number): CounterStore => ({
      ...place.counters,
      counter: ({ points }) => place.counters.counter({ points, durationSeconds }),
    });
    const limits = createRateLimits({ ...plenty, signUpsPerNetwork: 2 }, seconds(3), keyring);
    const first = await limits.takeSignUp('192.0.2.1');
    await limits.takeSignUp('192.0.2.1');
    expect(await isAllowed(limits.takeSignUp('192.0.2.1'))).toBe(false);
    await expect.poll(() => isAllowed(limits.takeSignUp('192.0.2.1'))).toBe(true);
    if (first.isAllowed) await first.refund();
    const both = [await limits.takeSignUp('192.0.2.1'), await limits.takeSignUp('192.0.2.1')];
    expect(both.map((leave) => leave.isAllowed)).toEqual([true, false]);
  });

  test('an erased person leaves no counter, and everybody else keeps theirs', async () => {
    await store.empty();
    const limits = await open({ passwordTriesPerAccount: 2, codeTriesPerAccount: 2 });
    const user = { email: 'ada@example.com', userId: 'user_ada%' };
    const known = randomUUID();
    const useUp = async (email: string, userId: string) => {
      const given: boolean[] = [];
      for (let times = 0; times < 3; times += 1) {
        given.push(
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
      return given.filter(Boolean).length;
    };
    expect(await useUp(user.email, user.userId)).toBe(8);
    expect(await useUp('bob@example.com', 'user_bob')).toBe(8);
    const before = (await store.keys?.()) ?? [];
    await limits.forget(user);
    const after = (await store.keys?.()) ?? [];
    if (store.keys) {
      // What is left: that of the other person, of the network and of all.
      const ofAccounts = (keys: string[]) => keys.filter((key) => key.includes('account:'));
      expect(ofAccounts(after)).toHaveLength(ofAccounts(before).length / 2);
      expect(after.length - ofAccounts(after).length).toBe(
        before.length - ofAccounts(before).length,
      );
    }
    expect(await useUp('bob@example.com', 'user_bob')).toBe(0);
    expect(await useUp(user.email, user.userId)).toBe(8);
  });

  test('a person is forgotten under the keys of before as well', async () => {
    await store.empty();
    const old = { id: 'old', secret: randomBytes(32) };
    const before = await open({ passwordTriesPerAccount: 1 }, createKeyring([old]));
    expect(await howMany(before, 3)).toBe(1);
    const after = await open({}, createKeyring([{ id: 'new', secret: randomBytes(32) }, old]));
    await after.forget({ email: 'ada@example.com', userId: 'x' });
    expect(await howMany(before, 3)).toBe(1);
  });

  test('no key names a person, a network or a session', async () => {
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

  test('what has run out is swept, what counts is not', async () => {
    await store.empty();
    const place = await store.open();
    places.push(place);
    const short = place.counters.counter({ points: 5, durationSeconds: 1 });
    const long = place.counters.counter({ points: 1, durationSeconds: 60 });
    await short.consume('all:short');
    await long.consume('all:long');
    const left = async () => {
      await place.counters.prune();
      return (await store.keys?.())?.map((key) => key.replace(/^.*(?=all:)/, '')) ?? ['all:long'];
    };
    await expect.poll(left).toEqual(['all:long']);
    await expect(long.consume('all:long')).rejects.toMatchObject({ consumedPoints: 2 });
  });
});
