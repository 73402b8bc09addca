import type { PageContext } from '#app/context.server.ts';
import type { OwnPasskey } from './passkeys.server.ts';

/** Of a credential id, in base64url: nothing else is worth a question to the database. */
const ID = /^[\w-]{1,1364}$/;

/**
 * A passkey of this person.
 *
 * @throws {Response} 404, the same for an id of somebody else's and one that never was.
 */
export async function findOwnPasskey(
  { passkeys }: PageContext,
  userId: string,
  id = '',
): Promise<OwnPasskey> {
  const passkey = ID.test(id) ? await passkeys.find(userId, id) : null;

  if (!passkey) throw new Response(null, { status: 404, statusText: 'Not Found' });
  return passkey;
}
