import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { AddressedMail, MailTransport } from './transport.ts';

/** A mail in the outbox, as its file stores it. */
interface OutboxMail {
  kind: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  /** ISO 8601. */
  at: string;
}

/** A mail in the list of the outbox. */
type OutboxEntry = Pick<OutboxMail, 'kind' | 'to' | 'subject' | 'at'> & { mailId: string };

/** A transport that stores mails in a folder instead of sending them, for development on localhost. */
export interface Outbox extends MailTransport {
  /** Returns the mails, newest first. */
  list(): Promise<OutboxEntry[]>;
  /** Returns a mail; `null` if there is none with this id. */
  read(mailId: string): Promise<OutboxMail | null>;
  /**
   * Removes every mail to this address except confirmations of a deleted account: the user can read
   * them only in the outbox.
   */
  removeTo(address: string): Promise<void>;
}

interface OutboxOptions {
  folder: string;
  /** Creates the folder if it is missing. */
  makeFolder: (folder: string) => void;
}

const OWNER_ONLY = 0o600;
const KEPT_MAILS = 200;
const RANDOM_BYTES = 6;
/** Time in milliseconds, count, and random digits: ids sort by age, and cannot be guessed. */
const MAIL_ID = /^\d{14}-\d{6}-[0-9a-f]{12}$/;
const TIME_DIGITS = 14;
const COUNT_DIGITS = 6;

const mailSchema = z.object({
  kind: z.string(),
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  at: z.string(),
});

export function createOutbox({ folder, makeFolder }: OutboxOptions): Outbox {
  let count = 0;
  const fileOf = (mailId: string) => join(folder, `${mailId}.json`);

  const idsNewestFirst = async () => {
    const names = await readdir(folder).catch(whenMissing([]));
    return names
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length))
      .filter((id) => MAIL_ID.test(id))
      .sort()
      .reverse();
  };
  const read = async (mailId: string) => {
    if (!MAIL_ID.test(mailId)) return null;
    const text = await readFile(fileOf(mailId), 'utf8').catch(whenMissing(null));
    return text === null ? null : parseMail(text);
  };

  return {
    async deliver({ kind, to, subject, text, html, at }: AddressedMail) {
      makeFolder(folder);
      count += 1;
      const mailId = [
        String(at.getTime()).padStart(TIME_DIGITS, '0'),
        String(count).padStart(COUNT_DIGITS, '0'),
        randomBytes(RANDOM_BYTES).toString('hex'),
      ].join('-');
      const mail: OutboxMail = { kind, to, subject, text, html, at: at.toISOString() };
      const draft = join(folder, `${mailId}.draft`);
      await writeFile(draft, JSON.stringify(mail), { mode: OWNER_ONLY, flag: 'wx' });
      // A rename is atomic: no reader sees a partial mail.
      await rename(draft, fileOf(mailId));
      const tooMany = (await idsNewestFirst()).slice(KEPT_MAILS);
      await Promise.all(tooMany.map((id) => rm(fileOf(id), { force: true })));
    },
    close: () => undefined,
    read,
    async removeTo(address) {
      const ids = await idsNewestFirst();
      for (const id of ids) {
        const mail = await read(id);
        if (mail?.to !== address || mail.kind === 'account-deleted') continue;
        await rm(fileOf(id), { force: true });
      }
    },
    async list() {
      const ids = await idsNewestFirst();
      const entries = await Promise.all(
        ids.slice(0, KEPT_MAILS).map(async (mailId): Promise<OutboxEntry | null> => {
          const mail = await read(mailId);
          return (
            mail && { mailId, kind: mail.kind, to: mail.to, subject: mail.subject, at: mail.at }
          );
        }),
      );
      return entries.filter((entry) => entry !== null);
    },
  };
}

// Returns `null` for a file that was changed and is no longer a mail.
function parseMail(text: string): OutboxMail | null {
  try {
    return mailSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Returns a catch handler for a missing file or folder: there is no mail yet, or it was removed. */
function whenMissing<Value>(value: Value): (error: unknown) => Value {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return value;
    throw error;
  };
}
