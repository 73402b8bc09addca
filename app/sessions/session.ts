import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './time.ts';
/**
 * The session types, and every rule about sessions as a pure function of (session, now).
 *
 * No function here reads a clock, a store or a request: the caller reads the time once and passes it
 * as `now`.
 */

/** Why a session ended. `expired` needs no write, because it follows from the row's times. */
export type EndReason =
  /** The user signed out on that device. */
  | 'signed-out'
  /** The user ended it from another device. */
  | 'signed-out-elsewhere'
  /** The user changed the password and chose "sign out everywhere else". */
  | 'password-changed'
  /** A change of the e-mail address was undone. Whoever made it may know the password. */
  | 'email-restored'
  /** The user reported suspicious activity ("this wasn't me"). */
  | 'not-me'
  /** The same browser signed in again. A browser holds one session. */
  | 'replaced'
  /** The user reached the cap on live sessions, and this was the least recently used one. */
  | 'cap'
  /** It reached its idle timeout or the end of its lifetime. */
  | 'expired'
  /** The account, or all of its sessions, were erased. */
  | 'erased'
  /** An administrator ended it. */
  | 'administrator';

/** When and why a session ended, and which session ended it. */
export interface SessionEnd {
  at: Date;
  reason: EndReason;
  /** Public id of the session that ended it; null if none did (the cap, a job, an administrator). */
  by: string | null;
}

/** A session as code outside the engine sees it: without the secret and its hash. */
export interface Session<Meta = unknown> {
  /** Public id. It appears in URLs and proves nothing. */
  id: string;
  userId: string;
  /** The user's name for the device; null if there is none. */
  label: string | null;
  userAgent: string;
  ipAddress: string;
  /** ISO 3166-1 alpha-2; null if unknown. */
  country: string | null;
  /** Which timeouts apply: true for "remember me". */
  remember: boolean;
  createdAt: Date;
  /** Time of the last activity, accurate to the touch interval. */
  lastSeenAt: Date;
  /** When the session expires: at the idle timeout or the end of its lifetime, whichever is first. */
  expiresAt: Date;
  /** Time of the last full proof of identity. */
  reauthenticatedAt: Date;
  /** null while the session is not revoked. Never unset once it is set. */
  revokedAt: Date | null;
  revokedReason: EndReason | null;
  revokedBy: string | null;
  /** The application's own data about the session, as JSON; null if there is none. */
  meta: Meta | null;
}

/** A session as a store saves it. */
export interface SessionRecord<Meta = unknown> extends Session<Meta> {
  /** SHA-256 of the token's secret half, base64url. */
  secretHash: string;
}

export { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS };

/** How long a session lasts, in milliseconds. */
export interface Timeouts {
  /** Idle timeout with "remember me". */
  rememberedIdleMs: number;
  /** Lifetime with "remember me", whatever the activity. */
  rememberedLifetimeMs: number;
  /** Idle timeout without "remember me". */
  idleMs: number;
  /** Lifetime without "remember me". */
  lifetimeMs: number;
  /** How long a full proof of identity counts as recent. */
  freshMs: number;
  /** The engine writes activity to the store at most this often. */
  touchIntervalMs: number;
}

/** The defaults. See docs/decisions for the reasons. */
export const defaultTimeouts: Timeouts = {
  rememberedIdleMs: 14 * DAY_MS,
  rememberedLifetimeMs: 30 * DAY_MS,
  idleMs: HOUR_MS,
  lifetimeMs: 24 * HOUR_MS,
  freshMs: 15 * MINUTE_MS,
  touchIntervalMs: MINUTE_MS,
};

/**
 * Returns the timeouts, with defaults for absent and undefined settings.
 *
 * The engine must write activity at least twice per idle timeout, or it would sign out active users.
 * A longer `touchIntervalMs` is therefore cut to half of the shortest idle timeout.
 *
 * @throws RangeError that names the setting which is not a number of milliseconds above zero.
 */
export function timeoutsFrom(settings: Partial<Timeouts> = {}): Timeouts {
  const timeouts = { ...defaultTimeouts };
  for (const name of Object.keys(timeouts) as (keyof Timeouts)[]) {
    timeouts[name] = settings[name] ?? timeouts[name];
    const least = name === 'touchIntervalMs' ? 0 : 1;
    if (!(timeouts[name] >= least && timeouts[name] < Infinity)) {
      throw new RangeError(`${name} must be a number of milliseconds above zero.`);
    }
  }
  const shortestIdleMs = Math.min(timeouts.idleMs, timeouts.rememberedIdleMs);
  timeouts.touchIntervalMs = Math.min(timeouts.touchIntervalMs, shortestIdleMs / 2);
  return timeouts;
}

type Times = Pick<Session, 'remember' | 'createdAt' | 'lastSeenAt' | 'expiresAt'>;

const idleMsOf = (session: Pick<Session, 'remember'>, timeouts: Timeouts) =>
  session.remember ? timeouts.rememberedIdleMs : timeouts.idleMs;

const lifetimeMsOf = (session: Pick<Session, 'remember'>, timeouts: Timeouts) =>
  session.remember ? timeouts.rememberedLifetimeMs : timeouts.lifetimeMs;

/**
 * Returns when a session whose last activity was at `lastSeenAt` expires: one idle timeout later, but
 * never after the end of its lifetime (invariant I3).
 */
export function expiryAfter(
  session: Pick<Session, 'remember' | 'createdAt'>,
  lastSeenAt: Date,
  timeouts: Timeouts,
): Date {
  return new Date(
    Math.min(
      lastSeenAt.getTime() + idleMsOf(session, timeouts),
      session.createdAt.getTime() + lifetimeMsOf(session, timeouts),
    ),
  );
}

/**
 * Returns when the session expires. If a timeout was shortened since the row was written, the shorter
 * one applies at once; a longer one applies from the next touch.
 */
export function expiryOf(session: Times, timeouts: Timeouts): Date {
  return new Date(expiryMsOf(session, timeouts));
}

// A number, because every request computes it and Date objects cost more than the rest of the look-up.
function expiryMsOf(session: Times, timeouts: Timeouts): number {
  return Math.min(
    session.lastSeenAt.getTime() + idleMsOf(session, timeouts),
    session.createdAt.getTime() + lifetimeMsOf(session, timeouts),
    session.expiresAt.getTime(),
  );
}

/**
 * True from the exact millisecond of expiry. Also true if a time is invalid (a damaged row, a wrong
 * configuration): a session whose expiry cannot be computed is not valid.
 */
export function isExpired(session: Times, now: Date, timeouts: Timeouts): boolean {
  return !(now.getTime() < expiryMsOf(session, timeouts));
}

/** True if the session expired by its idle timeout; false if it is live or reached its lifetime. */
export function isIdle(session: Times, now: Date, timeouts: Timeouts): boolean {
  if (!isExpired(session, now, timeouts)) return false;
  return expiryOf(session, timeouts) < lifetimeEndOf(session, timeouts);
}

/** Returns when the lifetime ends, whatever the activity. */
export function lifetimeEndOf(session: Times, timeouts: Timeouts): Date {
  return new Date(session.createdAt.getTime() + lifetimeMsOf(session, timeouts));
}

/**
 * True while the last full proof of identity is recent enough for sensitive actions. False if that
 * proof is more than a minute in the future (the clock jumped back): in doubt, ask again.
 */
export function isFresh(
  session: Pick<Session, 'reauthenticatedAt'>,
  now: Date,
  timeouts: Timeouts,
): boolean {
  const ageMs = now.getTime() - session.reauthenticatedAt.getTime();
  return ageMs > -MINUTE_MS && ageMs < timeouts.freshMs;
}

/** True if activity at `now` must be written to the store. Never true after a clock jumped back. */
export function isDueForTouch(
  session: Pick<Session, 'lastSeenAt'>,
  now: Date,
  timeouts: Timeouts,
): boolean {
  return now.getTime() - session.lastSeenAt.getTime() >= timeouts.touchIntervalMs;
}

/** Returns how and when the session ended; null while it is live. */
export function endingOf(session: Session, now: Date, timeouts: Timeouts): SessionEnd | null {
  if (session.revokedAt) {
    return {
      at: session.revokedAt,
      reason: session.revokedReason ?? 'signed-out-elsewhere',
      by: session.revokedBy,
    };
  }
  if (isExpired(session, now, timeouts)) {
    return { at: expiryOf(session, timeouts), reason: 'expired', by: null };
  }
  return null;
}

/** True while the session's token is accepted. */
export function isLive(session: Session, now: Date, timeouts: Timeouts): boolean {
  return endingOf(session, now, timeouts) === null;
}

/** Returns the session without its hash: the part that may leave the engine. */
export function withoutSecret<Meta>(record: SessionRecord<Meta>): Session<Meta> {
  // Field by field: `...rest` takes ten times as long, and every request calls this.
  return {
    id: record.id,
    userId: record.userId,
    label: record.label,
    userAgent: record.userAgent,
    ipAddress: record.ipAddress,
    country: record.country,
    remember: record.remember,
    createdAt: record.createdAt,
    lastSeenAt: record.lastSeenAt,
    expiresAt: record.expiresAt,
    reauthenticatedAt: record.reauthenticatedAt,
    revokedAt: record.revokedAt,
    revokedReason: record.revokedReason,
    revokedBy: record.revokedBy,
    meta: record.meta,
  };
}
