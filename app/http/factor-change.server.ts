import type { ActivityEvent } from '#app/account/activity.server.ts';
import type { LatchkeyContext } from '#app/context.server.ts';
import type { SignedIn } from './guards.server.ts';
import { noteActivity } from './note-activity.server.ts';
import { signOutOthers as endOtherSessions } from './sign-out-others.server.ts';

/**
 * What follows when somebody's way of signing in has changed: it is written down, and every other
 * device is signed out if the person wants that (ASVS 7.4.3). Answers how many were; null: the
 * person did not.
 */
export async function afterFactorChange(
  context: LatchkeyContext,
  { person, session }: SignedIn,
  event: ActivityEvent,
  { signOutOthers }: { signOutOthers: boolean },
): Promise<number | null> {
  await noteActivity(context, person.id, event);
  if (!signOutOthers) return null;
  return endOtherSessions(context, person.id, session.id, 'signed-out-elsewhere');
}
