import { randomBytes } from 'node:crypto';
import type { Database } from '#app/database/database.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';
import type { Log } from '#app/operations/log.server.ts';
import type { Mail, Mailer } from '#app/mail/mail.ts';
import { DAY_MS } from '#app/sessions/index.ts';
import { failureNoticeOf } from '#app/activity/activity-log.server.ts';
import type { ErasedSubject, ErasureJournal } from './erasure-journal.server.ts';

/** How many rows, by table. */
export type RowCounts = Record<string, number>;

/** What remains of an erased account. It names nobody. */
export interface Receipt {
  /** Random; whoever holds it was given it. */
  id: string;
  erasedAt: Date;
  counts: RowCounts;
}

/** Erases accounts: all at once in the database, and then whatever lies outside of it. */
export interface Erasures {
  /** How many rows of each table would go; a table without any is left out. */
  count(userId: string): Promise<RowCounts>;
  /**
   * Erases an account. The receipt of the first is that of every later request; null: there is no
   * such account, and none was erased here.
   *
   * @throws what the database throws; nothing has gone then.
   */
  erase(userId: string, now: Date): Promise<Receipt | null>;
  /** A receipt by its id; null: there is none. */
  findReceipt(id: string): Promise<Receipt | null>;
  /**
   * Clears what an erasure that was cut off has left outside the database. Answers how many erasures
   * are finished by it. What fails is logged, and left for the next time.
   */
  finishPending(): Promise<number>;
  /**
   * Erases once more what a backup brought back. Answers how many accounts those were.
   *
   * @param erased as the replaced database and the journal have it.
   */
  repeatErasures(erased: Iterable<ErasedSubject & { counts?: RowCounts }>): Promise<number>;
}

export interface ErasuresOptions extends Pick<Database, 'provider'> {
  db: Database['client'];
  keyring: Keyring;
  journal: ErasureJournal;
  /** Tells the person, once the account is gone. null: nobody is told. */
  mailer: Mailer | null;
  /** Forgets a person outside of the tables that hold their rows: counters, and mail that waits. */
  forget: {
    counters(user: { userId: string; email: string | null }): Promise<void>;
    mail(email: string): Promise<void>;
  };
  log: Log;
}

type Client = Parameters<Parameters<Database['client']['$transaction']>[0]>[0];

/** What is sealed into a receipt until all of it is cleared. */
interface Pending {
  userId: string;
  email: string;
}

const SUBJECT = 'erased';
const PENDING = 'erasure pending';
const ID_BYTES = 18;
const MAIL_EXPIRES_MS = 7 * DAY_MS;
const PAGE_ROWS = 500;
/** An account with very many rows takes its time. */
const TRANSACTION = { timeout: 60_000, maxWait: 10_000 } as const;
/** Of two transactions that wait for each other PostgreSQL ends one. */
const TRIES = 3;

export function createErasures(options: ErasuresOptions): Erasures {
  const { db, provider, keyring, journal, mailer, forget, log } = options;

  async function eraseRows(userId: string, receipt: ErasedSubject): Promise<RowCounts | null> {
    return db.$transaction(async (tx) => {
      // Whoever is about to write a row of this person waits here, and then finds nobody to write it for.
      if (provider === 'postgresql') {
        // A cascade over very many rows is one statement, and may take longer than those of a page.
        await tx.$executeRawUnsafe(`SET LOCAL statement_timeout = ${TRANSACTION.timeout}`);
        await tx.$queryRaw`SELECT 1 FROM "User" WHERE "id" = ${userId} FOR UPDATE`;
      }
      // First of all a write: SQLite lets nobody else write from then on.
      const notices = await tx.spent.deleteMany({ where: { digest: failureNoticeOf(userId) } });
      const user = await tx.user.findUnique({ where: { id: userId }, select: { email: true } });
      if (!user) return null;
      const { email } = user;
      const counts = withoutZeros({
        ...(await countRows(tx, provider, userId)),
        Spent: notices.count,
      });
      // What was mailed to the address before there was an account; the rest goes by cascade.
      await tx.mailedCode.deleteMany({ where: { email } });
      // What acts for them goes; what acts for a whole store stays, and forgets who connected it.
      const granted = { OR: [{ userId }, { email }] };
      await tx.oauthSession.deleteMany({ where: { ...granted, isOnline: true } });
      await tx.oauthSession.updateMany({ where: granted, data: ANONYMIZED });
      await tx.user.delete({ where: { id: userId }, select: { id: true } });
      const pending = keyring.seal(PENDING, JSON.stringify({ userId, email } satisfies Pending));
      const { subjectDigest, erasedAt } = receipt;
      const { id: receiptId } = await tx.erasureReceipt.upsert({
        // There is one already where a backup brought the person back.
        where: { subjectDigest },
        create: { ...receipt, counts: JSON.stringify(counts), pending },
        update: { pending },
        select: { id: true },
      });
      // In the same transaction: whoever is gone is told, and nobody else.
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
    // After a crash the address may be that of a new account: what is under it is no longer theirs.
    const isTaken = (await db.user.count({ where: { email } })) > 0;
    await forget.counters({ userId, email: isTaken ? null : email });
    if (!isTaken) await forget.mail(email);
    if (provider === 'sqlite') await emptyWriteAheadLog();
    log.info({ receipt: receiptId }, 'an account was erased');
  }

  // Pages that were freed are overwritten, but the log beside the file still has them as they were.
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
      return withoutZeros(await countRows(db, provider, userId));
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
      // What follows is done again at the next boot should it be cut off here.
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

/** It is of nobody's account any more, so it does not go with one. */
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

/** What belongs to a person by their id. Whoever adds a table that names people adds it here. */
const OWNED = [
  'Password',
  'Totp',
  'RecoveryCode',
  'Passkey',
  'Connection',
  'Picture',
  'Session',
  'Activity',
  'OutgoingMail',
  'ExpressSession',
];
/** And what belongs to them by their id or their address. */
const OWNED_OR_ADDRESSED = ['MailedCode', 'OauthSession'];

/** The rows that go with a person, by table, in one statement. Answers nothing for nobody. */
async function countRows(
  db: Pick<Client, '$queryRawUnsafe'>,
  provider: Database['provider'],
  userId: string,
): Promise<RowCounts> {
  const owned = OWNED.map(
    (table) => `(SELECT count(*) FROM "${table}" WHERE "userId" = u."id") AS "${table}"`,
  );
  const addressed = OWNED_OR_ADDRESSED.map(
    (table) =>
      `(SELECT count(*) FROM "${table}" WHERE "userId" = u."id" OR "email" = u."email") AS "${table}"`,
  );
  const [row] = await db.$queryRawUnsafe<Record<string, number | bigint>[]>(
    `SELECT 1 AS "User", ${[...owned, ...addressed].join(', ')}
     FROM "User" AS u WHERE u."id" = ${provider === 'sqlite' ? '?' : '$1'}`,
    userId,
  );
  return Object.fromEntries(
    Object.entries(row ?? {}).map(([table, count]) => [table, Number(count)]),
  );
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
