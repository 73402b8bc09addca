import { createHmac } from 'node:crypto';

/**
 * Returns the text that bcrypt hashes in place of the password: HMAC-SHA-256 under the pepper, base64,
 * 44 characters. bcrypt ignores everything after 72 bytes or a zero byte; with the digest every byte of
 * a password counts, exactly as typed (OWASP Password Storage: pre-hashing with a pepper).
 */
export function passwordDigest(password: string, pepper: string): string {
  return createHmac('sha256', pepper).update(password, 'utf8').digest('base64');
}
