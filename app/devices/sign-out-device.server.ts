import type { PageContext } from '#app/context.server.ts';
import { recordActivity } from '#app/activity/record-activity.server.ts';

interface Target {
  /** Public id of the session that is to end. */
  id: string;
  userId: string;
  /** What it is called in the log. */
  device: string;
}

/**
 * Signs another device of this user out and writes it down. False when it was over already.
 *
 * @param by public id of the session, or token, that asks for it.
 */
export async function signOutDevice(
  context: PageContext,
  { id, userId, device }: Target,
  by: string,
): Promise<boolean> {
  const revocation = { reason: 'signed-out-elsewhere', by, userId } as const;
  const isEnded = await context.sessions.revoke(id, revocation, context.now);
  if (isEnded) await recordActivity(context, userId, { kind: 'session-ended', device }, by);
  return isEnded;
}
