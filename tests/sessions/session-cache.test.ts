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
/** Held by a test that wants a row on its way. */
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
/** A row that is read, and does not arrive before `let go`. */
const holdRows = () => {
  let letGo = () => {};
  gate = new Promise((resolve) => {
    letGo = resolve;
  });
  return letGo;
};

test('a session is read once, and answered from memory then', async () => {
  const { token } = await start();
  expect([await stateOf(token), await stateOf(token), await stateOf(token)]).toEqual(
    Array(3).fill('live'),
  );
  expect(fetches).toBe(1);
  expect(lookups).toEqual(['miss', 'hit', 'hit']);
});

test('what is refused is refused by the row: no wrong secret, end or expiry is remembered', async () => {
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

test('a session that another node keeps alive is not idle here', async () => {
  const { token, session } = await start();
  await stateOf(token);
  const seenAt = later(defaultTimeouts.idleMs - MINUTE_MS);
  const expiresAt = later(2 * defaultTimeouts.idleMs - MINUTE_MS);
  await store.updateSessionExpiry(session.id, expiresAt, seenAt);
  expect(await stateOf(token, later(defaultTimeouts.idleMs + MINUTE_MS))).toBe('live');
});

test.each([
  ['a revoke', (id: string) => sessions.revoke(id, { reason: 'signed-out' }, NOW)],
  ['the end of all', () => sessions.revokeOthers('ann', null, { reason: 'not-me' }, NOW)],
  ['an erasure', () => sessions.erase('ann', NOW)],
])('%s counts before it returns', async (_what, end) => {
  const { token, session } = await start();
  expect(await stateOf(token)).toBe('live');
  await end(session.id);
  expect(await stateOf(token)).not.toBe('live');
});

test('a renewal kills the old token, and a name is shown at once', async () => {
  const { token, session } = await start();
  await stateOf(token);
  await sessions.name(session.id, 'ann', 'Kitchen iPad');
  const resumed = await sessions.resume(token, NOW);
  expect(resumed.state === 'live' && resumed.session.label).toBe('Kitchen iPad');
  const renewed = await sessions.renew(token, NOW);
  expect(await stateOf(token)).toBe('unknown');
  expect(await stateOf(renewed!.token)).toBe('live');
});

describe('a row that was read before', () => {
  test.each([
    ['its session ended', (id: string) => cache.forget(id)],
    ['its person changed', () => feed.publish([{ kind: 'changed', id: null, userId: 'ann' }])],
    ['the link was lost and found', () => linkListeners.forEach((tell) => tell(true))],
  ])('%s is not remembered', async (_what, happen) => {
    const { token, session } = await start();
    const letGo = holdRows();
    const reading = sessions.resume(token, NOW);
    await Promise.resolve();
    happen(session.id);
    letGo();
    await reading;
    expect(cache.size).toBe(0);
  });

  test('the lease was lost is not remembered either', async () => {
    const { token } = await start();
    const letGo = holdRows();
    const reading = sessions.resume(token, NOW);
    isCurrent = false;
    letGo();
    await reading;
    isCurrent = true;
    expect(cache.size).toBe(0);
  });

  test('something of others happened is', async () => {
    const { token } = await start();
    const letGo = holdRows();
    const reading = sessions.resume(token, NOW);
    cache.forget('another');
    cache.forgetUser('bob');
    letGo();
    await reading;
    expect(cache.size).toBe(1);
  });
});

test('while the feed is not current every request reads the row, and nothing is remembered', async () => {
  const { token } = await start();
  await stateOf(token);
  isCurrent = false;
  await stateOf(token);
  await stateOf(token);
  expect(fetches).toBe(3);
  expect(lookups).toEqual(['miss', 'bypass', 'bypass']);
});

test('memory starts empty when the link is there again', async () => {
  const { token } = await start();
  await stateOf(token);
  linkListeners.forEach((tell) => tell(false));
  expect(cache.size).toBe(0);
  await stateOf(token);
  expect(fetches).toBe(2);
});

test('it holds no more than it may', async () => {
  for (let count = 0; count < 5; count += 1) await stateOf((await start(`user-${count}`)).token);
  expect(cache.size).toBe(3);
  feed.publish([{ kind: 'changed', id: null, userId: 'user-4' }]);
  expect(cache.size).toBe(2);
});

test('activity is written down once for all who come at the same time, and remembered', async () => {
  const { token } = await start();
  await stateOf(token);
  const due = later(defaultTimeouts.touchIntervalMs);
  await Promise.all(Array.from({ length: 20 }, () => stateOf(token, due)));
  expect(touches).toBe(1);
  const resumed = await sessions.resume(token, due);
  expect(resumed.state === 'live' && resumed.session.lastSeenAt).toEqual(due);
  expect(touches).toBe(1);
});

test('a touch that comes too late has the row read', async () => {
  const { token, session } = await start();
  await stateOf(token);
  // Behind the back of everybody, and no news of it.
  await store.deleteSession(session.id);
  expect(await stateOf(token, later(defaultTimeouts.touchIntervalMs))).toBe('unknown');
});

test('a store that is down is an outage where memory may not answer', async () => {
  const { token } = await start();
  await stateOf(token);
  const down = (): Promise<StoredSession | null> => Promise.reject(new Error('down'));
  store.fetchSession = down;
  expect(await stateOf(token)).toBe('live');
  isCurrent = false;
  await expect(stateOf(token)).rejects.toThrow('The session store is not available.');
});
