import { randomBytes } from 'node:crypto';
import type { Database } from '#app/database/database.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';
import type { Log } from '#app/operations/log.server.ts';
import type { Mail, Mailer } from '#app/mail/mail.ts';
import { DAY_MS } from '#app/sessions/index.ts';
import { failureNoticeOf } from '#app/activity/activity-log.server.ts';
import type { ErasedSubject, ErasureJournal } from './erasure-journal.server.ts';
import { countUserRows, type RowCounts } from './user-rows.server.ts';

/** The record of an erased account. It does not identify the user. */
interface Receipt {
  /** Random; given only to the user who erased the account. */
  id: string;
  erasedAt: Date;
  counts: RowCounts;
}

/** Erases accounts: first in the database, in one transaction, then outside of it. */
export interface Erasures {
  /** Returns how many rows of each table an erasure would delete, without tables that have none. */
  count(userId: string): Promise<RowCounts>;
  /**
   * Erases an account, and returns the receipt; a repeated request returns the same receipt. `null` if
   * there is no such account, and none was erased.
   *
   * @throws the database's error; nothing is erased then.
   */
  erase(userId: string, now: Date): Promise<Receipt | null>;
  /** Returns a receipt by its id; `null` if there is none. */
  findReceipt(id: string): Promise<Receipt | null>;
  /**
   * Finishes interrupted erasures outside the database, and returns how many it finished. Logs failures,
   * and leaves them for the next call.
   */
  finishPending(): Promise<number>;
  /**
   * Erases the accounts again that a restored backup contains, and returns how many there were.
   *
   * @param erased the erasures in the replaced database and the journal.
   */
  repeatErasures(erased: Iterable<ErasedSubject & { counts?: RowCounts }>): Promise<number>;
}

interface ErasuresOptions extends Pick<Database, 'provider'> {
  db: Database['client'];
  keyring: Keyring;
  journal: ErasureJournal;
  /** Sends the user a confirmation of the deletion. `null`: sends none. */
  mailer: Mailer | null;
  /** Removes a user's data outside their rows: rate-limit counters, and mails to their address. */
  forget: {
    counters(user: { userId: string; email: string | null }): Promise<void>;
    mail(email: string): Promise<void>;
  };
  log: Log;
}

/** The sealed data in a receipt, until the erasure outside the database is finished. */
interface Pending {
  userId: string;
  email: string;
}

const SUBJECT = 'erased';
const PENDING = 'erasure pending';
const ID_BYTES = 18;
const MAIL_EXPIRES_MS = 7 * DAY_MS;
const PAGE_ROWS = 500;
/** Long timeouts, because an account may have very many rows. */
const TRANSACTION = { timeout: 60_000, maxWait: 10_000 } as const;
/** Attempts, because PostgreSQL ends one of two transactions in a deadlock. */
const TRIES = 3;

export function createErasures(options: ErasuresOptions): Erasures {
  const { db, provider, keyring, journal, mailer, forget, log } = options;

  async function eraseRows(userId: string, receipt: ErasedSubject): Promise<RowCounts | null> {
    return db.$transaction(async (tx) => {
      // A concurrent write for this user waits for this lock, and then fails because the user is gone.
      if (provider === 'postgresql') {
        // A cascade over very many rows is one statement, and may take longer than the limit of requests.
        await tx.$executeRawUnsafe(`SET LOCAL statement_timeout = ${TRANSACTION.timeout}`);
        await tx.$queryRaw`SELECT 1 FROM "User" WHERE "id" = ${userId} FOR UPDATE`;
      }
      // Begins with a write, which locks SQLite for other writers.
      const notices = await tx.spent.deleteMany({ where: { digest: failureNoticeOf(userId) } });
      const user = await tx.user.findUnique({ where: { id: userId }, select: { email: true } });
      if (!user) return null;
      const { email } = user;
      const counts = withoutZeros({
        ...(await countUserRows(tx, provider, userId)),
        Spent: notices.count,
      });
      // Codes for the address from before the account; the account's own codes are deleted by cascade.
      await tx.mailedCode.deleteMany({ where: { email } });
      // Deletes grants that act for the user. Keeps grants of a whole store, without the user's data.
      const granted = { OR: [{ userId }, { email }] };
      await tx.oauthSession.deleteMany({ where: { ...granted, isOnline: true } });
      await tx.oauthSession.updateMany({ where: granted, data: ANONYMIZED });
      await tx.user.delete({ where: { id: userId }, select: { id: true } });
      const pending = keyring.seal(PENDING, JSON.stringify({ userId, email } satisfies Pending));
      const { subjectDigest, erasedAt } = receipt;
      const { id: receiptId } = await tx.erasureReceipt.upsert({
        // A receipt already exists if a restored backup contained the erased user.
        where: { subjectDigest },
        create: { ...receipt, counts: JSON.stringify(counts), pending },
        update: { pending },
        select: { id: true },
      });
      // In the same transaction, so that the mail is sent only if the account is erased.
      await mailer?.send(lastMail(email, receiptId, erasedAt), erasedAt, tx);
      return counts;
    }, TRANSACTION);
  }

  async function finishOne(row: ErasedSubject & { pending: string }): Promise<boolean> {
    const { id, erasedAt, subjectDigest, pending } = row;
    try {
      await journal.append({ id, erasedAt, subjectDigest });
      const text = keyring.open(PENDING, pending);
      if (text === null) {
        log.error({ receipt: id }, 'what is left of an erasure cannot be read: its key is gone');
      } else {
        await clearOutside(id, JSON.parse(text) as Pending);
      }
      await db.erasureReceipt.updateMany({ where: { id, pending }, data: { pending: null } });
      return true;
    } catch (error) {
      log.error({ err: error, receipt: id }, 'an erasure is not finished; it is tried again');
      return false;
    }
  }

  async function clearOutside(receiptId: string, { userId, email }: Pending): Promise<void> {
    // After a crash, the address may belong to a new account, whose data must not be removed.
    const isTaken = (await db.user.count({ where: { email } })) > 0;
    await forget.counters({ userId, email: isTaken ? null : email });
    if (!isTaken) await forget.mail(email);
    if (provider === 'sqlite') await emptyWriteAheadLog();
    log.info({ receipt: receiptId }, 'an account was erased');
  }

  // Freed pages in the file are overwritten, but the write-ahead log still contains the erased rows.
  async function emptyWriteAheadLog(): Promise<void> {
    const [row] = await db.$queryRawUnsafe<{ busy: number | bigint }[]>(
      'PRAGMA wal_checkpoint(TRUNCATE)',
    );
    if (Number(row?.busy ?? 0) !== 0) {
      throw new Error('Another program reads the database, so its log cannot be emptied yet.');
    }
  }

  const receiptOf = (userId: string) =>
    db.erasureReceipt.findFirst({
      where: { subjectDigest: { in: keyring.digests(SUBJECT, userId) } },
      select: RECEIPT_COLUMNS,
    });

  return {
    async count(userId) {
      return withoutZeros(await countUserRows(db, provider, userId));
    },

    async erase(userId, now) {
      const receipt = {
        id: randomBytes(ID_BYTES).toString('base64url'),
        erasedAt: now,
        subjectDigest: keyring.digest(SUBJECT, userId),
      };
      const counts = await retryOnConflict(() => eraseRows(userId, receipt));
      const row = await receiptOf(userId);
      if (!row) return null;
      // If this is interrupted, `finishPending` repeats it.
      if (counts && row.pending !== null) await finishOne({ ...row, pending: row.pending });
      return readReceipt(row);
    },

    async findReceipt(id) {
      const row = await db.erasureReceipt.findUnique({ where: { id }, select: RECEIPT_COLUMNS });
      return row && readReceipt(row);
    },

    async finishPending() {
      const rows = await db.erasureReceipt.findMany({
        where: { pending: { not: null } },
        orderBy: { erasedAt: 'asc' },
        select: RECEIPT_COLUMNS,
      });
      let finished = 0;
      for (const row of rows) {
        if (row.pending !== null && (await finishOne({ ...row, pending: row.pending }))) {
          finished += 1;
        }
      }
      return finished;
    },

    async repeatErasures(erased) {
      const byDigest = new Map([...erased].map((one) => [one.subjectDigest, one]));
      for (const { id, erasedAt, subjectDigest, counts = {} } of byDigest.values()) {
        const kept = { erasedAt, subjectDigest, counts: JSON.stringify(counts) };
        const where = { OR: [{ id }, { subjectDigest }] };
        if ((await db.erasureReceipt.count({ where })) > 0) continue;
        await db.erasureReceipt.create({ data: { id, ...kept }, select: { id: true } });
      }
      let count = 0;
      for (let after = ''; ;) {
        const users = await db.user.findMany({
          where: { id: { gt: after } },
          orderBy: { id: 'asc' },
          take: PAGE_ROWS,
          select: { id: true },
        });
        for (const { id } of users) {
          const digest = keyring.digests(SUBJECT, id).find((one) => byDigest.has(one));
          const known = digest === undefined ? undefined : byDigest.get(digest);
          if (!known) continue;
          const { subjectDigest, erasedAt } = known;
          const receipt = await db.erasureReceipt.findFirst({
            where: { subjectDigest },
            select: { id: true },
          });
          const ids = { id: receipt?.id ?? known.id, erasedAt, subjectDigest };
          if (await eraseRows(id, ids)) count += 1;
        }
        if (users.length < PAGE_ROWS) return count;
        after = users.at(-1)!.id;
      }
    },
  };
}

/** Returns the confirmation. Its `userId` is null, so that the deletion of the account keeps it. */
function lastMail(email: string, receiptId: string, erasedAt: Date): Mail {
  return {
    to: email,
    userId: null,
    content: { kind: 'account-deleted', receiptId, at: erasedAt.toISOString() },
    expiresAt: new Date(erasedAt.getTime() + MAIL_EXPIRES_MS),
  };
}

const ANONYMIZED = {
  userId: null,
  firstName: null,
  lastName: null,
  email: null,
  emailVerified: null,
} as const;

const RECEIPT_COLUMNS = {
  id: true,
  erasedAt: true,
  counts: true,
  subjectDigest: true,
  pending: true,
} as const;

function readReceipt(row: { id: string; erasedAt: Date; counts: string }): Receipt {
  const { id, erasedAt, counts } = row;
  return { id, erasedAt, counts: JSON.parse(counts) as RowCounts };
}

function withoutZeros(counts: RowCounts): RowCounts {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

async function retryOnConflict<Answer>(run: () => Promise<Answer>): Promise<Answer> {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await run();
    } catch (error) {
      if (left === 0 || (error as { code?: unknown }).code !== 'P2034') throw error;
    }
  }
}
