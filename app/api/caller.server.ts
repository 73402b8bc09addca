import type { Request } from 'express';
import { readScopes, type TokenMeta, type TokenScope } from '#app/tokens/token-schema.ts';
import type { PageContext, User } from '#app/context.server.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import { readBearer, type Bearer } from './bearer.server.ts';
import { isSameOrigin } from '#app/http/same-origin.server.ts';
import type { Session } from '#app/sessions/index.ts';

/** Whoever asks, once that is known. */
export type Caller =
  | { by: 'session'; via: 'bearer' | 'cookie'; session: Session<SessionMeta>; user: User }
  | { by: 'token'; session: Session<TokenMeta>; user: User; scopes: TokenScope[] };

/** What a request brings to show who asks. Where it brings both, the bearer counts. */
export interface RequestCredentials {
  bearer: Bearer | null;
  /** The token of the session cookie; null: none, or a bearer stands in front of it. */
  cookie: string | null;
}

/** Looks at the headers, and believes nothing yet. */
export function readCredentials(
  request: Request,
  { sessionCookie }: Pick<PageContext, 'sessionCookie'>,
): RequestCredentials {
  const bearer = readBearer(request.get('authorization'));
  return { bearer, cookie: bearer ? null : sessionCookie.read(request.headers.cookie) };
}

/**
 * True unless it may change something by a cookie, or in a browser, without coming from a page of this
 * application. A bearer is sent by nobody who does not hold it.
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
 * Who asks; null: nobody who is signed in.
 *
 * @throws {StoreUnavailableError} when that cannot be told.
 */
export async function findCaller(
  context: PageContext,
  { bearer }: RequestCredentials,
): Promise<Caller | null> {
  if (bearer?.kind === 'token') {
    const resumed = await context.tokens.resume(bearer.token, context.now);
    if (resumed.state !== 'live' || !resumed.user) return null;
    const { session, user } = resumed;
    return { by: 'token', session, user, scopes: readScopes(session.meta) };
  }
  const resumed = await context.session();
  if (resumed.state !== 'live' || !resumed.user) return null;
  const { session, user } = resumed;
  return { by: 'session', via: bearer ? 'bearer' : 'cookie', session, user };
}
