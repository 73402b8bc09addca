import type { LatchkeyContext } from '#app/context.server.ts';
import type { EndReason } from '#app/sessions/index.ts';
import { noteActivity } from './note-activity.server.ts';

/** Signs out every device of the user but this one, and writes it down. Answers how many they were. */
export async function signOutOthers(
  context: LatchkeyContext,
  userId: string,
  currentId: string,
  reason: EndReason,
): Promise<number> {
  const ended = await context.sessions.revokeOthers(userId, currentId, { reason }, context.now);
  if (ended.length > 0) {
    await noteActivity(context, userId, { kind: 'sessions-ended', count: ended.length });
  }
  return ended.length;
}
