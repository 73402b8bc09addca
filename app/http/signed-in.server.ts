import { redirect } from '@remix-run/node';
import type { PageContext, User } from '#app/context.server.ts';
import type { SessionMeta } from '#app/visit/proof.ts';
import type { ResumedSession, Session } from '#app/sessions/index.ts';
import { loginPath } from './return-path.server.ts';

/** Somebody who is signed in: the session that says so, and the person it belongs to. */
export interface SignedIn {
  session: Session<SessionMeta>;
  user: User;
}

interface RouteArgs {
  request: Request;
  context: PageContext;
}

/**
 * The session of this request, or a redirect to /login that comes back afterwards.
 *
 * Looked up once a request, however many loaders ask.
 *
 * @throws {Response} 302 to /login when nobody is signed in.
 * @throws {StoreUnavailableError} when that cannot be told; answered with 503.
 */
export async function requireSignedIn({ request, context }: RouteArgs): Promise<SignedIn> {
  const signedIn = signedInOf(await context.session());
  if (signedIn) return signedIn;
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- Remix's way to leave a loader
  throw redirect(loginPath(request, context.origin));
}

/** Who is signed in; null when nobody is. Throws as {@link requireSignedIn} when it cannot be told. */
export async function findSignedIn({
  context,
}: Pick<RouteArgs, 'context'>): Promise<SignedIn | null> {
  return signedInOf(await context.session());
}

function signedInOf(resumed: ResumedSession<SessionMeta, User>): SignedIn | null {
  if (resumed.state !== 'live' || !resumed.user) return null;
  return { session: resumed.session, user: resumed.user };
}
