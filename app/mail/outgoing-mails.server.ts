import type { Database } from '#app/database/database.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';
import type { Mail, MailContent, MailTable } from './mail.ts';

/** What is kept of a mail, sealed; a decoy is only there to take as long as a mail. */
interface Sealed {
  to: string;
  content: MailContent;
  isDecoy: boolean;
}

/** A mail that this process alone may send until its claim runs out. */
export interface ClaimedMail {
  id: string;
  /** null: it was sealed under a key that is gone. */
  sealed: Sealed | null;
  expiresAt: Date;
  /** This one included. */
  tries: number;
}

/** The rows of mail that waits to be sent. */
export interface OutgoingMails {
  /** null: keeps a decoy. @throws what the database throws. */
  enqueue(mail: Mail | null, now: Date, within?: MailTable): Promise<void>;
  /**
   * Takes the mail that has been due the longest, for this process alone until `untilAt`: it is due
   * again then, should the process die. null: none is due.
   */
  claim(now: Date, untilAt: Date): Promise<ClaimedMail | null>;
  /** Removes one that was sent, or is of no use. */
  remove(id: string): Promise<void>;
  /** Gives one back, to be tried again at `dueAt`. */
  postpone(id: string, dueAt: Date): Promise<void>;
  /**
   * Removes what waits for this address and belongs to no account, but for the mail that says that its
   * account is deleted.
   */
  removeTo(address: string): Promise<void>;
  /** Removes all that are of no use any more; answers how many. */
  removeExpired(now: Date): Promise<number>;
}

const PURPOSE = 'outgoing-mail';
const DECOY_EXPIRES_MS = 600_000;
/** Other processes take the same row: look for another one this often. */
const CLAIM_TRIES = 20;
const PAGE_ROWS = 200;
const COLUMNS = { id: true, sealed: true, dueAt: true, expiresAt: true, tries: true } as const;

// As long as a mail with a code, and rendered as one is: nobody can tell by what it costs.
const DECOY: Sealed = {
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
  const open = (sealed: string): Sealed | null => {
    const text = keyring.open(PURPOSE, sealed);
    return text === null ? null : (JSON.parse(text) as Sealed);
  };
  return {
    async enqueue(mail, now, within = db) {
      const { to, content, isDecoy }: Sealed = mail ? { ...mail, isDecoy: false } : DECOY;
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
      for (let look = 0; look < CLAIM_TRIES; look += 1) {
        const row = await db.outgoingMail.findFirst({
          where: { dueAt: { lte: now } },
          orderBy: { dueAt: 'asc' },
          select: COLUMNS,
        });
        if (!row) return null;
        const { count } = await db.outgoingMail.updateMany({
          // Whoever moves it first has it; nobody else finds it where it was.
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
        const theirs = rows.filter(({ sealed }) => {
          const mail = open(sealed);
          return mail?.to === address && mail.content.kind !== 'account-deleted';
        });
        await db.outgoingMail.deleteMany({ where: { id: { in: theirs.map(({ id }) => id) } } });
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
