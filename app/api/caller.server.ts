import type { Request } from 'express';
import { readScopes, type TokenMeta, type TokenScope } from '#app/tokens/token-schema.ts';
import type { User } from '#app/visit/user.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { ApiApp } from './api-app.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import { readBearer, type Bearer } from './bearer.server.ts';
import { isSameOrigin } from '#app/http/same-origin.server.ts';
import type { Session } from '#app/sessions/index.ts';

/** The session or token that a request was authenticated with. */
export type Caller =
  | { by: 'session'; via: 'bearer' | 'cookie'; session: Session<SessionMeta>; user: User }
  | { by: 'token'; session: Session<TokenMeta>; user: User; scopes: TokenScope[] };

/** The credentials that a request carries. If there are two, the bearer token counts. */
export interface RequestCredentials {
  bearer: Bearer | null;
  /** The token of the session cookie; `null` if there is none, or a bearer token takes precedence. */
  cookie: string | null;
}

/** Reads the credentials from the headers, unchecked. */
export function readCredentials(
  request: Request,
  { sessionCookie }: Pick<ApiApp, 'sessionCookie'>,
): RequestCredentials {
  const bearer = readBearer(request.get('authorization'));
  return { bearer, cookie: bearer ? null : sessionCookie.read(request.headers.cookie) };
}

/**
 * False for a request with cookies, or from a browser, that no page of this application sent. A bearer
 * token is only sent by a program that holds it.
 */
export function isTrustedSource(
  request: Request,
  { bearer }: RequestCredentials,
  origin: string,
): boolean {
  if (bearer) return true;
  const source = {
    method: request.method,
    origin: request.get('origin'),
    fetchSite: request.get('sec-fetch-site'),
  };
  const isBrowser = source.origin !== undefined || source.fetchSite !== undefined;
  const hasCookies = request.headers.cookie !== undefined;
  return (!isBrowser && !hasCookies) || isSameOrigin(source, origin);
}

/**
 * Returns who sent the request; `null` if the credentials are missing or not valid.
 *
 * @throws {StoreUnavailableError} if the store is down.
 */
export async function findCaller(
  { tokenSessions }: Pick<ApiApp, 'tokenSessions'>,
  visit: Visit,
  { bearer }: RequestCredentials,
): Promise<Caller | null> {
  if (bearer?.kind === 'token') {
    const resumed = await tokenSessions.resume(bearer.token, visit.now);
    if (resumed.state !== 'live' || !resumed.user) return null;
    const { session, user } = resumed;
    return { by: 'token', session, user, scopes: readScopes(session.meta) };
  }
  const resumed = await visit.session();
  if (resumed.state !== 'live' || !resumed.user) return null;
  const { session, user } = resumed;
  return { by: 'session', via: bearer ? 'bearer' : 'cookie', session, user };
}
