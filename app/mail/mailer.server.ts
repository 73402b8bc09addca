import type { Mailer } from './mail.ts';
import type { MailWorker } from './mail-worker.server.ts';
import type { OutgoingMails } from './outgoing-mails.server.ts';

/** Creates a mailer that stores each mail in the database, and wakes the worker to send it. */
export function createMailer(mails: OutgoingMails, worker: Pick<MailWorker, 'wake'>): Mailer {
  return {
    isOn: true,
    async send(mail, now, within) {
      await mails.enqueue(mail, now, within);
      worker.wake();
    },
  };
}

/** The mailer if mail cannot be sent: features that need mail are off, and notices are dropped. */
export const noMailer: Mailer = { isOn: false, send: () => Promise.resolve() };
