import type { PageContext } from '#app/context.server.ts';
import type { Activity } from './activity-log.server.ts';

/**
 * An entry of this person's activity log.
 *
 * @throws {Response} 404, the same for an id of somebody else's and one that never was.
 */
export async function findOwnActivity(
  { activity }: PageContext,
  userId: string,
  id: string | undefined,
): Promise<Activity> {
  const entry = id === undefined ? null : await activity.find(id, userId);
  if (!entry) throw new Response(null, { status: 404, statusText: 'Not Found' });
  return entry;
}
