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

interface MailOptions {
  env: Pick<Env, 'SMTP_URL' | 'MAIL_FROM' | 'OUTBOX_FOLDER' | 'isLocal'>;
  /** Scheme, host and port at which users reach the application. */
  origin: string;
  db: Database['client'];
  keyring: Keyring;
  now: () => Date;
  log: Log;
  /** Creates a folder that only this system user can access. */
  makeFolder: (folder: string) => void;
}

interface MailService {
  mailer: Mailer;
  /** `null` if mail is sent by SMTP, or is off. */
  outbox: Outbox | null;
  /** `null` if mail is off. */
  worker: MailWorker | null;
  /** Removes mails to this address from queue and outbox, except confirmations of a deleted account. */
  forget(address: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts the mail service. With SMTP_URL, mail is sent by SMTP. Without it, mail goes to the outbox on
 * localhost; elsewhere mail is off, and a log line names the features that are off.
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
    'SMTP_URL is not set, so mail is off, and with it e-mail verification, password reset, e-mail change and notices',
  );
  const { db, keyring } = options;
  return {
    mailer: noMailer,
    outbox: null,
    worker: null,
    // The queue may have mails from a time when SMTP_URL was set.
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
      // Mails that were queued in a transaction are visible only after its commit, so check again.
      worker.wake();
      if (!outbox) return;
      // Waits for running sends, which would add a mail to the outbox after the removal.
      await worker.idle();
      await outbox.removeTo(address);
    },
    close: () => worker.close(),
  };
}
