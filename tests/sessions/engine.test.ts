import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../app/sessions/session.ts';
import type { SessionStore } from '../../app/sessions/session-store.ts';
import { Sessions } from '../../app/sessions/sessions.ts';
import { memorySessionStore } from '../../app/sessions/stores/memory.ts';
import { after } from './store-contract.ts';

const USER = 'user-1';

/** Returns a memory store that records its calls and lacks the given functions. */
function recording(lacks: (keyof SessionStore)[] = []) {
  const calls: [name: string, ...args: unknown[]][] = [];
  const store = new Proxy<SessionStore>(memorySessionStore(), {
    get(target, name) {
      const original = Reflect.get(target, name) as unknown;
      if (lacks.includes(name as keyof SessionStore) || typeof original !== 'function') {
        return undefined;
      }
      return (...args: unknown[]) => {
        calls.push([String(name), ...args]);
        return original.apply(target, args) as unknown;
      };
    },
  });
  const names = () => calls.splice(0).map(([name]) => name);
  return { store, calls, names, sessions: new Sessions({ store }) };
}

describe('the store calls of the engine', () => {
  test('a resume reads once, and writes if a touch is due', async () => {
    const { sessions, names } = recording();
    const { token } = await sessions.start({ userId: USER }, after(0));
    expect(names()).toEqual(['saveSession', 'trimSessionsForUser']);
    await sessions.resume(token, after(1));
    expect(names()).toEqual(['fetchSession']);
    await sessions.resume(token, after(MINUTE_MS));
    expect(names()).toEqual(['fetchSession', 'updateSessionExpiry']);
    await sessions.resume('nonsense', after(1));
    expect(names()).toEqual([]);
  });

  test('a renewal is one read and one write', async () => {
    const { sessions, names } = recording();
    const { token } = await sessions.start({ userId: USER }, after(0));
    names();
    await sessions.renew(token, after(MINUTE_MS));
    expect(names()).toEqual(['fetchSession', 'renewSession']);
    expect(await sessions.renew('nonsense', after(1))).toBeNull();
    expect(names()).toEqual([]);
  });

  test('an id with a NUL causes no store call', async () => {
    const { sessions, names } = recording();
    await sessions.revoke('a\0', { reason: 'signed-out' }, after(0));
    await sessions.name('a\0', USER, 'name');
    expect(names()).toEqual([]);
  });

  test('each ending reaches the store with its reason and the session that caused it', async () => {
    const { sessions, calls } = recording();
    const first = await sessions.start({ userId: USER }, after(0));
    const second = await sessions.start({ userId: USER, replaces: first.session }, after(1));
    await sessions.revokeOthers(USER, second.session.id, { reason: 'password-changed' }, after(2));
    await sessions.revoke(second.session.id, { reason: 'administrator' }, after(3));
    await sessions.erase(USER, after(4));
    const by = second.session.id;
    const endings = calls.flatMap(([, ...args]) =>
      args.filter((arg) => typeof arg === 'object' && arg !== null && 'reason' in arg),
    );
    expect(endings).toEqual([
      { at: after(0), reason: 'cap', by: null },
      { at: after(1), reason: 'replaced', by },
      { at: after(1), reason: 'cap', by: null },
      { at: after(2), reason: 'password-changed', by },
      { at: after(3), reason: 'administrator', by: null },
      { at: after(4), reason: 'erased', by: null },
    ]);
  });

  test('a sign-in does not revoke a previous session that has already ended', async () => {
    const { sessions, names } = recording();
    const { token, session } = await sessions.start({ userId: USER }, after(0));
    await sessions.revoke(session.id, { reason: 'signed-out' }, after(1));
    const resumed = await sessions.resume(token, after(2));
    names();
    if (resumed.state === 'unknown') throw new Error('The session is unknown.');
    await sessions.start({ userId: USER, replaces: resumed.session }, after(2));
    await sessions.start({ userId: USER, replaces: null }, after(2));
    expect(names()).not.toContain('revokeSession');
  });

  test('unknown details of a device are empty or null', async () => {
    const { sessions } = recording();
    const { session } = await sessions.start({ userId: USER }, after(0));
    expect(session).toMatchObject({
      userId: USER,
      label: null,
      userAgent: '',
      ipAddress: '',
      country: null,
      remember: false,
      meta: null,
      revokedAt: null,
      revokedReason: null,
      revokedBy: null,
    });
    const details = {
      label: 'a',
      userAgent: 'b',
      ipAddress: 'c',
      country: 'NZ',
      remember: true,
      meta: 1,
    };
    const known = await sessions.start({ userId: USER, ...details }, after(0));
    expect(known.session).toMatchObject(details);
  });

  test('name sets and removes the name of a device', async () => {
    const { sessions } = recording();
    const { session } = await sessions.start({ userId: USER }, after(0));
    const label = async () => (await sessions.list(USER, after(1))).live[0]?.label;
    expect(await sessions.name(session.id, USER, 'Phone')).toBe(true);
    expect(await label()).toBe('Phone');
    expect(await sessions.name(session.id, USER, null)).toBe(true);
    expect(await label()).toBeNull();
    expect(await sessions.name(session.id, 'user-2', 'mine')).toBe(false);
  });

  test('find returns a session only to its user', async () => {
    const { sessions } = recording();
    const { session } = await sessions.start({ userId: USER }, after(0));
    expect(await sessions.find(session.id, USER)).toEqual(session);
    expect(await sessions.find(session.id, 'user-2')).toBeNull();
    expect(await sessions.find('unknown', USER)).toBeNull();
  });
});

describe('the engine over a store without tombstones, renewal or cap', () => {
  const minimal = () => recording(['revokeSession', 'renewSession', 'trimSessionsForUser']);

  test('revoke deletes the row if the store has no revokeSession', async () => {
    const { sessions, store } = minimal();
    const { session } = await sessions.start({ userId: USER }, after(0));
    const revocation = { reason: 'signed-out' } as const;
    expect(await sessions.revoke('unknown', revocation, after(1))).toBe(false);
    expect(await sessions.revoke(session.id, { ...revocation, userId: 'user-2' }, after(1))).toBe(
      false,
    );
    expect(await store.fetchSession(session.id)).not.toBeNull();
    expect(await sessions.revoke(session.id, { ...revocation, userId: USER }, after(1))).toBe(true);
    expect(await store.fetchSession(session.id)).toBeNull();
    expect(await sessions.revoke(session.id, revocation, after(1))).toBe(false);
  });

  test('revoke deletes the row of an expired session too, and is false', async () => {
    const { sessions, store } = minimal();
    const { session } = await sessions.start({ userId: USER }, after(0));
    expect(await sessions.revoke(session.id, { reason: 'signed-out' }, after(HOUR_MS))).toBe(false);
    expect(await store.fetchSession(session.id)).toBeNull();
  });

  test('renew saves a new row and revokes the old one as replaced if the store has no renewSession', async () => {
    const { sessions, calls } = recording(['renewSession']);
    const { token, session } = await sessions.start({ userId: USER, label: 'kept' }, after(0));
    const renewed = await sessions.renew(token, after(MINUTE_MS));
    expect(renewed?.session).toMatchObject({ label: 'kept', createdAt: after(0) });
    expect(renewed?.session).not.toHaveProperty('secretHash');
    const revoking = calls.find(([name]) => name === 'revokeSession');
    const ending = { at: after(MINUTE_MS), reason: 'replaced', by: renewed?.session.id };
    expect(revoking).toEqual(['revokeSession', session.id, ending, USER]);
  });
});

describe('list after a timeout was shortened', () => {
  test('list shows sessions that expired by a shortened timeout as ended, most recently ended first', async () => {
    const { sessions, store } = recording();
    const start = async (ms: number) => (await sessions.start({ userId: USER }, after(ms))).session;
    const revokedEarly = await start(0);
    const expiredFirst = await start(MINUTE_MS);
    const expiredSecond = await start(2 * MINUTE_MS);
    const live = await start(29 * MINUTE_MS);
    const revokedLate = await start(3 * MINUTE_MS);
    await sessions.revoke(revokedEarly.id, { reason: 'signed-out' }, after(5 * MINUTE_MS));
    await sessions.revoke(revokedLate.id, { reason: 'signed-out' }, after(11.5 * MINUTE_MS));

    const strict = new Sessions({ store, timeouts: { idleMs: 10 * MINUTE_MS } });
    const now = after(30 * MINUTE_MS);
    const idsOf = (rows: { id: string }[]) => rows.map(({ id }) => id);
    const all = await strict.list(USER, now, { endedLimit: 10 });
    expect(idsOf(all.live)).toEqual([live.id]);
    // They ended after 12, 11.5, 11 and 5 minutes.
    expect(idsOf(all.ended)).toEqual(
      idsOf([expiredSecond, revokedLate, expiredFirst, revokedEarly]),
    );
    const two = await strict.list(USER, now, { endedLimit: 2 });
    expect(idsOf(two.ended)).toEqual(idsOf([expiredSecond, revokedLate]));
    // With pages of one: an expired session is on the page of its last activity.
    const first = await strict.list(USER, now, { limit: 1, endedLimit: 10 });
    expect(idsOf(first.live)).toEqual([live.id]);
    expect(idsOf(first.ended)).toEqual(idsOf([revokedLate, revokedEarly]));
    const second = await strict.list(USER, now, { limit: 1, after: first.next, endedLimit: 1 });
    expect([second.live, idsOf(second.ended)]).toEqual([[], [expiredSecond.id]]);
    expect(second.next).toEqual({ lastSeenAt: expiredSecond.lastSeenAt, id: expiredSecond.id });
  });

  test('list shows a session as ended from the millisecond of its expiry', async () => {
    const { sessions } = recording();
    const { session } = await sessions.start({ userId: USER }, after(0));
    const just = await sessions.list(USER, session.expiresAt, { endedLimit: 1 });
    expect([just.live.length, just.ended.length]).toEqual([0, 1]);
    const before = await sessions.list(USER, after(-1, session.expiresAt), { endedLimit: 1 });
    expect([before.live.length, before.ended.length]).toEqual([1, 0]);
  });
});
