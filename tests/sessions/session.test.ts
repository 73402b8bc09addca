import { describe, expect, test } from 'vitest';
import {
  DAY_MS,
  defaultTimeouts,
  endingOf,
  expiryAfter,
  expiryOf,
  HOUR_MS,
  isDueForTouch,
  isExpired,
  isFresh,
  isIdle,
  isLive,
  lifetimeEndOf,
  MINUTE_MS,
  SECOND_MS,
  timeoutsFrom,
  withoutSecret,
} from '../../app/sessions/session.ts';
import { memorySessionStore } from '../../app/sessions/stores/memory.ts';
import { Sessions } from '../../app/sessions/sessions.ts';
import { aRecord, after } from './store-contract.ts';

const NOW = after(0);
const NEVER = new Date(NaN);

describe('options', () => {
  test('the defaults are the documented values', () => {
    expect(defaultTimeouts).toEqual({
      rememberedIdleMs: 14 * 24 * 60 * 60 * 1000,
      rememberedLifetimeMs: 30 * 24 * 60 * 60 * 1000,
      idleMs: 60 * 60 * 1000,
      lifetimeMs: 24 * 60 * 60 * 1000,
      freshMs: 15 * 60 * 1000,
      touchIntervalMs: 60 * 1000,
    });
    const sessions = new Sessions({ store: memorySessionStore() });
    expect([sessions.maxPerUser, sessions.retentionMs]).toEqual([100, 30 * DAY_MS]);
    expect(sessions.timeouts).toEqual(defaultTimeouts);
  });

  test('absent and undefined timeouts keep their defaults', () => {
    expect(timeoutsFrom()).toEqual(defaultTimeouts);
    const timeouts = timeoutsFrom({ idleMs: undefined, freshMs: 1 });
    expect(timeouts).toEqual({ ...defaultTimeouts, freshMs: 1 });
    expect(defaultTimeouts.freshMs).toBe(15 * MINUTE_MS);
  });

  test.each([
    ['idleMs', 0],
    ['idleMs', -1],
    ['lifetimeMs', NaN],
    ['rememberedIdleMs', Infinity],
    ['rememberedLifetimeMs', '5' as unknown as number & string],
    ['freshMs', 0],
    ['touchIntervalMs', -1],
  ] as const)('the timeout %s with value %s is checked', (name, value) => {
    if (typeof value === 'string') {
      expect(timeoutsFrom({ [name]: Number(value) })[name]).toBe(5);
      return;
    }
    expect(() => timeoutsFrom({ [name]: value })).toThrow(new RegExp(`^${name} must be`));
  });

  test('touchIntervalMs may be 0', () => {
    expect(timeoutsFrom({ touchIntervalMs: 0 }).touchIntervalMs).toBe(0);
    expect(timeoutsFrom({ freshMs: 1, idleMs: 1 })).toMatchObject({ freshMs: 1, idleMs: 1 });
  });

  test('touchIntervalMs is at most half of the shortest idle timeout', () => {
    expect(timeoutsFrom({ idleMs: 30 * SECOND_MS }).touchIntervalMs).toBe(15 * SECOND_MS);
    expect(timeoutsFrom({ rememberedIdleMs: 10 * SECOND_MS }).touchIntervalMs).toBe(5 * SECOND_MS);
    expect(timeoutsFrom({ idleMs: 2 * MINUTE_MS }).touchIntervalMs).toBe(MINUTE_MS);
  });

  test.each([
    { maxPerUser: 0 },
    { maxPerUser: 1.5 },
    { maxPerUser: NaN },
    { retentionMs: -1 },
    { retentionMs: NaN },
    { retentionMs: Infinity },
  ])('the options %o throw an error that names the option', (options) => {
    const [name] = Object.keys(options) as [string];
    expect(() => new Sessions({ store: memorySessionStore(), ...options })).toThrow(
      new RegExp(`^${name} must be`),
    );
  });

  test('maxPerUser may be 1, and retentionMs may be 0', () => {
    const sessions = new Sessions({ store: memorySessionStore(), maxPerUser: 1, retentionMs: 0 });
    expect([sessions.maxPerUser, sessions.retentionMs]).toEqual([1, 0]);
  });
});

describe('expiry', () => {
  test('a session expires one idle timeout after its last activity, and never after its lifetime', () => {
    const session = aRecord();
    expect(expiryAfter(session, after(5), defaultTimeouts)).toEqual(after(HOUR_MS + 5));
    const late = after(23.5 * HOUR_MS);
    expect(expiryAfter(session, late, defaultTimeouts)).toEqual(after(24 * HOUR_MS));
    const remembered = aRecord({ remember: true });
    expect(expiryAfter(remembered, after(5), defaultTimeouts)).toEqual(after(14 * DAY_MS + 5));
    expect(expiryAfter(remembered, after(29 * DAY_MS), defaultTimeouts)).toEqual(
      after(30 * DAY_MS),
    );
    expect(lifetimeEndOf(session, defaultTimeouts)).toEqual(after(DAY_MS));
    expect(lifetimeEndOf(remembered, defaultTimeouts)).toEqual(after(30 * DAY_MS));
  });

  test('a shortened timeout applies at once, and a lengthened one does not', () => {
    const session = aRecord();
    const expiryWith = (idleMs: number) => expiryOf(session, { ...defaultTimeouts, idleMs });
    expect(expiryWith(MINUTE_MS)).toEqual(after(MINUTE_MS));
    expect(expiryWith(2 * HOUR_MS)).toEqual(session.expiresAt);
  });

  test('a session expires exactly at its expiry', () => {
    const session = aRecord();
    expect(isExpired(session, after(HOUR_MS - 1), defaultTimeouts)).toBe(false);
    expect(isExpired(session, after(HOUR_MS), defaultTimeouts)).toBe(true);
    expect(isLive(session, after(HOUR_MS - 1), defaultTimeouts)).toBe(true);
    expect(isLive(session, after(HOUR_MS), defaultTimeouts)).toBe(false);
  });

  test('isIdle is true only if the idle timeout ended the session', () => {
    const session = aRecord();
    expect(isIdle(session, after(HOUR_MS - 1), defaultTimeouts)).toBe(false);
    expect(isIdle(session, after(HOUR_MS), defaultTimeouts)).toBe(true);
    const active = aRecord({ lastSeenAt: after(23.5 * HOUR_MS) });
    expect(isIdle(active, after(24 * HOUR_MS), defaultTimeouts)).toBe(false);
    expect(isExpired(active, after(24 * HOUR_MS), defaultTimeouts)).toBe(true);
  });

  test.each(['createdAt', 'lastSeenAt', 'expiresAt'] as const)(
    'a session with a damaged %s is expired',
    (field) => {
      const damaged = { ...aRecord(), [field]: NEVER };
      expect(isExpired(damaged, NOW, defaultTimeouts)).toBe(true);
      expect(isLive(damaged, NOW, defaultTimeouts)).toBe(false);
    },
  );

  test('a session is not live at an invalid time', () => {
    expect(isLive(aRecord(), NEVER, defaultTimeouts)).toBe(false);
  });
});

describe('freshness', () => {
  test.each([
    [0, true],
    [15 * MINUTE_MS - 1, true],
    [15 * MINUTE_MS, false],
    [-MINUTE_MS + 1, true],
    [-MINUTE_MS, false],
  ])('isFresh %i ms after the proof of identity is %s', (ms, expected) => {
    expect(isFresh(aRecord(), after(ms), defaultTimeouts)).toBe(expected);
    const sessions = new Sessions({ store: memorySessionStore() });
    expect(sessions.isFresh(aRecord(), after(ms))).toBe(expected);
  });

  test('a session is not fresh if the time of its proof is invalid', () => {
    expect(isFresh({ reauthenticatedAt: NEVER }, NOW, defaultTimeouts)).toBe(false);
  });
});

describe('a touch', () => {
  test.each([
    [MINUTE_MS - 1, false],
    [MINUTE_MS, true],
    [-MINUTE_MS, false],
    [-DAY_MS, false],
  ])('isDueForTouch %i ms after the last activity is %s', (ms, expected) => {
    expect(isDueForTouch(aRecord(), after(ms), defaultTimeouts)).toBe(expected);
  });
});

describe('endingOf', () => {
  test('endingOf is null while the session is live', () => {
    expect(endingOf(aRecord(), NOW, defaultTimeouts)).toBeNull();
    expect(new Sessions({ store: memorySessionStore() }).endingOf(aRecord(), NOW)).toBeNull();
  });

  test('endingOf a revoked session is its revocation, also after its expiry', () => {
    const revoked = aRecord({ revokedAt: after(1), revokedReason: 'cap', revokedBy: 'x' });
    const ending = { at: after(1), reason: 'cap', by: 'x' };
    expect(endingOf(revoked, after(DAY_MS), defaultTimeouts)).toEqual(ending);
    const unexplained = aRecord({ revokedAt: after(1) });
    expect(endingOf(unexplained, after(2), defaultTimeouts)?.reason).toBe('signed-out-elsewhere');
  });

  test('endingOf an expired session is its expiry', () => {
    const ending = { at: after(HOUR_MS), reason: 'expired', by: null };
    expect(endingOf(aRecord(), after(DAY_MS), defaultTimeouts)).toEqual(ending);
  });
});

test('withoutSecret removes only the hash', () => {
  const record = aRecord({ label: 'x' });
  const session = withoutSecret(record);
  expect(session).not.toHaveProperty('secretHash');
  expect({ ...session, secretHash: record.secretHash }).toEqual(record);
});
