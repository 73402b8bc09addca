import type { Logger } from 'pino';
import type { ResumedSession, Session } from '#app/sessions/index.ts';
import type { CookieJar } from './cookie-jar.ts';
import type { SessionMeta } from './proof.ts';
import type { User } from './user.ts';

/** The device that sent a request. */
interface Device {
  userAgent: string;
  /** `''` if it is unknown. */
  ipAddress: string;
  /** ISO 3166-1 alpha-2; `null` if it is unknown. */
  country: string | null;
}

/** One request, as far as a feature may know it. */
export interface Visit {
  /** The time at which the request arrived. */
  readonly now: Date;
  readonly device: Device;
  /** The session token that the request carries, unchecked; `null` without one. */
  readonly token: string | null;
  /** The request's `Cookie` header; `null` without one. */
  readonly cookieHeader: string | null;
  /**
   * Returns what the token is worth. Looked up once a request, however often it is called.
   *
   * @throws {StoreUnavailableError} if the store is down.
   */
  session(): Promise<ResumedSession<SessionMeta, User>>;
  readonly jar: CookieJar;
  /** Attempts that were counted and not decided yet; an outage refunds them. */
  readonly openAttempts: Set<() => Promise<void>>;
  /** Writes the request's id into every line. */
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** A signed-in user, and the session of this request. */
export interface SignedIn {
  session: Session<SessionMeta>;
  user: User;
}

/**
 * Returns the signed-in user; `null` if there is none.
 *
 * @throws {StoreUnavailableError} if the store is down.
 */
export async function findSignedIn(visit: Pick<Visit, 'session'>): Promise<SignedIn | null> {
  const resumed = await visit.session();
  if (resumed.state !== 'live' || !resumed.user) return null;
  return { session: resumed.session, user: resumed.user };
}

/**
 * Returns the signed-in user of a route that requires a session: the guard has checked it before.
 *
 * @throws {TypeError} in a route that `routes.ts` calls open.
 * @throws {StoreUnavailableError} if the store is down.
 */
export async function requireSignedIn(visit: Pick<Visit, 'session'>): Promise<SignedIn> {
  const signedIn = await findSignedIn(visit);
  if (!signedIn) throw new TypeError('This route is open to everyone: use findSignedIn.');
  return signedIn;
}
