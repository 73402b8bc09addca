import type { ActivityEvent } from '#app/activity/activity-log.server.ts';
import type { PageContext } from '#app/context.server.ts';
import type { SignedIn } from '#app/http/signed-in.server.ts';
import { revokeTokens } from '#app/tokens/access-tokens.server.ts';
import { recordActivity } from '#app/activity/record-activity.server.ts';
import { renewSession } from './sign-in.server.ts';
import { signOutOthers as endOtherSessions } from '#app/devices/devices.server.ts';

/**
 * What follows when somebody's way of signing in has changed: it is written down, every other device
 * is signed out, and every access token revoked, if the person wants that (ASVS 7.4.3), and this one goes on under a new token
 * (7.2.4), no fresher than it was.
 *
 * @returns how many others were signed out (null: none was to be), and headers for the answer. They
 *   bring no token when this session ended meanwhile: the next page asks for a sign-in then.
 */
export async function finishSecurityChange(
  context: PageContext,
  { user, session }: SignedIn,
  event: ActivityEvent,
  { signOutOthers, endTokens = false }: { signOutOthers: boolean; endTokens?: boolean },
): Promise<{ headers: Headers; count: number | null }> {
  await recordActivity(context, user.id, event);
  const reason = event.kind === 'password-changed' ? event.kind : 'signed-out-elsewhere';
  const count = signOutOthers ? await endOtherSessions(context, user.id, session.id, reason) : null;
  if (endTokens) await revokeTokens(context, user.id, session.id, reason);
  // Last: from here on nothing fails that would cost the browser its new token.
  const cookie = await renewSession(context);
  return { headers: new Headers(cookie === null ? {} : { 'Set-Cookie': cookie }), count };
}
