import { redirect } from '@remix-run/node';
import type { PageContext } from '#app/context.server.ts';
import { requireSignedIn, type SignedIn } from './signed-in.server.ts';
import { saveForm } from './kept-form.server.ts';
import { pagePath, safeReturnPath } from './return-path.server.ts';

/**
 * The session of this request, if its person proved who they are within the last quarter of an hour;
 * else a redirect to the page that asks for proof, which comes back to what was being done: a page,
 * or a form with all that was typed. The guard calls it for the routes that `routes.ts` marks.
 *
 * @throws {Response} 302 to /confirm, or to /login when nobody is signed in.
 * @throws {StoreUnavailableError} when that cannot be told; answered with 503.
 */
export async function requireFresh(args: {
  request: Request;
  context: PageContext;
}): Promise<SignedIn> {
  const { context, request } = args;
  const signedIn = await requireSignedIn(args);
  const { session } = signedIn;
  if (context.sessions.isFresh(session, context.now)) return signedIn;
  const redirectTo = safeReturnPath(pagePath(request, context.origin));
  const isForm = request.method === 'POST';
  const kept = isForm ? await saveForm(context, request, session.id) : null;
  // A form that was kept earlier is not what is being done now.
  const cookie = kept ?? context.cookies.keptForm.clear();
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- Remix's way to leave a loader
  throw redirect(`/confirm?${new URLSearchParams({ redirectTo })}`, {
    headers: { 'Set-Cookie': cookie },
  });
}
