import { randomInt } from 'node:crypto';
import * as z from 'zod';
import type { Database } from '#app/database/database.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';
import type { ReplayGuard } from '#app/database/replay-guard.server.ts';
import { createOneTimeCookie } from '#app/http/one-time-cookie.server.ts';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';
import { RECOVERY_CODE_ALPHABET, RECOVERY_CODE_CHARACTERS } from '../second-factor-schema.ts';

/** Codes for users who lost their authenticator app. They exist while the second factor is on. */
export interface RecoveryCodes {
  /** Returns how many codes are unused. */
  countLeft(userId: string): Promise<number>;
  /**
   * Uses up a code, and returns how many are left; `null` if this user has no such code, or it was used
   * before. Of concurrent requests with the same code, one succeeds.
   *
   * @param code as `recoveryCodeSchema` returns it: lower case, without separators.
   */
  use(userId: string, code: string, now: Date): Promise<{ left: number } | null>;
  /** Replaces all codes and returns the new ones, to be shown once; `null` if the second factor is off. */
  replace(userId: string, now: Date): Promise<string[] | null>;
}

/** A client or a transaction. */
type Writer = Pick<Database['client'], 'recoveryCode'>;

const CODE_COUNT = 10;
const CHARACTERS_PER_GROUP = 4;
const PURPOSE = 'recovery-code';

export function createRecoveryCodes(options: {
  db: Database['client'];
  keyring: Keyring;
}): RecoveryCodes {
  const { db, keyring } = options;
  const countLeft = (userId: string) => db.recoveryCode.count({ where: { userId, usedAt: null } });
  return {
    countLeft,
    async use(userId, code, now) {
      const codeHash = { in: keyring.digests(PURPOSE, textToDigest(userId, code)) };
      // The condition is in the write: of concurrent requests, one succeeds.
      const { count } = await db.recoveryCode.updateMany({
        where: { userId, codeHash, usedAt: null },
        data: { usedAt: now },
      });
      return count > 0 ? { left: await countLeft(userId) } : null;
    },
    replace: (userId, now) =>
      db.$transaction(async (transaction) => {
        // Changes nothing but locks the row: concurrent replacements run one after the other, and the
        // second factor cannot be turned off in between.
        const locked = await transaction.totp.updateMany({ where: { userId }, data: { userId } });
        return locked.count > 0 ? replaceRecoveryCodes(transaction, keyring, userId, now) : null;
      }),
  };
}

/**
 * Replaces all codes with ten new ones, as part of the caller's transaction. Returns them in the form
 * that the user sees; only their keyed digests are stored.
 */
export async function replaceRecoveryCodes(
  writer: Writer,
  keyring: Keyring,
  userId: string,
  now: Date,
): Promise<string[]> {
  const codes = new Set<string>();
  while (codes.size < CODE_COUNT) codes.add(newCode());
  await writer.recoveryCode.deleteMany({ where: { userId } });
  await writer.recoveryCode.createMany({
    data: [...codes].map((code) => ({
      userId,
      createdAt: now,
      codeHash: keyring.digest(PURPOSE, textToDigest(userId, code)),
    })),
  });
  return [...codes].map(formatInGroups);
}

function newCode(): string {
  return Array.from(
    { length: RECOVERY_CODE_CHARACTERS },
    () => RECOVERY_CODE_ALPHABET[randomInt(RECOVERY_CODE_ALPHABET.length)],
  ).join('');
}

// Includes the user's id, so that a digest that was copied to another account does not match there.
const textToDigest = (userId: string, code: string) => `${userId} ${code}`;

function formatInGroups(code: string): string {
  return code.match(new RegExp(`.{${CHARACTERS_PER_GROUP}}`, 'g'))!.join('-');
}

/** Carries new recovery codes to the page that shows them, once. */
export const createNewRecoveryCodes = (options: {
  sealedCookie: SealedCookieFactory;
  replayGuard: Pick<ReplayGuard, 'claim'>;
}) => createOneTimeCookie({ name: 'new-recovery-codes', schema: z.array(z.string()), ...options });
