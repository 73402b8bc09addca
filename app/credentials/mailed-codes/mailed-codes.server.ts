import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { Database } from '#app/database/database.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';
import { MINUTE_MS } from '#app/sessions/index.ts';

/** What a code is good for, and nothing else. */
export type CodePurpose =
  'sign-up' | 'password-reset' | 'email-change' | 'email-change-undo' | 'not-me';

export interface NewCode {
  purpose: CodePurpose;
  /** Whose account it is about; null: of none yet. */
  userId: string | null;
  /** The address that it goes to. */
  email: string;
  /** What is to be done once it comes back; kept sealed. Anything JSON can carry. */
  payload?: unknown;
  /** True: none is sent, and none will be right. The row costs what any row costs. */
  isDecoy?: boolean;
}

/** A code to be typed into the browser that asked for it. */
export interface IssuedCode {
  /** Names the row; it is public. */
  id: string;
  /** The browser's own secret, for its cookie: without it the code is worth nothing. */
  browserKey: string;
  /** Eight digits, for the mail and nowhere else; null for a decoy. */
  code: string | null;
}

export type Redeemed =
  | { state: 'right'; userId: string | null; email: string; payload: unknown }
  | { state: 'wrong'; triesLeft: number }
  /** Used, out of tries, out of time, or never there: one answer for all. */
  | { state: 'over' };

/** Codes and keys that go out by mail and are brought back once. */
export interface MailedCodes {
  /**
   * A new code, good for ten minutes and five tries. It does not end those that wait already: who
   * asks for codes to somebody else's address must not be able to void the one that they asked for.
   */
  issue(code: NewCode, now: Date): Promise<IssuedCode>;
  /** Another code in place of one that did not arrive; null when that one is over. The old one is dead. */
  replaceCode(
    held: Pick<IssuedCode, 'id' | 'browserKey'> & { purpose: CodePurpose },
    now: Date,
  ): Promise<{
    email: string;
    userId: string | null;
    code: string | null;
    payload: unknown;
  } | null>;
  /** Tries a code. A right one works once, however many bring it at the same moment. */
  redeem(
    tried: Pick<IssuedCode, 'id' | 'browserKey'> & { purpose: CodePurpose; code: string },
    now: Date,
  ): Promise<Redeemed>;
  /**
   * A key of 256 bits that may come back from any browser within `lifetimeMs`: mail is read
   * anywhere. It names its own row.
   */
  createLinkKey(key: NewCode, lifetimeMs: number, now: Date): Promise<string>;
  /** Uses a key up. */
  redeemLinkKey(
    purpose: CodePurpose,
    key: string,
    now: Date,
  ): Promise<(Extract<Redeemed, { state: 'right' }> & { issuedAt: Date }) | { state: 'over' }>;
  /** Makes everything of this purpose that waits for the user worthless; of all purposes when none is given. */
  discard(userId: string, purposes?: CodePurpose[]): Promise<void>;
  /** Makes what was sent for this purpose since then worthless. */
  discardCreatedSince(userId: string, purpose: CodePurpose, since: Date): Promise<void>;
  /** Deletes what was over before then. Answers how many rows went. */
  prune(overBefore: Date): Promise<number>;
}

export const CODE_LIFETIME_MS = 10 * MINUTE_MS;
const TRIES = 5;
const DIGITS = 8;
const ID_BYTES = 12;
const KEY_BYTES = 32;

const randomText = (bytes: number) => randomBytes(bytes).toString('base64url');
// Eight digits rather than six: five tries for each of the few mails an hour, for a year, find one
// code in four hundred.
const randomCode = () => String(randomInt(10 ** DIGITS)).padStart(DIGITS, '0');

export function createMailedCodes(options: {
  db: Database['client'];
  keyring: Keyring;
}): MailedCodes {
  const { db, keyring } = options;
  const digest = (what: 'code' | 'browser', id: string, text: string) =>
    keyring.digest(`mailed ${what}`, `${id} ${text}`);
  const matches = (what: 'code' | 'browser', id: string, text: string, kept: string | null) =>
    kept !== null &&
    keyring.digests(`mailed ${what}`, `${id} ${text}`).some((one) => isEqual(one, kept));
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
        triesLeft: TRIES,
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
        // Also when its tries or its time are used up: that is when another one is asked for.
        where: { id, purpose },
        data: {
          codeHash: code === null ? null : digest('code', id, code),
          triesLeft: TRIES,
          expiresAt: new Date(now.getTime() + CODE_LIFETIME_MS),
        },
      });
      if (count === 0) return null;
      return { email: row.email, userId: row.userId, code, payload: unseal(row.payload) };
    },

    async redeem({ id, browserKey, purpose, code }, now) {
      // The try is taken before the code is looked at: many at once get no more than there are.
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
      // What was used is gone: of two that bring it, one finds it.
      const { count: found } = await db.mailedCode.deleteMany({ where: { id } });
      if (found === 0) return { state: 'over' };
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

    async prune(overBefore) {
      const { count } = await db.mailedCode.deleteMany({
        where: { expiresAt: { lt: overBefore } },
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
