import { beforeEach, describe, expect, test } from 'vitest';
import { defaultTimeouts, MINUTE_MS, Sessions } from '#app/sessions/index.ts';
import { inProcessFeed, type SessionFeed } from '#app/sessions/session-feed.ts';
import { SessionCache, type Lookup } from '#app/sessions/session-cache.ts';
import type { SessionStore, StoredSession } from '#app/sessions/session-store.ts';
import { memorySessionStore } from '#app/sessions/stores/memory.ts';

const NOW = new Date('2026-11-21T12:00:00.000Z');
const later = (ms: number) => new Date(NOW.getTime() + ms);

let store: SessionStore;
let fetches: number;
let touches: number;
let lookups: Lookup[];
let isCurrent: boolean;
let linkListeners: ((isUp: boolean) => void)[];
let feed: SessionFeed;
let cache: SessionCache;
let sessions: Sessions;
/** A test replaces it to delay fetched rows. */
let gate: Promise<void>;

beforeEach(() => {
  const memory = memorySessionStore();
  fetches = 0;
  touches = 0;
  lookups = [];
  isCurrent = true;
  linkListeners = [];
  gate = Promise.resolve();
  store = {
    ...memory,
    async fetchSession(id) {
      fetches += 1;
      const stored = await memory.fetchSession(id);
      await gate;
      return stored;
    },
    updateSessionExpiry(id, expiresAt, lastSeenAt) {
      touches += 1;
      return memory.updateSessionExpiry(id, expiresAt, lastSeenAt);
    },
  };
  feed = {
    ...inProcessFeed(),
    isCurrent: () => isCurrent,
    onLink(listener) {
      linkListeners.push(listener);
      return () => undefined;
    },
  };
  cache = new SessionCache({ feed, max: 3, onLookup: (lookup) => lookups.push(lookup) });
  sessions = new Sessions({ store, feed, cache });
});

const start = (userId = 'ann') => sessions.start({ userId }, NOW);
const stateOf = async (token: string, now = NOW) => (await sessions.resume(token, now)).state;
/** Delays every fetched row until the returned function is called. */
const holdRows = () => {
  let release = () => {};
  gate = new Promise((resolve) => {
    release = resolve;
  });
  return release;
};

test('a session is read once, and then answered from the cache', async () => {
  const { token } = await start();
  expect([await stateOf(token), await stateOf(token), await stateOf(token)]).toEqual(
    Array(3).fill('live'),
  );
  expect(fetches).toBe(1);
  expect(lookups).toEqual(['miss', 'hit', 'hit']);
});

test('every refusal reads the row: a wrong secret, an ended session, an expired session', async () => {
  const { token, session } = await start();
  await stateOf(token);
  const wrong = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
  for (let count = 0; count < 3; count += 1) expect(await stateOf(wrong)).toBe('unknown');
  const past = later(defaultTimeouts.idleMs);
  expect(await stateOf(token, past)).toBe('ended');
  expect(fetches).toBe(5);
  await sessions.revoke(session.id, { reason: 'signed-out' }, NOW);
  expect(await stateOf(token)).toBe('ended');
  expect(await stateOf(token)).toBe('ended');
  expect(cache.size).toBe(0);
});

test('a session that is active on another node is not idle in the cache of this node', async () => {
  const { token, session } = await start();
  await stateOf(token);
  const seenAt = later(defaultTimeouts.idleMs - MINUTE_MS);
  const expiresAt = later(2 * defaultTimeouts.idleMs - MINUTE_MS);
  await store.updateSessionExpiry(session.id, expiresAt, seenAt);
  expect(await stateOf(token, later(defaultTimeouts.idleMs + MINUTE_MS))).toBe('live');
});

test.each([
  ['a revoke', (id: string) => sessions.revoke(id, { reason: 'signed-out' }, NOW)],
  ['a revoke of all sessions', () => sessions.revokeOthers('ann', null, { reason: 'not-me' }, NOW)],
  ['an erasure', () => sessions.erase('ann', NOW)],
])('%s applies to the cache before it returns', async (_what, end) => {
  const { token, session } = await start();
  expect(await stateOf(token)).toBe('live');
  await end(session.id);
  expect(await stateOf(token)).not.toBe('live');
});

test('a renewal and a new name apply to the cache at once', async () => {
  const { token, session } = await start();
  await stateOf(token);
  await sessions.name(session.id, 'ann', 'Kitchen iPad');
  const resumed = await sessions.resume(token, NOW);
  expect(resumed.state === 'live' && resumed.session.label).toBe('Kitchen iPad');
  const renewed = await sessions.renew(token, NOW);
  expect(await stateOf(token)).toBe('unknown');
  expect(await stateOf(renewed!.token)).toBe('live');
});

describe('a row in transit', () => {
  test.each([
    ['was ended', (id: string) => cache.forget(id)],
    ['got other user data', () => feed.publish([{ kind: 'changed', id: null, userId: 'ann' }])],
    ['may have missed an event', () => linkListeners.forEach((report) => report(true))],
  ])('a row is not cached if its session %s during the read', async (_what, change) => {
    const { token, session } = await start();
    const release = holdRows();
    const reading = sessions.resume(token, NOW);
    await Promise.resolve();
    change(session.id);
    release();
    await reading;
    expect(cache.size).toBe(0);
  });

  test('a row is not cached if the lease was lost during the read', async () => {
    const { token } = await start();
    const release = holdRows();
    const reading = sessions.resume(token, NOW);
    isCurrent = false;
    release();
    await reading;
    isCurrent = true;
    expect(cache.size).toBe(0);
  });

  test('a row is cached if only other sessions changed during the read', async () => {
    const { token } = await start();
    const release = holdRows();
    const reading = sessions.resume(token, NOW);
    cache.forget('another');
    cache.forgetUser('bob');
    release();
    await reading;
    expect(cache.size).toBe(1);
  });
});

test('while the feed is not current, every request reads the row and none is cached', async () => {
  const { token } = await start();
  await stateOf(token);
  isCurrent = false;
  await stateOf(token);
  await stateOf(token);
  expect(fetches).toBe(3);
  expect(lookups).toEqual(['miss', 'bypass', 'bypass']);
});

test('a change of the link clears the cache', async () => {
  const { token } = await start();
  await stateOf(token);
  linkListeners.forEach((report) => report(false));
  expect(cache.size).toBe(0);
  await stateOf(token);
  expect(fetches).toBe(2);
});

test('the cache never holds more sessions than its maximum', async () => {
  for (let count = 0; count < 5; count += 1) await stateOf((await start(`user-${count}`)).token);
  expect(cache.size).toBe(3);
  feed.publish([{ kind: 'changed', id: null, userId: 'user-4' }]);
  expect(cache.size).toBe(2);
});

test('concurrent requests write activity once, and the cache keeps it', async () => {
  const { token } = await start();
  await stateOf(token);
  const due = later(defaultTimeouts.touchIntervalMs);
  await Promise.all(Array.from({ length: 20 }, () => stateOf(token, due)));
  expect(touches).toBe(1);
  const resumed = await sessions.resume(token, due);
  expect(resumed.state === 'live' && resumed.session.lastSeenAt).toEqual(due);
  expect(touches).toBe(1);
});

test('a touch that the store refuses makes the engine read the row', async () => {
  const { token, session } = await start();
  await stateOf(token);
  // Deleted in the store, without an event.
  await store.deleteSession(session.id);
  expect(await stateOf(token, later(defaultTimeouts.touchIntervalMs))).toBe('unknown');
});

test('a store that is down causes an error only if the cache may not answer', async () => {
  const { token } = await start();
  await stateOf(token);
  const down = (): Promise<StoredSession | null> => Promise.reject(new Error('down'));
  store.fetchSession = down;
  expect(await stateOf(token)).toBe('live');
  isCurrent = false;
  await expect(stateOf(token)).rejects.toThrow('The session store is not available.');
});
