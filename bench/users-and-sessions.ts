import { createHash } from 'node:crypto';
import { formatToken, hashSecret } from '../app/sessions/token.ts';
import { passwordProof, type SessionMeta } from '../app/visit/proof.ts';
import { digestOf, type Filler, type Rows } from './filling.ts';

/** The same for every session, which changes neither the size nor the speed of a row. */
const SECRET = createHash('sha256').update('the bench').digest('base64url');
const USER_AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';

/** The times of a session, in milliseconds, as SQL in which `n` is its number. */
export interface Times {
  createdAt: string;
  lastSeenAt: string;
  expiresAt: string;
  /** SQL too; it may be NULL for some. */
  revokedAt: string;
}

export const userIdOf = (number: number): string => digestOf(`user ${number}`);
export const emailOf = (number: number): string => `user-${number}@example.com`;
export const sessionIdOf = (number: number): string => digestOf(`session ${number}`);
/** Returns the token of the session with this number. */
export const tokenOf = (number: number): string =>
  formatToken({ id: sessionIdOf(number), secret: SECRET });

/** Returns SQL for an integer from 0 to below `range` that varies with `n` in no visible order. */
export const spread = (range: number): string => `((n * 2654435761) % ${range})`;

/** Inserts the users with these numbers. */
export async function addUsers(filler: Filler, rows: Rows, nowMs: number): Promise<void> {
  const time = filler.time(String(nowMs));
  await filler.insert('User', rows, {
    id: filler.digest(`'user ' || n`),
    email: `'user-' || n || '@example.com'`,
    name: `'User ' || n`,
    createdAt: time,
    updatedAt: time,
    emailVerifiedAt: time,
  });
}

/**
 * Inserts the sessions with these numbers, as remembered devices that signed in with a password.
 *
 * @param options.user SQL for the number of the user of session `n`.
 */
export async function addSessions(
  filler: Filler,
  rows: Rows,
  { user, times }: { user: string; times: Times },
): Promise<void> {
  const meta: SessionMeta = { proof: passwordProof };
  const isRevoked = `(${times.revokedAt}) IS NOT NULL`;
  await filler.insert('Session', rows, {
    id: filler.digest(`'session ' || n`),
    secretHash: `'${hashSecret(SECRET)}'`,
    userId: filler.digest(`'user ' || (${user})`),
    userAgent: `'${USER_AGENT}'`,
    ipAddress: `'198.51.100.' || (n % 256)`,
    country: `'DE'`,
    remember: 'TRUE',
    createdAt: filler.time(times.createdAt),
    lastSeenAt: filler.time(times.lastSeenAt),
    expiresAt: filler.time(times.expiresAt),
    reauthenticatedAt: filler.time(times.createdAt),
    revokedAt: filler.time(times.revokedAt),
    revokedReason: `CASE WHEN ${isRevoked} THEN 'signed-out' END`,
    revokedBy: `CASE WHEN ${isRevoked} THEN ${filler.digest(`'session ' || n`)} END`,
    meta: `'${JSON.stringify(meta)}'`,
  });
}
