import type { Transporter } from 'nodemailer';
import { SECOND_MS } from '#app/sessions/index.ts';
import { isPlainAddress, type Sender } from '#app/config/mail-address.ts';
import { RefusedMailError, type AddressedMail, type MailTransport } from './transport.ts';

const CONNECT_WITHIN_MS = 10 * SECOND_MS;
const ANSWER_WITHIN_MS = 30 * SECOND_MS;
const CONNECTIONS = 4;
const THIS_MACHINE = new Set(['localhost', '127.0.0.1', '[::1]']);
/** The options allowed in the query of SMTP_URL. Others are dropped: some log mails to the console. */
const URL_OPTIONS = new Set([
  'requireTLS',
  'ignoreTLS',
  'name',
  'tls.servername',
  'tls.rejectUnauthorized',
  'tls.minVersion',
]);

/**
 * Creates a transport that sends by an SMTP server. `smtps://` uses TLS from the first byte. `smtp://`
 * upgrades to TLS (STARTTLS, RFC 3207) if the server offers it; it requires TLS if there is a password
 * and the server is not this machine. `?requireTLS=…` overrides this.
 */
export function createSmtpTransport(smtpUrl: string, from: Sender): MailTransport {
  let transporter: Promise<Transporter> | null = null;
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1);

  // Loaded with the first mail, to keep the start fast.
  const open = async (): Promise<Transporter> => {
    const { createTransport } = await import('nodemailer');
    return createTransport({
      url: checkedUrl(smtpUrl),
      pool: true,
      maxConnections: CONNECTIONS,
      // The worker retries failed mails, and logs it.
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
        // Only the envelope sets the recipient, whatever the headers contain.
        envelope: { from: from.address, to: [to] },
        subject: subject.replace(/\p{Cc}+/gu, ' '),
        html,
        text,
        date: at,
        // The same id on every attempt, so that mail programs show a repeated mail once.
        messageId: `<${id}@${domain}>`,
        // Suppresses automatic replies (RFC 3834).
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

// Returns an error if the server permanently refuses this recipient or mail. Other permanent errors, such
// as a wrong password, can be fixed by the operator, so the mail is retried.
function refusalOf(error: unknown): RefusedMailError | null {
  const { responseCode, code } = error as { responseCode?: number; code?: string };
  const isPermanent = responseCode !== undefined && responseCode >= 500 && responseCode < 600;
  const isAboutMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  return isPermanent && isAboutMail ? new RefusedMailError(`${code} ${responseCode}`) : null;
}

function checkedUrl(smtpUrl: string): string {
  const url = new URL(smtpUrl);
  for (const option of [...url.searchParams.keys()]) {
    if (!URL_OPTIONS.has(option)) url.searchParams.delete(option);
  }
  const sendsPassword = url.password !== '' && !THIS_MACHINE.has(url.hostname);
  const hasTlsOption = url.searchParams.has('requireTLS') || url.searchParams.has('ignoreTLS');
  if (url.protocol === 'smtp:' && sendsPassword && !hasTlsOption) {
    url.searchParams.set('requireTLS', 'true');
  }
  return url.href;
}
