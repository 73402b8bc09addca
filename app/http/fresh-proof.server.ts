import {
  redirect,
  type ActionFunctionArgs,
  type LoaderFunctionArgs,
  type TypedResponse,
} from '@remix-run/node';
import type { LatchkeyContext } from '#app/context.server.ts';
import { requireSession, type SignedIn } from './signed-in.server.ts';
import { findKeptForm, keepForm } from './kept-form.server.ts';
import { loginPathFor, pageOf, safeRedirectTo } from './return-path.server.ts';
import { renewSession } from '#app/sign-in/sign-in.server.ts';

/** Has the browser send the same form on, as a POST (RFC 9110 §15.4.8). */
const TEMPORARY_REDIRECT = 307;

/**
 * The session of this request, if its person proved who they are within the last quarter of an hour;
 * else a redirect to the page that asks for proof, which comes back to what was being done: a page,
 * or a form with all that was typed. Use it in place of `requireSession` in the loaders and actions
 * of whatever is sensitive, before the form is read.
 *
 * @throws {Response} 302 to /confirm, or to /login when nobody is signed in.
 * @throws {StoreUnavailableError} when that cannot be told; answered with 503.
 */
export async function requireFresh(
  args: LoaderFunctionArgs | ActionFunctionArgs,
): Promise<SignedIn> {
  const { context, request } = args;
  const signedIn = await requireSession(args);
  const { session } = signedIn;
  if (context.sessions.isFresh(session, context.now)) return signedIn;
  const redirectTo = safeRedirectTo(pageOf(request, context.origin));
  const isForm = request.method === 'POST';
  const kept = isForm ? await keepForm(context, request, session.id) : null;
  // A form that was kept earlier is not what is being done now.
  const cookie = kept ?? context.cookies.keptForm.clear();
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- Remix's way to leave a loader
  throw redirect(`/confirm?${new URLSearchParams({ redirectTo })}`, {
    headers: { 'Set-Cookie': cookie },
  });
}

/**
 * On with what was being done, after a fresh proof: under a new token (ASVS 5.0, 7.2.4), to the form
 * that was kept or else to the page; to /login when the session ended meanwhile.
 */
export async function goOn(
  context: LatchkeyContext,
  request: Request,
  redirectTo: unknown,
): Promise<TypedResponse<never>> {
  const held = await context.session();
  const cookie = await renewSession(context, { isProven: true });
  if (cookie === null || held.state !== 'live') {
    return redirect(loginPathFor(request, context.origin));
  }
  const headers = { 'Set-Cookie': cookie };
  const kept = findKeptForm(context, request, held.session.id);
  return kept
    ? redirect(kept.path, { status: TEMPORARY_REDIRECT, headers })
    : redirect(safeRedirectTo(redirectTo), { headers });
}
