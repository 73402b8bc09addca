import { createHash } from 'node:crypto';
import { createToken, formatToken, parseToken, type Token } from '../token.ts';

/** A new session id for the cookie of an Express application: a token, of a CSPRNG. */
export function generateSid(): string {
  return formatToken(createToken());
}

/**
 * The token of the row that a session id of this application stands for; null when it is none.
 *
 * Its secret is derived from the one in the cookie, one way, and with the application's name: a cookie of
 * one application opens nothing in another that shares the table, nor the other way round.
 */
export function applicationToken(application: string, sid: string): Token | null {
  const token = parseToken(sid);
  if (!token) return null;
  const secret = createHash('sha256')
    .update(`latchkey express ${JSON.stringify([application, token.secret])}`)
    .digest('base64url');
  return { id: token.id, secret };
}
