import type { LatchkeyContext } from '#app/context.server.ts';
import type { Session } from '#app/sessions/index.ts';

/** Anything else names no session; a database may not even take it (PostgreSQL: no NUL in a text). */
const SESSION_ID = /^[\w-]{1,64}$/;

/**
 * A session of this person, live or ended.
 *
 * @throws {Response} 404, the same for an id of somebody else's and one that never was.
 */
export async function findOwnSession(
  { sessions }: LatchkeyContext,
  userId: string,
  id: string | undefined,
): Promise<Session> {
  const session = id && SESSION_ID.test(id) ? await sessions.find(id, userId) : null;

  if (!session) throw new Response(null, { status: 404, statusText: 'Not Found' });
  return session;
}
