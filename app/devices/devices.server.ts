import type { PageContext } from '#app/context.server.ts';
import type { EndReason } from '#app/sessions/index.ts';
import { recordActivity } from '#app/activity/record-activity.server.ts';

/**
 * Signs out every device of the user but this one, and writes it down. Answers how many they were.
 *
 * @param currentId null: whoever asks is no device, so that none is left.
 * @param by public id of the session, or token, that asks for it.
 */
export async function signOutOthers(
  context: PageContext,
  userId: string,
  currentId: string | null,
  reason: EndReason,
  by = currentId ?? undefined,
): Promise<number> {
  const ended = await context.sessions.revokeOthers(userId, currentId, { reason, by }, context.now);
  if (ended.length > 0) {
    await recordActivity(context, userId, { kind: 'sessions-ended', count: ended.length }, by);
  }
  return ended.length;
}
