import type { SessionData } from 'express-session';
import { DAY_MS } from '../session.ts';

const ROUNDINGS = [10, 100, 1000];

export interface ExpiryOptions<Options> {
  /**
   * Milliseconds from the last request to expiry, or a function that returns them. Default: the `maxAge`
   * of the session's cookie, or one day if it has none.
   */
  ttl?: number | ((options: Options, session: SessionData, sid: string) => number);
  /** Rounds the time of expiry down to a multiple of this, in milliseconds. Default: no rounding. */
  roundTTL?: 10 | 100 | 1000;
}

/** Computes when sessions expire. */
export interface Expiry {
  /** Returns when the session expires. @throws TypeError if the function `ttl` returns no number. */
  of(session: SessionData, sid: string, now: Date): Date;
  /**
   * Sets the expiry of a stored session's cookie from the row's expiry. A touch updates only the row's
   * expiry, not the stored session.
   */
  applyTo(session: SessionData, expiresAt: Date): void;
}

/** Returns the rules for expiry. @throws TypeError that names the invalid option. */
export function expiryFrom<Options extends ExpiryOptions<Options>>(options: Options): Expiry {
  const { ttl, roundTTL } = options;
  if (ttl !== undefined && typeof ttl !== 'function' && !Number.isFinite(ttl)) {
    throw new TypeError('ttl must be a number of milliseconds, or a function that returns one.');
  }
  if (roundTTL !== undefined && !ROUNDINGS.includes(roundTTL)) {
    throw new TypeError('roundTTL must be 10, 100 or 1000.');
  }

  const ttlOf = (session: SessionData, sid: string): number => {
    if (typeof ttl === 'number') return ttl;
    if (ttl === undefined) return maxAgeOf(session) ?? DAY_MS;
    const ttlMs = ttl(options, session, sid);
    if (!Number.isFinite(ttlMs)) throw new TypeError('ttl() must return a number.');
    return ttlMs;
  };

  return {
    of(session, sid, now) {
      const expiresMs = now.getTime() + ttlOf(session, sid);
      // Rounds down, so that a session never outlives its cookie.
      return new Date(Math.floor(expiresMs / (roundTTL ?? 1)) * (roundTTL ?? 1));
    },

    applyTo({ cookie }, expiresAt) {
      const maxAgeMs = cookie.originalMaxAge;
      if (typeof maxAgeMs !== 'number' || typeof ttl === 'function') return;
      const expires = new Date(expiresAt.getTime() - (ttl ?? maxAgeMs) + maxAgeMs);
      // As text, like JSON, unless a custom serializer kept a Date.
      const stored = cookie as { expires?: unknown };
      stored.expires = stored.expires instanceof Date ? expires : expires.toISOString();
    },
  };
}

/** Returns the `maxAge` of the session's cookie, in use or as stored; null if it has none. */
function maxAgeOf(session: SessionData): number | null {
  const { maxAge, originalMaxAge } = (session as Partial<SessionData>).cookie ?? {};
  const maxAgeMs = typeof maxAge === 'number' ? maxAge : originalMaxAge;
  return typeof maxAgeMs === 'number' && Number.isFinite(maxAgeMs) ? Math.floor(maxAgeMs) : null;
}
