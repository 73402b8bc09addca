import { redirect, type ActionFunctionArgs, type LoaderFunctionArgs } from '@remix-run/node';
import { requireSession, type SignedIn } from './guards.server.ts';
import { safeRedirectTo } from './redirect-to.server.ts';

/**
 * The session of this request, if its person proved who they are within the last quarter of an hour;
 * else a redirect to the page that asks for proof, which comes back to what was being done. Use it in
 * place of `requireSession` in the loaders and actions of whatever is sensitive, before the form is
 * read.
 *
 * @throws {Response} 302 to /confirm, or to /login when nobody is signed in.
 * @throws {StoreUnavailableError} when that cannot be told; answered with 503.
 */
export async function requireFresh(
  args: LoaderFunctionArgs | ActionFunctionArgs,
): Promise<SignedIn> {
  const { context, request } = args;
  const signedIn = await requireSession(args);
  if (context.sessions.isFresh(signedIn.session, context.now)) return signedIn;
  const { pathname, search } = new URL(request.url);
  const redirectTo = safeRedirectTo(pathname + search);
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- Remix's way to leave a loader
  throw redirect(`/confirm?${new URLSearchParams({ redirectTo })}`);
}
