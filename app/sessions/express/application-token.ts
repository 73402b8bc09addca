import { createHash } from 'node:crypto';
import { createToken, formatToken, parseToken, type Token } from '../token.ts';

/** Returns a new session id for the cookie of an Express application: a token from a CSPRNG. */
export function generateSid(): string {
  return formatToken(createToken());
}

/**
 * Returns the token of the row for a session id of this application; null if it is not a session id.
 *
 * Its secret is a one-way hash of the application's name and the secret in the cookie. So applications
 * that share the table do not accept each other's cookies.
 */
export function applicationToken(application: string, sid: string): Token | null {
  const token = parseToken(sid);
  if (!token) return null;
  const secret = createHash('sha256')
    .update(`latchkey express ${JSON.stringify([application, token.secret])}`)
    .digest('base64url');
  return { id: token.id, secret };
}
