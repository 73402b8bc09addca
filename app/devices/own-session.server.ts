import type { PageContext } from '#app/context.server.ts';
import type { Session } from '#app/sessions/index.ts';

/**
 * A session of this person, live or ended.
 *
 * @throws {Response} 404, the same for an id of somebody else's and one that never was.
 */
export async function findDevice(
  { sessions }: PageContext,
  userId: string,
  id: string | undefined,
): Promise<Session> {
  const session = id === undefined ? null : await sessions.find(id, userId);

  if (!session) throw new Response(null, { status: 404, statusText: 'Not Found' });
  return session;
}
