import { redirect, type TypedResponse } from '@remix-run/node';
import type { PageContext } from '#app/context.server.ts';
import { findSavedForm } from '#app/http/kept-form.server.ts';
import { loginPath, safeReturnPath } from '#app/http/return-path.server.ts';
import { renewSession } from './sign-in.server.ts';

/** Has the browser send the same form on, as a POST (RFC 9110 §15.4.8). */
const TEMPORARY_REDIRECT = 307;

/**
 * On with what was being done, after a fresh proof: under a new token (ASVS 5.0, 7.2.4), to the form
 * that was kept or else to the page; to /login when the session ended meanwhile.
 */
export async function continueAfterReauthentication(
  context: PageContext,
  request: Request,
  redirectTo: unknown,
): Promise<TypedResponse<never>> {
  const held = await context.session();
  const cookie = await renewSession(context, { isProven: true });
  if (cookie === null || held.state !== 'live') {
    return redirect(loginPath(request, context.origin));
  }
  const headers = { 'Set-Cookie': cookie };
  const kept = findSavedForm(context, request, held.session.id);
  return kept
    ? redirect(kept.path, { status: TEMPORARY_REDIRECT, headers })
    : redirect(safeReturnPath(redirectTo), { headers });
}
