import { randomBytes, timingSafeEqual } from 'node:crypto';
import { generateTOTP, getTOTPAuthUri } from '@epic-web/totp';
import { isUniqueViolation } from '#app/database/errors.server.ts';
import type { Database } from '#app/database/database.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';
import { replaceRecoveryCodes } from '../recovery-codes/recovery-codes.server.ts';

/** Codes of an authenticator app as a second factor (RFC 6238). */
export interface Totp {
  /** True if this user signs in with a second factor. */
  isOn(userId: string): Promise<boolean>;
  /** Returns when it was turned on; `null` if it is off. */
  onSince(userId: string): Promise<Date | null>;
  /** Returns a secret for an app: 160 random bits in base32 (RFC 4226 §4, R6). */
  newSecret(): string;
  /** Returns the text of the QR code for an app. It contains the secret. */
  authenticatorUri(secret: string, email: string): string;
  /** Returns the time step of this code, at most one away from now; `null` if the code is wrong. */
  findTimeStep(secret: string, code: string, now: Date): Promise<number | null>;
  /**
   * Turns it on with a secret whose code was checked, and uses up that code. Returns the first recovery
   * codes, to be shown once; `null` if it was on already, which changes nothing.
   */
  turnOn(
    userId: string,
    proven: { secret: string; step: number },
    now: Date,
  ): Promise<string[] | null>;
  /** Turns it off and deletes the recovery codes. False if it was off. */
  turnOff(userId: string): Promise<boolean>;
  /**
   * True if this is the user's code at this time, and no code of this or a later step was used before:
   * a code works once, even in concurrent requests.
   *
   * @param code as `authenticatorCodeSchema` returns it: six digits.
   * @throws if the secret was sealed under a key that is no longer in ENCRYPTION_KEYS.
   */
  use(userId: string, code: string, now: Date): Promise<boolean>;
}

const ISSUER = 'Latchkey';
const PERIOD_SECONDS = 30;
const DIGITS = 6;
/** Every authenticator app supports it. As an HMAC it is not broken. */
const ALGORITHM = 'SHA-1';
/** The accepted steps around the current one: clocks differ, and typing takes time (RFC 6238 §5.2). */
const STEP_OFFSETS = [-1, 0, 1];
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
    findTimeStep: async (secret, code, now) => (await findSteps(secret, code, now)).at(-1) ?? null,
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
      if (secret === null) throw new Error(KEY_IS_MISSING);
      for (const step of await findSteps(secret, code, now)) {
        // The condition is in the write: of concurrent requests, one succeeds.
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

const KEY_IS_MISSING =
  'The secret of an authenticator app was sealed under a key that is no longer in ENCRYPTION_KEYS; put that key back, after the current one.';

// The alphabet has 32 characters: the low 5 bits of a byte select each with equal probability.
function newSecret(): string {
  return [...randomBytes(SECRET_CHARACTERS)].map((byte) => BASE32[byte & 31]).join('');
}

/** Returns the accepted steps whose code this is, oldest first; nearly always none or one. */
async function findSteps(secret: string, code: string, now: Date): Promise<number[]> {
  const current = Math.floor(now.getTime() / 1000 / PERIOD_SECONDS);
  const steps: number[] = [];
  for (const offset of STEP_OFFSETS) {
    const step = current + offset;
    if (isSameCode(code, await generateCode(secret, step))) steps.push(step);
  }
  return steps;
}

/**
 * Returns the code of a step. The library always reads the system clock, and computes the step as
 * floor(clock / period). So we pass a period that puts the clock in the middle of the wanted step;
 * that way the step depends on `now` alone.
 */
async function generateCode(secret: string, step: number): Promise<string> {
  const clockSeconds = Date.now() / 1000;
  const period = clockSeconds / (step + 0.5);
  const { otp } = await generateTOTP({ secret, period, digits: DIGITS, algorithm: ALGORITHM });
  return otp;
}

function isSameCode(typed: string, right: string): boolean {
  return typed.length === right.length && timingSafeEqual(Buffer.from(typed), Buffer.from(right));
}
