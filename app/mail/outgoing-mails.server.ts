import type { Database } from '#app/database/database.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';
import type { Mail, MailContent, MailTable } from './mail.ts';

/** The sealed data of a mail. A decoy only takes as long as a mail, and is never sent. */
interface SealedMail {
  to: string;
  content: MailContent;
  isDecoy: boolean;
}

/** A mail that only this process may send until its claim expires. */
export interface ClaimedMail {
  id: string;
  /** `null`: it was sealed with a key that was removed. */
  sealed: SealedMail | null;
  expiresAt: Date;
  /** Attempts, including this one. */
  tries: number;
}

/** The queue of mails in the database. */
export interface OutgoingMails {
  /** Stores a mail, or a decoy for `null`. @throws the database's error. */
  enqueue(mail: Mail | null, now: Date, within?: MailTable): Promise<void>;
  /**
   * Claims the mail that has been due the longest, for this process until `untilAt`. If the process
   * ends, the mail is due again at that time. `null` if no mail is due.
   */
  claim(now: Date, untilAt: Date): Promise<ClaimedMail | null>;
  /** Removes a mail that was sent, or that will not be sent. */
  remove(id: string): Promise<void>;
  /** Ends the claim of a mail, which is due again at `dueAt`. */
  postpone(id: string, dueAt: Date): Promise<void>;
  /**
   * Removes queued mails to this address that belong to no account, except confirmations of a deleted
   * account.
   */
  removeTo(address: string): Promise<void>;
  /** Removes expired mails, and returns how many. */
  removeExpired(now: Date): Promise<number>;
}

const PURPOSE = 'outgoing-mail';
const DECOY_EXPIRES_MS = 600_000;
/** How many rows to try to claim, if other processes claim each of them first. */
const CLAIM_TRIES = 20;
const PAGE_ROWS = 200;
const COLUMNS = { id: true, sealed: true, dueAt: true, expiresAt: true, tries: true } as const;

// As long as a mail with a code, and rendered like one, so that it takes the same time.
const DECOY: SealedMail = {
  to: 'somebody.somewhere@example.invalid',
  content: {
    kind: 'password-reset-code',
    name: 'Somebody',
    code: '000000',
    link: 'https://example.invalid/reset-password/code#000000',
  },
  isDecoy: true,
};

export function createOutgoingMails(db: Database['client'], keyring: Keyring): OutgoingMails {
  const open = (sealed: string): SealedMail | null => {
    const text = keyring.open(PURPOSE, sealed);
    return text === null ? null : (JSON.parse(text) as SealedMail);
  };
  return {
    async enqueue(mail, now, within = db) {
      const { to, content, isDecoy }: SealedMail = mail ? { ...mail, isDecoy: false } : DECOY;
      await within.outgoingMail.create({
        data: {
          userId: mail?.userId ?? null,
          sealed: keyring.seal(PURPOSE, JSON.stringify({ to, content, isDecoy })),
          createdAt: now,
          dueAt: now,
          expiresAt: mail?.expiresAt ?? new Date(now.getTime() + DECOY_EXPIRES_MS),
        },
        select: { id: true },
      });
    },

    async claim(now, untilAt) {
      for (let attempt = 0; attempt < CLAIM_TRIES; attempt += 1) {
        const row = await db.outgoingMail.findFirst({
          where: { dueAt: { lte: now } },
          orderBy: { dueAt: 'asc' },
          select: COLUMNS,
        });
        if (!row) return null;
        const { count } = await db.outgoingMail.updateMany({
          // Atomic: only the first process to change `dueAt` matches this row.
          where: { id: row.id, dueAt: row.dueAt },
          data: { dueAt: untilAt, tries: { increment: 1 } },
        });
        if (count > 0) {
          const { id, sealed, expiresAt, tries } = row;
          return { id, sealed: open(sealed), expiresAt, tries: tries + 1 };
        }
      }
      return null;
    },

    async remove(id) {
      await db.outgoingMail.deleteMany({ where: { id } });
    },

    async postpone(id, dueAt) {
      await db.outgoingMail.updateMany({ where: { id }, data: { dueAt } });
    },

    async removeTo(address) {
      for (let after = ''; ;) {
        const rows = await db.outgoingMail.findMany({
          where: { userId: null, id: { gt: after } },
          orderBy: { id: 'asc' },
          take: PAGE_ROWS,
          select: { id: true, sealed: true },
        });
        const matching = rows.filter(({ sealed }) => {
          const mail = open(sealed);
          return mail?.to === address && mail.content.kind !== 'account-deleted';
        });
        await db.outgoingMail.deleteMany({ where: { id: { in: matching.map(({ id }) => id) } } });
        if (rows.length < PAGE_ROWS) return;
        after = rows.at(-1)!.id;
      }
    },

    async removeExpired(now) {
      const { count } = await db.outgoingMail.deleteMany({ where: { expiresAt: { lte: now } } });
      return count;
    },
  };
}
