import type { LatchkeyContext } from '#app/context.server.ts';
import type { SignedIn } from './guards.server.ts';
import { renewSession } from './sign-in.server.ts';
import { signOutOthers as endOtherSessions } from './sign-out-others.server.ts';

/**
 * What follows when a way to sign in was added or taken away: a new token for this browser, and, if
 * the person wants it, the end of all other sessions.
 *
 * @returns headers with the new token's cookie, and how many others ended (null: none was to); null
 *   when this session itself ended meanwhile.
 */
export async function renewAfterChange(
  context: LatchkeyContext,
  { person, session }: SignedIn,
  signOutOthers: boolean,
): Promise<{ headers: Headers; count: number | null } | null> {
  const cookie = await renewSession(context);
  if (cookie === null) return null;
  const count = signOutOthers
    ? await endOtherSessions(context, person.id, session.id, 'signed-out-elsewhere')
    : null;
  return { headers: new Headers({ 'Set-Cookie': cookie }), count };
}
