import { Redis as Ioredis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../app/sessions/session.ts';
import { StoreUnavailableError } from '../../app/sessions/session-store.ts';
import { Sessions } from '../../app/sessions/sessions.ts';
import { redisScripts } from '../../app/sessions/stores/redis-scripts.ts';
import {
  fromRedis,
  redisSessionStore,
  type RedisCommands,
} from '../../app/sessions/stores/redis.ts';
import { startRedis } from '../fixtures/redis.ts';
import { aRecord, after, describeStoreContract } from './store-contract.ts';

const redis = await startRedis();

afterAll(() => redis.close());

for (const kind of ['redis', 'ioredis'] as const) {
  describeStoreContract(`Redis, through the package ${kind}`, {
    address: () => ({ kind, url: redis.url }),
    isSharedByNodes: true,
  });
}

describe('sessions in Redis', () => {
  const client = createClient({ url: redis.url });
  const USER = 'user-1';
  /** Every command that the store has sent. */
  const sent: string[][] = [];
  const watched: RedisCommands = {
    send: (command, args, signal) => {
      sent.push([command, ...args]);
      return fromRedis(client).send(command, args, signal);
    },
  };
  const retentionMs = DAY_MS;
  const store = redisSessionStore({ redis: watched, prefix: 'p:', retentionMs });
  const sessions = new Sessions({ store, retentionMs });
  const signedOut = (ms: number) => ({ at: after(ms), reason: 'signed-out', by: null }) as const;

  const keys = async () => (await client.keys('*')).sort();
  const ttlMs = (key: string) => client.pTTL(key);
  /** Deletes only the row, as Redis does at the end of its time to live. */
  const expireNow = (id: string) => client.del(`p:session:${id}`);

  beforeAll(() => client.connect().then(() => undefined));
  beforeEach(async () => {
    await client.flushAll();
    sent.length = 0;
  });
  afterAll(() => client.destroy());
  afterEach(async () => {
    // After every test, only the two zsets of all sessions have no time to live.
    for (const key of await keys()) {
      if (!['p:ids', 'p:endings'].includes(key)) expect(await ttlMs(key)).not.toBe(-1);
    }
  });

  test('the time to live of a row ends with its retention', async () => {
    const record = aRecord();
    await store.saveSession(record);
    const expectTtl = async (key: string, expectedMs: number) => {
      const left = await ttlMs(key);
      expect(left).toBeGreaterThan(expectedMs - MINUTE_MS);
      expect(left).toBeLessThanOrEqual(expectedMs);
    };
    const row = `p:session:${record.id}`;
    for (const key of [row, `p:open:${USER}`, `p:ends:${USER}`]) {
      await expectTtl(key, HOUR_MS + DAY_MS);
    }
    await store.updateSessionExpiry(record.id, after(5 * HOUR_MS), after(HOUR_MS / 2));
    for (const key of [row, `p:open:${USER}`, `p:ends:${USER}`]) {
      await expectTtl(key, 4.5 * HOUR_MS + DAY_MS);
    }
    await store.revokeSession(record.id, signedOut(HOUR_MS));
    for (const key of [row, `p:ended:${USER}`]) await expectTtl(key, DAY_MS);
    expect(await keys()).toEqual(['p:ended:user-1', 'p:endings', 'p:ids', row].sort());

    const expired = aRecord();
    await store.saveSession(expired);
    await store.revokeSession(expired.id, signedOut(3 * HOUR_MS));
    await expectTtl(`p:session:${expired.id}`, DAY_MS - 2 * HOUR_MS);
    const renewed = aRecord();
    await store.saveSession(renewed);
    await store.renewSession(renewed.id, renewed.secretHash, {
      secretHash: 'x',
      reauthenticatedAt: after(1),
      lastSeenAt: after(1),
      expiresAt: after(7 * HOUR_MS + 1),
    });
    await expectTtl(`p:session:${renewed.id}`, 7 * HOUR_MS + DAY_MS);
  });

  test('a zset of a user lives as long as its last row', async () => {
    await store.saveSession(aRecord({ expiresAt: after(5 * DAY_MS) }));
    await store.saveSession(aRecord({ expiresAt: after(1) }));
    expect(await ttlMs(`p:open:${USER}`)).toBeGreaterThan(5 * DAY_MS);
  });

  test('fetchSessionsForUser removes the ids of rows that Redis deleted from every zset', async () => {
    const [gone, kept] = [aRecord(), aRecord()];
    const tombstone = aRecord();
    for (const record of [gone, kept, tombstone]) await store.saveSession(record);
    await store.revokeSession(tombstone.id, signedOut(1));
    await expireNow(gone.id);
    await expireNow(tombstone.id);
    const listed = await store.fetchSessionsForUser(USER, {
      now: after(2),
      limit: 9,
      endedLimit: 9,
    });
    expect(listed.map(({ id }) => id)).toEqual([kept.id]);
    expect(await client.zRange(`p:open:${USER}`, 0, -1)).toEqual([kept.id]);
    expect(await client.zRange(`p:ends:${USER}`, 0, -1)).toEqual([kept.id]);
    expect(await client.exists(`p:ended:${USER}`)).toBe(0);
    expect(await client.zRange('p:ids', 0, -1)).toEqual([kept.id]);
    expect(await client.zRange('p:endings', 0, -1)).toEqual([kept.id]);
  });

  test('listSessions skips rows that Redis deleted, and removes their ids', async () => {
    const records = Array.from({ length: 6 }, () => aRecord());
    for (const record of records) await store.saveSession(record);
    const ids = records.map(({ id }) => id).sort();
    for (const id of ids.slice(1, 4)) await expireNow(id);
    const page = await store.listSessions({ after: null, limit: 2 });
    expect([page.sessions.map(({ id }) => id), page.next]).toEqual([[ids[0], ids[4]], ids[4]]);
    expect(await client.zCard('p:ids')).toBe(3);
  });

  test('a sign-in, a sign-out and a cap remove ids of rows that Redis deleted', async () => {
    const [expired, tombstone] = [aRecord(), aRecord()];
    await store.saveSession(expired);
    await store.saveSession(tombstone);
    await store.revokeSession(tombstone.id, signedOut(1));
    await expireNow(expired.id);
    await expireNow(tombstone.id);
    const later = after(HOUR_MS + DAY_MS + 1);
    const newer = aRecord({ createdAt: later, lastSeenAt: later });
    await store.saveSession(newer);
    expect(await client.zRange('p:ids', 0, -1)).toEqual([newer.id]);
    expect(await client.zRange(`p:open:${USER}`, 0, -1)).toEqual([newer.id]);
    expect(await client.exists(`p:ended:${USER}`)).toBe(0);

    const another = aRecord({ createdAt: later, lastSeenAt: later });
    await store.saveSession(another);
    await expireNow(newer.id);
    const ending = { ...signedOut(0), at: after(HOUR_MS + DAY_MS + 1, later) };
    await store.revokeSession(another.id, ending);
    expect(await client.zRange('p:ids', 0, -1)).toEqual([another.id]);

    const [first, second, third] = [aRecord(), aRecord(), aRecord()];
    for (const record of [first, second, third]) await store.saveSession(record);
    await expireNow(first.id);
    const cap = { at: after(1), reason: 'cap', by: null } as const;
    expect(await store.trimSessionsForUser(USER, 1, third.id, cap)).toEqual([second.id]);
    expect(await client.zScore('p:ids', first.id)).toBeNull();
    await expireNow(third.id);
    expect(await store.deleteSessionsForUser(USER, null, signedOut(2))).toEqual([]);
    expect(await client.exists(`p:open:${USER}`)).toBe(0);
  });

  test('a prune removes ids of rows that Redis deleted, but counts only rows that it deletes', async () => {
    const [gone, present] = [aRecord(), aRecord()];
    await store.saveSession(gone);
    await store.saveSession(present);
    await expireNow(gone.id);
    expect(await store.deleteAllExpiredSessions(after(DAY_MS))).toBe(1);
    expect(await keys()).toEqual([`p:ends:${USER}`, `p:open:${USER}`]);
    expect(await client.zRange(`p:open:${USER}`, 0, -1)).toEqual([gone.id]);
    await store.fetchSessionsForUser(USER, { now: after(1), limit: 9 });
    expect(await keys()).toEqual([]);
  });

  test('deleteSession leaves no key of the session', async () => {
    const [live, ended] = [aRecord(), aRecord()];
    for (const record of [live, ended]) await store.saveSession(record);
    await store.revokeSession(ended.id, signedOut(1));
    await store.deleteSession(live.id);
    await store.deleteSession(ended.id);
    expect(await keys()).toEqual([]);
  });

  test('every call sends one command at any number of sessions, and no script scans keys', async () => {
    const started = await sessions.start({ userId: USER }, after(0));
    for (let index = 0; index < 30; index += 1) await store.saveSession(aRecord());
    // Loads the scripts.
    await sessions.revokeOthers('nobody', null, { reason: 'signed-out' }, after(1));
    await sessions.list(USER, after(1), { endedLimit: 9 });
    const count = async (call: () => Promise<unknown>) => {
      sent.length = 0;
      await call();
      return sent.map(([command]) => command);
    };
    expect(await count(() => sessions.resume(started.token, after(1)))).toEqual(['HMGET']);
    expect(await count(() => sessions.list(USER, after(1), { endedLimit: 9 }))).toEqual([
      'EVALSHA',
    ]);
    const others = () =>
      sessions.revokeOthers(USER, started.session.id, { reason: 'signed-out' }, after(1));
    expect(await count(others)).toEqual(['EVALSHA']);
    for (const script of Object.values(redisScripts)) {
      expect(script).not.toMatch(/'(KEYS|SCAN|[HSZ]SCAN|SMEMBERS|FLUSH\w+)'/i);
    }
  });

  test('the store loads a script again after Redis has lost it', async () => {
    const record = aRecord();
    await store.saveSession(record);
    await client.sendCommand(['SCRIPT', 'FLUSH']);
    expect(await store.updateSessionExpiry(record.id, after(DAY_MS), after(1))).toBe(true);
    expect(sent.slice(-2).map(([command]) => command)).toEqual(['EVALSHA', 'EVAL']);
    sent.length = 0;
    expect(await store.updateSessionExpiry(record.id, after(DAY_MS), after(2))).toBe(true);
    expect(sent.map(([command]) => command)).toEqual(['EVALSHA']);
  });

  test('stores with different prefixes do not share sessions', async () => {
    const other = redisSessionStore({ redis: client, prefix: 'other:' });
    const byDefault = redisSessionStore({ redis: client });
    const record = aRecord();
    await store.saveSession(record);
    expect(await other.fetchSession(record.id)).toBeNull();
    await other.saveSession(record);
    await byDefault.saveSession(record);
    await store.deleteSession(record.id);
    expect((await other.fetchSession(record.id))?.record).toEqual(record);
    expect(await keys()).toContain(`latchkey:session:${record.id}`);
    const left = await ttlMs(`latchkey:session:${record.id}`);
    expect(Math.ceil(left / DAY_MS)).toBe(31);
    await client.flushAll();
  });

  test('the store works with a client that adds a prefix to every key', async () => {
    const prefixed = new Ioredis(redis.url, { keyPrefix: 'mine:', lazyConnect: true });
    await prefixed.connect();
    const prefixedStore = redisSessionStore({ redis: prefixed, prefix: 'p:' });
    const { token } = await new Sessions({ store: prefixedStore }).start(
      { userId: USER },
      after(0),
    );
    expect((await new Sessions({ store: prefixedStore }).resume(token, after(1))).state).toBe(
      'live',
    );
    expect((await new Sessions({ store: prefixedStore }).list(USER, after(1))).live).toHaveLength(
      1,
    );
    for (const key of await keys()) expect(key).toMatch(/^mine:p:/);
    prefixed.disconnect();
    await client.flushAll();
  });

  test('a missing reply is a store error after timeoutMs, and the command is aborted', async () => {
    let signal: AbortSignal | undefined;
    const silentRedis: RedisCommands = {
      send: (_command, _args, given) => {
        signal = given;
        return new Promise(() => undefined);
      },
    };
    const silent = new Sessions({
      store: redisSessionStore({ redis: silentRedis, timeoutMs: 20 }),
    });
    const starting = silent.start({ userId: USER }, after(0));
    await expect(starting).rejects.toBeInstanceOf(StoreUnavailableError);
    await expect(starting).rejects.toMatchObject({
      cause: { message: 'Redis did not answer within 20 ms.' },
    });
    expect(signal?.aborted).toBe(true);
    await store.fetchSession('x');
    expect(sent).toHaveLength(1);
  });

  test('the store throws an error of Redis, and does not send the script again', async () => {
    await client.set('p:session:broken', 'not a hash');
    await expect(store.fetchSession('broken')).rejects.toThrow(/WRONGTYPE/);
    await expect(store.revokeSession('broken', signedOut(1))).rejects.toThrow(/WRONGTYPE/);
    sent.length = 0;
    await expect(store.revokeSession('broken', signedOut(1))).rejects.toThrow(/WRONGTYPE/);
    expect(sent.map(([command]) => command)).toEqual(['EVALSHA']);
    await client.del('p:session:broken');
  });

  test('redisSessionStore throws a TypeError without a client', () => {
    expect(() => redisSessionStore({ redis: {} as never })).toThrow(TypeError);
    expect(() => redisSessionStore({ redis: {} as never })).toThrow(/package redis or ioredis/);
  });
});
