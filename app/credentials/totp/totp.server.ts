import { randomBytes, timingSafeEqual } from 'node:crypto';
import { generateTOTP, getTOTPAuthUri } from '@epic-web/totp';
import { isUniqueViolation } from '#app/database/errors.server.ts';
import type { Database } from '#app/database/database.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';
import { replaceRecoveryCodes } from '../recovery-codes/recovery-codes.server.ts';

/** Codes of an authenticator app as a second factor (RFC 6238). */
export interface Totp {
  /** True when this user signs in with a second factor. */
  isOn(userId: string): Promise<boolean>;
  /** When it was turned on; null: it is off. */
  onSince(userId: string): Promise<Date | null>;
  /** A secret for somebody's app: 160 random bits in base32 (RFC 4226 §4, R6). */
  newSecret(): string;
  /** What an app reads from the QR code. It holds the secret. */
  authenticatorUri(secret: string, email: string): string;
  /** The time step to which this code of the secret belongs, at most one from now; null: to none. */
  findTimeStep(secret: string, code: string, now: Date): Promise<number | null>;
  /**
   * Turns it on with a secret of which a code was proven, and spends that code. Answers the first
   * recovery codes, to be shown once; null when it was on already, and is left as it was.
   */
  turnOn(
    userId: string,
    proven: { secret: string; step: number },
    now: Date,
  ): Promise<string[] | null>;
  /** Turns it off and removes the recovery codes. False when it was off. */
  turnOff(userId: string): Promise<boolean>;
  /**
   * True when this is the user's code at this time, and no code of this or a later step was used
   * before: a code works once, also when many bring it at once.
   *
   * @param code as `authenticatorCodeSchema` gives it: six digits.
   * @throws when the secret was sealed under a key that is gone from ENCRYPTION_KEYS.
   */
  use(userId: string, code: string, now: Date): Promise<boolean>;
}

const ISSUER = 'Latchkey';
const PERIOD_SECONDS = 30;
const DIGITS = 6;
/** What authenticator apps understand, all of them. As a keyed hash it is not broken. */
const ALGORITHM = 'SHA-1';
/** Steps to each side that are let pass: clocks differ, and typing takes time (RFC 6238 §5.2). */
const STEPS_ASIDE = [-1, 0, 1];
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const SECRET_CHARACTERS = 32;
const PURPOSE = 'totp';

export function createTotp(options: { db: Database['client']; keyring: Keyring }): Totp {
  const { db, keyring } = options;
  return {
    async isOn(userId) {
      return (await db.totp.count({ where: { userId } })) > 0;
    },
    async onSince(userId) {
      const row = await db.totp.findUnique({ where: { userId }, select: { createdAt: true } });
      return row?.createdAt ?? null;
    },
    newSecret,
    authenticatorUri: (secret, email) =>
      getTOTPAuthUri({
        secret,
        accountName: email,
        issuer: ISSUER,
        period: PERIOD_SECONDS,
        digits: DIGITS,
        algorithm: ALGORITHM,
      }),
    findTimeStep: async (secret, code, now) => (await stepsOf(secret, code, now)).at(-1) ?? null,
    async turnOn(userId, { secret, step }, now) {
      try {
        return await db.$transaction(async (transaction) => {
          await transaction.totp.create({
            data: { userId, secret: keyring.seal(PURPOSE, secret), createdAt: now, lastStep: step },
            select: { userId: true },
          });
          return replaceRecoveryCodes(transaction, keyring, userId, now);
        });
      } catch (error) {
        // PostgreSQL does not name the field of a primary key.
        if (isUniqueViolation(error, 'userId') || isUniqueViolation(error, 'id')) return null;
        throw error;
      }
    },
    async turnOff(userId) {
      const [{ count }] = await db.$transaction([
        db.totp.deleteMany({ where: { userId } }),
        db.recoveryCode.deleteMany({ where: { userId } }),
      ]);
      return count > 0;
    },
    async use(userId, code, now) {
      const row = await db.totp.findUnique({ where: { userId }, select: { secret: true } });
      if (!row) return false;
      const secret = keyring.open(PURPOSE, row.secret);
      if (secret === null) throw new Error(KEY_IS_GONE);
      for (const step of await stepsOf(secret, code, now)) {
        // The condition stands in the write: of twenty at once it holds for one.
        const { count } = await db.totp.updateMany({
          where: {
            userId,
            secret: row.secret,
            OR: [{ lastStep: null }, { lastStep: { lt: step } }],
          },
          data: { lastStep: step },
        });
        if (count > 0) return true;
      }
      return false;
    },
  };
}

const KEY_IS_GONE =
  'The secret of an authenticator was sealed under a key that is not in ENCRYPTION_KEYS any more; put that key back, behind the current one.';

// 32 characters are what 5 bits can name: each byte gives one, evenly.
function newSecret(): string {
  return [...randomBytes(SECRET_CHARACTERS)].map((byte) => BASE32[byte & 31]).join('');
}

/** The steps around now of which this is the code, the older first: nearly always none or one. */
async function stepsOf(secret: string, code: string, now: Date): Promise<number[]> {
  const current = Math.floor(now.getTime() / 1000 / PERIOD_SECONDS);
  const steps: number[] = [];
  for (const aside of STEPS_ASIDE) {
    const step = current + aside;
    if (isSameCode(code, await codeOfStep(secret, step))) steps.push(step);
  }
  return steps;
}

/**
 * The library takes the time from the clock of the machine and from nowhere else, and reckons the
 * step as floor(clock / period). So it is asked with the period at which its clock stands in the
 * middle of the wanted step: which step that is depends on `now` alone, as everywhere here.
 */
async function codeOfStep(secret: string, step: number): Promise<string> {
  const clockSeconds = Date.now() / 1000;
  const period = clockSeconds / (step + 0.5);
  const { otp } = await generateTOTP({ secret, period, digits: DIGITS, algorithm: ALGORITHM });
  return otp;
}

function isSameCode(typed: string, right: string): boolean {
  return typed.length === right.length && timingSafeEqual(Buffer.from(typed), Buffer.from(right));
}
