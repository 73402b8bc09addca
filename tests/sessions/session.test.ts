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

describe('the defaults', () => {
  test('are those that are documented', () => {
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

  test('hold for what is left out or undefined', () => {
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
  ] as const)('%s of %s is refused by name', (name, value) => {
    if (typeof value === 'string') {
      expect(timeoutsFrom({ [name]: Number(value) })[name]).toBe(5);
      return;
    }
    expect(() => timeoutsFrom({ [name]: value })).toThrow(new RegExp(`^${name} must be`));
  });

  test('a touch at every request is allowed', () => {
    expect(timeoutsFrom({ touchIntervalMs: 0 }).touchIntervalMs).toBe(0);
    expect(timeoutsFrom({ freshMs: 1, idleMs: 1 })).toMatchObject({ freshMs: 1, idleMs: 1 });
  });

  test('activity is written down at least twice in the shortest idle timeout', () => {
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
  ])('%o is refused by name', (options) => {
    const [name] = Object.keys(options) as [string];
    expect(() => new Sessions({ store: memorySessionStore(), ...options })).toThrow(
      new RegExp(`^${name} must be`),
    );
  });

  test('a cap of one and no retention are allowed', () => {
    const sessions = new Sessions({ store: memorySessionStore(), maxPerUser: 1, retentionMs: 0 });
    expect([sessions.maxPerUser, sessions.retentionMs]).toEqual([1, 0]);
  });
});

describe('expiry', () => {
  test('is the idle timeout after the last activity, and never past the lifetime', () => {
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

  test('comes at once when a timeout was shortened, and not later when it was lengthened', () => {
    const session = aRecord();
    const expiryWith = (idleMs: number) => expiryOf(session, { ...defaultTimeouts, idleMs });
    expect(expiryWith(MINUTE_MS)).toEqual(after(MINUTE_MS));
    expect(expiryWith(2 * HOUR_MS)).toEqual(session.expiresAt);
  });

  test('counts from the very millisecond', () => {
    const session = aRecord();
    expect(isExpired(session, after(HOUR_MS - 1), defaultTimeouts)).toBe(false);
    expect(isExpired(session, after(HOUR_MS), defaultTimeouts)).toBe(true);
    expect(isLive(session, after(HOUR_MS - 1), defaultTimeouts)).toBe(true);
    expect(isLive(session, after(HOUR_MS), defaultTimeouts)).toBe(false);
  });

  test('says whether it was idleness or the lifetime', () => {
    const session = aRecord();
    expect(isIdle(session, after(HOUR_MS - 1), defaultTimeouts)).toBe(false);
    expect(isIdle(session, after(HOUR_MS), defaultTimeouts)).toBe(true);
    const active = aRecord({ lastSeenAt: after(23.5 * HOUR_MS) });
    expect(isIdle(active, after(24 * HOUR_MS), defaultTimeouts)).toBe(false);
    expect(isExpired(active, after(24 * HOUR_MS), defaultTimeouts)).toBe(true);
  });

  test.each(['createdAt', 'lastSeenAt', 'expiresAt'] as const)(
    'a damaged %s lets nobody in',
    (field) => {
      const damaged = { ...aRecord(), [field]: NEVER };
      expect(isExpired(damaged, NOW, defaultTimeouts)).toBe(true);
      expect(isLive(damaged, NOW, defaultTimeouts)).toBe(false);
    },
  );

  test('neither does a time that is none', () => {
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
  ])('%i ms after the proof: %s', (ms, expected) => {
    expect(isFresh(aRecord(), after(ms), defaultTimeouts)).toBe(expected);
    const sessions = new Sessions({ store: memorySessionStore() });
    expect(sessions.isFresh(aRecord(), after(ms))).toBe(expected);
  });

  test('a proof at no time is none', () => {
    expect(isFresh({ reauthenticatedAt: NEVER }, NOW, defaultTimeouts)).toBe(false);
  });
});

describe('a touch', () => {
  test.each([
    [MINUTE_MS - 1, false],
    [MINUTE_MS, true],
    [-MINUTE_MS, false],
    [-DAY_MS, false],
  ])('is due %i ms after the last: %s', (ms, expected) => {
    expect(isDueForTouch(aRecord(), after(ms), defaultTimeouts)).toBe(expected);
  });
});

describe('the ending', () => {
  test('is null while the session is live', () => {
    expect(endingOf(aRecord(), NOW, defaultTimeouts)).toBeNull();
    expect(new Sessions({ store: memorySessionStore() }).endingOf(aRecord(), NOW)).toBeNull();
  });

  test('is what the tombstone says, also where it ran out since', () => {
    const revoked = aRecord({ revokedAt: after(1), revokedReason: 'cap', revokedBy: 'x' });
    const ending = { at: after(1), reason: 'cap', by: 'x' };
    expect(endingOf(revoked, after(DAY_MS), defaultTimeouts)).toEqual(ending);
    const unexplained = aRecord({ revokedAt: after(1) });
    expect(endingOf(unexplained, after(2), defaultTimeouts)?.reason).toBe('signed-out-elsewhere');
  });

  test('is when it ran out', () => {
    const ending = { at: after(HOUR_MS), reason: 'expired', by: null };
    expect(endingOf(aRecord(), after(DAY_MS), defaultTimeouts)).toEqual(ending);
  });
});

test('what leaves the engine has no hash', () => {
  const record = aRecord({ label: 'x' });
  const session = withoutSecret(record);
  expect(session).not.toHaveProperty('secretHash');
  expect({ ...session, secretHash: record.secretHash }).toEqual(record);
});
