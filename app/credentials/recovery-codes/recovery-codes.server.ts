import { randomInt } from 'node:crypto';
import * as z from 'zod';
import type { Database } from '#app/database/database.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';
import type { ReplayGuard } from '#app/database/replay-guard.server.ts';
import { createOneTimeCookie } from '#app/http/one-time-cookie.server.ts';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';
import { RECOVERY_CODE_ALPHABET, RECOVERY_CODE_CHARACTERS } from '../second-factor-schema.ts';

/** Codes for the day on which the authenticator is lost. They are there while it is turned on. */
export interface RecoveryCodes {
  /** How many have not been used. */
  countLeft(userId: string): Promise<number>;
  /**
   * Uses one up, and says how many are left; null when it is none of this user's, or was used
   * before. Of many who bring the same one at once, one is told that it is right.
   *
   * @param code as `recoveryCodeSchema` gives it: lower case, without what stood between groups.
   */
  use(userId: string, code: string, now: Date): Promise<{ left: number } | null>;
  /** New codes in place of all old ones, to be shown once; null when the authenticator is off. */
  replace(userId: string, now: Date): Promise<string[] | null>;
}

/** The part of a client, or of its transaction, that codes are written by. */
type Writer = Pick<Database['client'], 'recoveryCode'>;

const HOW_MANY = 10;
const CHARACTERS_A_GROUP = 4;
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
      // The condition stands in the write: of twenty at once it holds for one.
      const { count } = await db.recoveryCode.updateMany({
        where: { userId, codeHash, usedAt: null },
        data: { usedAt: now },
      });
      return count > 0 ? { left: await countLeft(userId) } : null;
    },
    replace: (userId, now) =>
      db.$transaction(async (transaction) => {
        // Changes nothing, and holds the row: two who do this at once do it one after the other, and
        // nobody turns the authenticator off in between.
        const held = await transaction.totp.updateMany({ where: { userId }, data: { userId } });
        return held.count > 0 ? replaceRecoveryCodes(transaction, keyring, userId, now) : null;
      }),
  };
}

/**
 * Writes ten new codes in place of all that there are, as part of somebody's transaction. Answers
 * them as they are shown; only their keyed digests are kept.
 */
export async function replaceRecoveryCodes(
  writer: Writer,
  keyring: Keyring,
  userId: string,
  now: Date,
): Promise<string[]> {
  const codes = new Set<string>();
  while (codes.size < HOW_MANY) codes.add(newCode());
  await writer.recoveryCode.deleteMany({ where: { userId } });
  await writer.recoveryCode.createMany({
    data: [...codes].map((code) => ({
      userId,
      createdAt: now,
      codeHash: keyring.digest(PURPOSE, textToDigest(userId, code)),
    })),
  });
  return [...codes].map(inGroups);
}

function newCode(): string {
  return Array.from(
    { length: RECOVERY_CODE_CHARACTERS },
    () => RECOVERY_CODE_ALPHABET[randomInt(RECOVERY_CODE_ALPHABET.length)],
  ).join('');
}

// The user's id is part of it: a digest that was copied to another account is worth nothing there.
const textToDigest = (userId: string, code: string) => `${userId} ${code}`;

function inGroups(code: string): string {
  return code.match(new RegExp(`.{${CHARACTERS_A_GROUP}}`, 'g'))!.join('-');
}

/** Carries new recovery codes to the page that shows them, once. */
export const createNewRecoveryCodes = (options: {
  sealedCookie: SealedCookieFactory;
  replayGuard: Pick<ReplayGuard, 'claim'>;
}) => createOneTimeCookie({ name: 'new-recovery-codes', schema: z.array(z.string()), ...options });
