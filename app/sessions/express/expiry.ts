import type { SessionData } from 'express-session';
import { DAY_MS } from '../session.ts';

const ROUNDINGS = [10, 100, 1000];

export interface ExpiryOptions<Options> {
  /**
   * Milliseconds from the last request, or a function that answers them. Default: the `maxAge` of the
   * session's cookie, and one day for a cookie that has none.
   */
  ttl?: number | ((options: Options, session: SessionData, sid: string) => number);
  /** Rounds the time of expiry down to a whole number of these milliseconds. Default: as it is. */
  roundTTL?: 10 | 100 | 1000;
}

/** When sessions run out. */
export interface Expiry {
  /** @throws TypeError when the function given as `ttl` answers no number. */
  of(session: SessionData, sid: string, now: Date): Date;
  /**
   * Sets the cookie of a stored session to the row's expiry, which touches move without writing the
   * session itself anew.
   */
  applyTo(session: SessionData, expiresAt: Date): void;
}

/** @throws TypeError naming the option that is neither of what it may be. */
export function expiryFrom<Options extends ExpiryOptions<Options>>(options: Options): Expiry {
  const { ttl, roundTTL } = options;
  if (ttl !== undefined && typeof ttl !== 'function' && !Number.isFinite(ttl)) {
    throw new TypeError('ttl must be a number of milliseconds, or a function that answers one.');
  }
  if (roundTTL !== undefined && !ROUNDINGS.includes(roundTTL)) {
    throw new TypeError('roundTTL must be 10, 100 or 1000.');
  }

  const ttlOf = (session: SessionData, sid: string): number => {
    if (typeof ttl === 'number') return ttl;
    if (ttl === undefined) return maxAgeOf(session) ?? DAY_MS;
    const answer = ttl(options, session, sid);
    if (!Number.isFinite(answer)) throw new TypeError('ttl() must answer a number.');
    return answer;
  };

  return {
    of(session, sid, now) {
      const expiresMs = now.getTime() + ttlOf(session, sid);
      // Down: nothing lasts longer than its cookie.
      return new Date(Math.floor(expiresMs / (roundTTL ?? 1)) * (roundTTL ?? 1));
    },

    applyTo({ cookie }, expiresAt) {
      const maxAgeMs = cookie.originalMaxAge;
      if (typeof maxAgeMs !== 'number' || typeof ttl === 'function') return;
      const expires = new Date(expiresAt.getTime() - (ttl ?? maxAgeMs) + maxAgeMs);
      // As JSON carries it, unless another serializer carried a Date.
      const stored = cookie as { expires?: unknown };
      stored.expires = stored.expires instanceof Date ? expires : expires.toISOString();
    },
  };
}

/** Of the cookie as express-session has it, or as it was stored; null: it has none. */
function maxAgeOf(session: SessionData): number | null {
  const { maxAge, originalMaxAge } = (session as Partial<SessionData>).cookie ?? {};
  const maxAgeMs = typeof maxAge === 'number' ? maxAge : originalMaxAge;
  return typeof maxAgeMs === 'number' && Number.isFinite(maxAgeMs) ? Math.floor(maxAgeMs) : null;
}
