import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './time.ts';
/**
 * What a session is, and every rule of its life as a pure function of (session, now).
 *
 * Nothing here reads a clock, a store or a request: the caller takes `now` once and passes it.
 */

/** Why a session ended. `expired` needs no write: it follows from the row's times. */
export type EndReason =
  /** The person signed out on that device. */
  | 'signed-out'
  /** The person ended it from another of their devices. */
  | 'signed-out-elsewhere'
  /** The password was changed, with "sign out everywhere else". */
  | 'password-changed'
  /** A change of the e-mail was taken back; whoever made it may know the password. */
  | 'email-restored'
  /** The person said that something was not them. */
  | 'not-me'
  /** The same browser signed in again; one browser holds one session. */
  | 'replaced'
  /** The cap on live sessions was reached, and this was the least recently used. */
  | 'cap'
  /** It ran into its idle timeout or its lifetime. */
  | 'expired'
  /** The account, or all its sessions, were erased. */
  | 'erased'
  /** An administrator ended it. */
  | 'administrator';

/** When, why and by whom a session was ended. */
export interface SessionEnd {
  at: Date;
  reason: EndReason;
  /** Public id of the session that did it; null when no session did (the cap, a job, an administrator). */
  by: string | null;
}

/** A session as everything outside the engine sees it: no secret and no hash of one. */
export interface Session<Meta = unknown> {
  /** Public id. Stands in URLs; proves nothing. */
  id: string;
  userId: string;
  /** The name the person gave the device; null: none. */
  label: string | null;
  userAgent: string;
  ipAddress: string;
  /** ISO 3166-1 alpha-2; null: not known. */
  country: string | null;
  /** Which timeouts apply: true = "remember me". */
  remember: boolean;
  createdAt: Date;
  /** Last activity, to within the touch interval. */
  lastSeenAt: Date;
  /** When it ends by itself: the earlier of the idle timeout and the lifetime. */
  expiresAt: Date;
  /** The last full proof of identity. */
  reauthenticatedAt: Date;
  /** null: not revoked. Once set, never unset. */
  revokedAt: Date | null;
  revokedReason: EndReason | null;
  revokedBy: string | null;
  /** What the application keeps with the session; null: nothing. Anything JSON can carry. */
  meta: Meta | null;
}

/** A session as a store keeps it. */
export interface SessionRecord<Meta = unknown> extends Session<Meta> {
  /** SHA-256 of the token's secret half, base64url. */
  secretHash: string;
}

export { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS };

/** How long a session lasts. All in milliseconds. */
export interface Timeouts {
  /** Without activity, when the person asked to be remembered. */
  rememberedIdleMs: number;
  /** At the longest, whatever the activity, when the person asked to be remembered. */
  rememberedLifetimeMs: number;
  /** Without activity, otherwise. */
  idleMs: number;
  /** At the longest, otherwise. */
  lifetimeMs: number;
  /** How long a full proof of identity counts as recent. */
  freshMs: number;
  /** Activity is written down at most this often. */
  touchIntervalMs: number;
}

/** Defaults; the reasons stand in docs/decisions. */
export const defaultTimeouts: Timeouts = {
  rememberedIdleMs: 14 * DAY_MS,
  rememberedLifetimeMs: 30 * DAY_MS,
  idleMs: HOUR_MS,
  lifetimeMs: 24 * HOUR_MS,
  freshMs: 15 * MINUTE_MS,
  touchIntervalMs: MINUTE_MS,
};

/**
 * The timeouts with their defaults filled in; what is absent or undefined keeps its default.
 *
 * Activity must be written down at least twice in the shortest idle timeout, or someone at work
 * would be signed out for idleness; a longer `touchIntervalMs` is shortened to that.
 *
 * @throws RangeError naming the setting that is not a number of milliseconds above zero.
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
 * When a session last seen at `lastSeenAt` ends by itself: the idle timeout after that, and never
 * later than its lifetime after it began (invariant I3).
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
 * When the session ends by itself. A timeout that was shortened since the row was written counts
 * at once; one that was lengthened counts from the next touch.
 */
export function expiryOf(session: Times, timeouts: Timeouts): Date {
  return new Date(expiryMsOf(session, timeouts));
}

// As a number: every request reckons it, and dates are costlier than the rest of the look-up.
function expiryMsOf(session: Times, timeouts: Timeouts): number {
  return Math.min(
    session.lastSeenAt.getTime() + idleMsOf(session, timeouts),
    session.createdAt.getTime() + lifetimeMsOf(session, timeouts),
    session.expiresAt.getTime(),
  );
}

/**
 * True from the very millisecond of its expiry on. Also true when a time is no time (a damaged
 * row, a configuration that slipped through): what cannot be reckoned lets nobody in.
 */
export function isExpired(session: Times, now: Date, timeouts: Timeouts): boolean {
  return !(now.getTime() < expiryMsOf(session, timeouts));
}

/** True when it ran out for want of activity; false when it still runs or reached its lifetime. */
export function isIdle(session: Times, now: Date, timeouts: Timeouts): boolean {
  if (!isExpired(session, now, timeouts)) return false;
  return expiryOf(session, timeouts) < lifetimeEndOf(session, timeouts);
}

/** When the lifetime ends, whatever the activity. */
export function lifetimeEndOf(session: Times, timeouts: Timeouts): Date {
  return new Date(session.createdAt.getTime() + lifetimeMsOf(session, timeouts));
}

/**
 * True while the last full proof of identity is recent enough for sensitive actions. A proof more
 * than a minute in the future (a clock that jumped back) is not: when in doubt, ask.
 */
export function isFresh(
  session: Pick<Session, 'reauthenticatedAt'>,
  now: Date,
  timeouts: Timeouts,
): boolean {
  const ageMs = now.getTime() - session.reauthenticatedAt.getTime();
  return ageMs > -MINUTE_MS && ageMs < timeouts.freshMs;
}

/** True when activity at `now` is worth writing down. Never true for a clock that jumped back. */
export function isDueForTouch(
  session: Pick<Session, 'lastSeenAt'>,
  now: Date,
  timeouts: Timeouts,
): boolean {
  return now.getTime() - session.lastSeenAt.getTime() >= timeouts.touchIntervalMs;
}

/** How and when the session ended; null while it is live. */
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

/** True while its token opens the door. */
export function isLive(session: Session, now: Date, timeouts: Timeouts): boolean {
  return endingOf(session, now, timeouts) === null;
}

/** The session without its hash: what may leave the engine. */
export function withoutSecret<Meta>(record: SessionRecord<Meta>): Session<Meta> {
  // Field by field: `...rest` takes ten times as long, and every request comes through here.
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
