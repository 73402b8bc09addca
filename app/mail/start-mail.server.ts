import type { Database } from '#app/database/database.server.ts';
import type { Env } from '#app/config/env.server.ts';
import type { Keyring } from '#app/config/keyring.server.ts';
import type { Log } from '#app/operations/log.server.ts';
import { defaultSender, parseSender } from '#app/config/mail-address.ts';
import type { Mailer } from './mail.ts';
import { startMailWorker, type MailWorker } from './mail-worker.server.ts';
import { createMailer, noMailer } from './mailer.server.ts';
import { createOutbox, type Outbox } from './outbox.server.ts';
import { createOutgoingMails } from './outgoing-mails.server.ts';
import { createSmtpTransport } from './smtp-transport.server.ts';

export interface MailOptions {
  env: Pick<Env, 'SMTP_URL' | 'MAIL_FROM' | 'OUTBOX_FOLDER' | 'isLocal'>;
  /** Scheme, host and port under which people reach the application. */
  origin: string;
  db: Database['client'];
  keyring: Keyring;
  now: () => Date;
  log: Log;
  /** Makes a folder for this user alone. */
  makeFolder: (folder: string) => void;
}

export interface MailService {
  mailer: Mailer;
  /** null: mail is sent, or cannot be. */
  outbox: Outbox | null;
  /** null: there is nothing to send. */
  worker: MailWorker | null;
  /** Removes what waits for this address or lies in the outbox, but for the word that its account is deleted. */
  forget(address: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Mail by SMTP where there is a server for it; else, on this very machine, into the outbox, so that
 * everything can be tried; else none, and a line in the log that says what is off.
 */
export function startMail(options: MailOptions): MailService {
  const { env, origin, log } = options;
  if (env.SMTP_URL) {
    const sender = parseSender(env.MAIL_FROM ?? '') ?? defaultSender(origin);
    log.info('mail is sent by SMTP_URL');
    const transport = createSmtpTransport(env.SMTP_URL, sender);
    return { ...startSending(options, transport, null), outbox: null };
  }
  if (env.isLocal) {
    const { makeFolder } = options;
    const outbox = createOutbox({ folder: env.OUTBOX_FOLDER, makeFolder });
    log.info({ outbox: `${origin}/outbox` }, 'SMTP_URL is not set: mail is kept in the outbox');
    return { ...startSending(options, outbox, outbox), outbox };
  }
  log.warn(
    'SMTP_URL is not set, so no mail can be sent: confirming addresses, setting a forgotten password anew, changing the e-mail and notices are off',
  );
  const { db, keyring } = options;
  return {
    mailer: noMailer,
    outbox: null,
    worker: null,
    // Of a time when there was a server for it.
    forget: (address) => createOutgoingMails(db, keyring).removeTo(address),
    close: () => Promise.resolve(),
  };
}

function startSending(
  { db, keyring, origin, now, log }: MailOptions,
  transport: Parameters<typeof startMailWorker>[0]['transport'],
  outbox: Outbox | null,
) {
  const mails = createOutgoingMails(db, keyring);
  const worker = startMailWorker({ mails, transport, origin, now, log });
  return {
    mailer: createMailer(mails, worker),
    worker,
    async forget(address: string) {
      await mails.removeTo(address);
      // What was put into a transaction is there to be seen only now.
      worker.wake();
      if (!outbox) return;
      // What is under way would lie in the outbox a moment later.
      await worker.idle();
      await outbox.removeTo(address);
    },
    close: () => worker.close(),
  };
}
