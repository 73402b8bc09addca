import type { Mailer } from './mail.ts';
import type { MailWorker } from './mail-worker.server.ts';
import type { OutgoingMails } from './outgoing-mails.server.ts';

/** A mailer that keeps each mail in the database, and has the worker send it. */
export function createMailer(mails: OutgoingMails, worker: Pick<MailWorker, 'wake'>): Mailer {
  return {
    isOn: true,
    async send(mail, now, within) {
      await mails.enqueue(mail, now, within);
      worker.wake();
    },
  };
}

/** Where no mail can be sent: what needs it is off, and what would only tell is not told. */
export const noMailer: Mailer = { isOn: false, send: () => Promise.resolve() };
