import type { Transporter } from 'nodemailer';
import { SECOND_MS } from '#app/sessions/index.ts';
import { isPlainAddress, type Sender } from '#app/config/mail-address.ts';
import { RefusedMailError, type AddressedMail, type MailTransport } from './transport.ts';

const CONNECT_WITHIN_MS = 10 * SECOND_MS;
const ANSWER_WITHIN_MS = 30 * SECOND_MS;
const CONNECTIONS = 4;
const THIS_MACHINE = new Set(['localhost', '127.0.0.1', '[::1]']);
/** What may be said in the query of SMTP_URL; the rest could write mails to the console. */
const URL_OPTIONS = new Set([
  'requireTLS',
  'ignoreTLS',
  'name',
  'tls.servername',
  'tls.rejectUnauthorized',
  'tls.minVersion',
]);

/**
 * Sends by an SMTP server: `smtps://` speaks TLS from the first byte; `smtp://` has to turn to TLS
 * (STARTTLS, RFC 3207) where there is a password to send and the server is not this machine, and
 * does so wherever it is offered. `?requireTLS=…` says otherwise.
 */
export function createSmtpTransport(smtpUrl: string, from: Sender): MailTransport {
  let transporter: Promise<Transporter> | null = null;
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1);

  // Loaded with the first mail: a start has no need of it.
  const open = async (): Promise<Transporter> => {
    const { createTransport } = await import('nodemailer');
    return createTransport({
      url: checkedUrl(smtpUrl),
      pool: true,
      maxConnections: CONNECTIONS,
      // The worker tries again, and says so.
      maxRequeues: 1,
      connectionTimeout: CONNECT_WITHIN_MS,
      greetingTimeout: CONNECT_WITHIN_MS,
      dnsTimeout: CONNECT_WITHIN_MS,
      socketTimeout: ANSWER_WITHIN_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
    } as Parameters<typeof createTransport>[0]) as Transporter;
  };

  return {
    async deliver({ id, to, subject, html, text, at }: AddressedMail, signal) {
      if (!isPlainAddress(to)) throw new RefusedMailError('EADDRESS');
      transporter ??= open();
      const mail = {
        from,
        to: { name: '', address: to },
        // Who gets it is said by this alone, whatever a header looks like.
        envelope: { from: from.address, to: [to] },
        subject: subject.replace(/\p{Cc}+/gu, ' '),
        html,
        text,
        date: at,
        // The same when it is sent twice: mail programs then show it once.
        messageId: `<${id}@${domain}>`,
        // RFC 3834: nobody's holiday reply comes back.
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
        signal,
      };
      try {
        await (await transporter).sendMail(mail);
      } catch (error) {
        throw refusalOf(error) ?? error;
      }
    },
    close() {
      void transporter?.then((opened) => opened.close());
    },
  };
}

// A server that does not want this recipient or this mail; one that does not know us may yet learn to.
function refusalOf(error: unknown): RefusedMailError | null {
  const { responseCode, code } = error as { responseCode?: number; code?: string };
  const isForGood = responseCode !== undefined && responseCode >= 500 && responseCode < 600;
  const isAboutMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  return isForGood && isAboutMail ? new RefusedMailError(`${code} ${responseCode}`) : null;
}

function checkedUrl(smtpUrl: string): string {
  const url = new URL(smtpUrl);
  for (const option of [...url.searchParams.keys()]) {
    if (!URL_OPTIONS.has(option)) url.searchParams.delete(option);
  }
  const sendsPassword = url.password !== '' && !THIS_MACHINE.has(url.hostname);
  const saysSo = url.searchParams.has('requireTLS') || url.searchParams.has('ignoreTLS');
  if (url.protocol === 'smtp:' && sendsPassword && !saysSo) {
    url.searchParams.set('requireTLS', 'true');
  }
  return url.href;
}
