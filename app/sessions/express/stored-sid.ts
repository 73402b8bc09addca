import { createHash } from 'node:crypto';

const PREFIX = 'sha256.';

/**
 * Returns what the column `sid` stores for a session id: its SHA-256. A leak of the table reveals no id
 * that works in a cookie.
 */
export function storedSid(sid: string): string {
  return PREFIX + createHash('sha256').update(sid).digest('base64url');
}

/**
 * True for a result of {@link storedSid}. The store must never accept one as a session id, or values
 * read in the table would work as ids.
 */
export function isStoredSid(text: string): boolean {
  return text.startsWith(PREFIX);
}
