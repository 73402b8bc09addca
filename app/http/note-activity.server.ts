import type { ActivityEvent } from '#app/account/activity.server.ts';
import type { LatchkeyContext } from '#app/context.server.ts';

/**
 * Writes down what has just happened to an account, and tells its owner by mail where that is due.
 * Call it after the fact: it must have happened.
 *
 * @param sessionId the session in which it happened; left out: that of this request, if it is live.
 */
export async function noteActivity(
  context: LatchkeyContext,
  userId: string,
  event: ActivityEvent,
  sessionId?: string,
): Promise<void> {
  const held = await context.session();
  const current = held.state === 'live' ? held.session.id : null;
  const { userAgent, ipAddress, country } = context.device;
  const source = { userAgent, ipAddress, country, sessionId: sessionId ?? current };
  await context.activity.record(userId, event, source, context.now);
}
