import type { ActivityEvent } from '#app/account/activity.server.ts';
import type { LatchkeyContext } from '#app/context.server.ts';
import type { SignedIn } from './guards.server.ts';
import { noteActivity } from './note-activity.server.ts';

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
  const ended = await context.sessions.revokeOthers(
    person.id,
    session.id,
    { reason: 'signed-out-elsewhere' },
    context.now,
  );
  if (ended.length > 0) {
    await noteActivity(context, person.id, { kind: 'sessions-ended', count: ended.length });
  }
  return ended.length;
}
