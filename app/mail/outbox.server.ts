import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { AddressedMail, MailTransport } from './transport.ts';

/** A mail of the outbox, as it stands in its file. */
export interface OutboxMail {
  kind: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  /** ISO 8601. */
  at: string;
}

/** What a list shows of a mail. */
export type OutboxEntry = Pick<OutboxMail, 'kind' | 'to' | 'subject' | 'at'> & { mailId: string };

/** A folder in which mail is put in place of sending it, for whoever tries Latchkey on one machine. */
export interface Outbox extends MailTransport {
  /** The newest first. */
  list(): Promise<OutboxEntry[]>;
  /** null: there is none of this id. */
  read(mailId: string): Promise<OutboxMail | null>;
  /**
   * Removes every mail to this address, but for those that say that its account is deleted: they are
   * the last that the person hears, and on this machine there is no other place to read them.
   */
  removeTo(address: string): Promise<void>;
}

export interface OutboxOptions {
  folder: string;
  /** Makes the folder, should it not be there. */
  makeFolder: (folder: string) => void;
}

const OWNER_ONLY = 0o600;
const KEPT_MAILS = 200;
const RANDOM_BYTES = 6;
/** When it was written, which one of that moment, and something that nobody guesses: they sort by age. */
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
      // All of it at once: nobody reads half a mail.
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

// A file that somebody has changed is none of ours.
function parseMail(text: string): OutboxMail | null {
  try {
    return mailSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** For a file or folder that is not there: no mail yet, or one that has made room. */
function whenMissing<Value>(value: Value): (error: unknown) => Value {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return value;
    throw error;
  };
}
