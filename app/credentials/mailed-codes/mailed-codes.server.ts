import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { Database } from '#app/database/database.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';
import { MINUTE_MS } from '#app/sessions/index.ts';

/** What a code was issued for; it is valid for nothing else. */
export type CodePurpose =
  'sign-up' | 'password-reset' | 'email-change' | 'email-change-undo' | 'not-me';

export interface NewCode {
  purpose: CodePurpose;
  /** The user whose account it is about; `null` if there is no account yet. */
  userId: string | null;
  /** The address that it goes to. */
  email: string;
  /** What to do once the code is redeemed; stored sealed. Any JSON value. */
  payload?: unknown;
  /** True issues no code, and no code will be right. It costs as much as a real one. */
  isDecoy?: boolean;
}

/** A code to be typed into the browser that asked for it. */
interface IssuedCode {
  /** Public id of the row. */
  id: string;
  /** A secret for the browser's cookie: without it the code is useless. */
  browserKey: string;
  /** Eight digits, for the mail only; `null` for a decoy. */
  code: string | null;
}

export type RedeemResult =
  | { state: 'right'; userId: string | null; email: string; payload: unknown }
  | { state: 'wrong'; triesLeft: number }
  /** Used, out of attempts, expired, or unknown: the same answer for all. */
  | { state: 'over' };

/** Codes and keys that are mailed, and redeemed once. */
export interface MailedCodes {
  /**
   * Issues a new code, valid for ten minutes and five attempts. Earlier codes stay valid: an attacker
   * who requests codes for a user's address must not void the one that the user requested.
   */
  issue(code: NewCode, now: Date): Promise<IssuedCode>;
  /** Replaces a code that did not arrive, and voids it; `null` if it was used or discarded. */
  replaceCode(
    held: Pick<IssuedCode, 'id' | 'browserKey'> & { purpose: CodePurpose },
    now: Date,
  ): Promise<{
    email: string;
    userId: string | null;
    code: string | null;
    payload: unknown;
  } | null>;
  /** Checks a code. The right one works once, even in concurrent requests. */
  redeem(
    typed: Pick<IssuedCode, 'id' | 'browserKey'> & { purpose: CodePurpose; code: string },
    now: Date,
  ): Promise<RedeemResult>;
  /**
   * Creates a key of 256 bits that any browser can redeem within `lifetimeMs`, because users read mail
   * on other devices. It contains the id of its row.
   */
  createLinkKey(key: NewCode, lifetimeMs: number, now: Date): Promise<string>;
  /** Uses a key up. */
  redeemLinkKey(
    purpose: CodePurpose,
    key: string,
    now: Date,
  ): Promise<(Extract<RedeemResult, { state: 'right' }> & { issuedAt: Date }) | { state: 'over' }>;
  /** Voids the user's codes and keys of these purposes. Default: of all purposes. */
  discard(userId: string, purposes?: CodePurpose[]): Promise<void>;
  /** Voids the user's codes and keys of this purpose that were issued since then. */
  discardCreatedSince(userId: string, purpose: CodePurpose, since: Date): Promise<void>;
  /** Deletes rows that expired before then. Returns how many. */
  prune(expiredBefore: Date): Promise<number>;
}

export const CODE_LIFETIME_MS = 10 * MINUTE_MS;
const MAX_ATTEMPTS = 5;
const DIGITS = 8;
const ID_BYTES = 12;
const KEY_BYTES = 32;

const randomText = (bytes: number) => randomBytes(bytes).toString('base64url');
// Eight digits rather than six: five attempts for each of the few mails an hour, for a year, guess one
// code with a probability of 1 in 400.
const randomCode = () => String(randomInt(10 ** DIGITS)).padStart(DIGITS, '0');

export function createMailedCodes(options: {
  db: Database['client'];
  keyring: Keyring;
}): MailedCodes {
  const { db, keyring } = options;
  const digest = (what: 'code' | 'browser', id: string, text: string) =>
    keyring.digest(`mailed ${what}`, `${id} ${text}`);
  const matches = (what: 'code' | 'browser', id: string, text: string, stored: string | null) =>
    stored !== null &&
    keyring.digests(`mailed ${what}`, `${id} ${text}`).some((one) => isEqual(one, stored));
  const seal = (payload: unknown) =>
    payload === undefined ? null : keyring.seal('mailed payload', JSON.stringify(payload));
  const unseal = (sealed: string | null): unknown => {
    const text = sealed === null ? null : keyring.open('mailed payload', sealed);
    return text === null ? null : JSON.parse(text);
  };

  const waiting = (id: string, purpose: CodePurpose, now: Date) => ({
    id,
    purpose,
    triesLeft: { gt: 0 },
    expiresAt: { gt: now },
  });
  const find = (id: string) => db.mailedCode.findUnique({ where: { id } });
  const discard: MailedCodes['discard'] = async (userId, purposes) => {
    await db.mailedCode.deleteMany({
      where: { userId, ...(purposes ? { purpose: { in: purposes } } : {}) },
    });
  };
  const insert = async (
    { purpose, userId, email, payload }: NewCode,
    row: {
      id: string;
      codeHash: string | null;
      browserHash: string | null;
      lifetimeMs: number;
    },
    now: Date,
  ) => {
    const { lifetimeMs, ...rest } = row;
    await db.mailedCode.create({
      data: {
        purpose,
        userId,
        email,
        ...rest,
        payload: seal(payload),
        triesLeft: MAX_ATTEMPTS,
        createdAt: now,
        expiresAt: new Date(now.getTime() + lifetimeMs),
      },
      select: { id: true },
    });
  };

  return {
    async issue(details, now) {
      const { isDecoy = false } = details;
      const [id, browserKey] = [randomText(ID_BYTES), randomText(KEY_BYTES)];
      const code = randomCode();
      await insert(
        details,
        {
          id,
          codeHash: isDecoy ? null : digest('code', id, code),
          browserHash: digest('browser', id, browserKey),
          lifetimeMs: CODE_LIFETIME_MS,
        },
        now,
      );
      return { id, browserKey, code: isDecoy ? null : code };
    },

    async replaceCode({ id, browserKey, purpose }, now) {
      const row = await find(id);
      if (!row || !matches('browser', id, browserKey, row.browserHash)) return null;
      const code = row.codeHash === null ? null : randomCode();
      const { count } = await db.mailedCode.updateMany({
        // Also if it expired or has no attempts left: that is when users ask for another one.
        where: { id, purpose },
        data: {
          codeHash: code === null ? null : digest('code', id, code),
          triesLeft: MAX_ATTEMPTS,
          expiresAt: new Date(now.getTime() + CODE_LIFETIME_MS),
        },
      });
      if (count === 0) return null;
      return { email: row.email, userId: row.userId, code, payload: unseal(row.payload) };
    },

    async redeem({ id, browserKey, purpose, code }, now) {
      // Count the attempt before checking the code: concurrent requests get no extra attempts.
      const { count: taken } = await db.mailedCode.updateMany({
        where: waiting(id, purpose, now),
        data: { triesLeft: { decrement: 1 } },
      });
      const row = taken === 0 ? null : await find(id);
      if (!row) return { state: 'over' };
      const isRight =
        matches('browser', id, browserKey, row.browserHash) &&
        matches('code', id, code, row.codeHash);
      if (!isRight) return { state: 'wrong', triesLeft: row.triesLeft };
      // Of two concurrent requests with the right code, only one deletes the row.
      const { count: deleted } = await db.mailedCode.deleteMany({ where: { id } });
      if (deleted === 0) return { state: 'over' };
      return { state: 'right', ...rowContent(row) };
    },

    async createLinkKey(details, lifetimeMs, now) {
      const [id, secret] = [randomText(ID_BYTES), randomText(KEY_BYTES)];
      const codeHash = digest('code', id, secret);
      await insert(details, { id, codeHash, browserHash: null, lifetimeMs }, now);
      return `${id}.${secret}`;
    },

    async redeemLinkKey(purpose, key, now) {
      const [id = '', secret = '', ...more] = key.trim().split('.');
      const row = more.length > 0 || id.includes('\0') ? null : await find(id);
      if (!row || row.browserHash !== null || !matches('code', id, secret, row.codeHash)) {
        return { state: 'over' };
      }
      const { count } = await db.mailedCode.deleteMany({ where: waiting(id, purpose, now) });
      if (count === 0) return { state: 'over' };
      return { state: 'right', ...rowContent(row), issuedAt: row.createdAt };
    },

    discard,

    async discardCreatedSince(userId, purpose, since) {
      await db.mailedCode.deleteMany({ where: { userId, purpose, createdAt: { gte: since } } });
    },

    async prune(expiredBefore) {
      const { count } = await db.mailedCode.deleteMany({
        where: { expiresAt: { lt: expiredBefore } },
      });
      return count;
    },
  };

  function rowContent(row: { userId: string | null; email: string; payload: string | null }) {
    return { userId: row.userId, email: row.email, payload: unseal(row.payload) };
  }
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
