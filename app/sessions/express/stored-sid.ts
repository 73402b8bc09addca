import { createHash } from 'node:crypto';

const PREFIX = 'sha256.';

/**
 * What stands in the column `sid` in place of a session id: its SHA-256. Whoever reads the table
 * learns no id that a cookie could carry.
 */
export function storedSid(sid: string): string {
  return PREFIX + createHash('sha256').update(sid).digest('base64url');
}

/**
 * True for what {@link storedSid} makes. Such a value is never taken for a session id: else what
 * was read in the table would be one.
 */
export function isStoredSid(text: string): boolean {
  return text.startsWith(PREFIX);
}
