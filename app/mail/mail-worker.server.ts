import type { Log } from '#app/operations/log.server.ts';
import { MINUTE_MS, SECOND_MS } from '#app/sessions/index.ts';
import type { ClaimedMail, OutgoingMails } from './outgoing-mails.server.ts';
import { RefusedMailError, type MailTransport } from './transport.ts';

interface MailWorkerOptions {
  mails: OutgoingMails;
  transport: MailTransport;
  /** Scheme, host and port of the application, for the links in mails. */
  origin: string;
  now: () => Date;
  log: Log;
}

/** Sends the queued mails in the background, a few at a time. */
export interface MailWorker {
  /** Makes the worker check soon for mails that are due. */
  wake(): void;
  /** Resolves when no mail is being sent. */
  idle(): Promise<void>;
  /** Stops taking mails, and waits up to ten seconds for running attempts. */
  close(): Promise<void>;
}

const MAX_SENDERS = 4;
/** A claim lasts longer than any attempt, so that no other process sends the same mail meanwhile. */
const SEND_WITHIN_MS = MINUTE_MS;
const CLAIMED_FOR_MS = 2 * MINUTE_MS;
/** The response to the request that queued the mail goes first. */
const WAKE_AFTER_MS = 20;
/** How often to check for mails of stopped processes, and for mails that a clock change made due. */
const POLL_MS = 30 * SECOND_MS;
const STOP_WITHIN_MS = 10 * SECOND_MS;
const FIRST_PAUSE_MS = 5 * SECOND_MS;
const LONGEST_PAUSE_MS = 15 * MINUTE_MS;

/** Returns the pause in milliseconds after this many failed attempts. */
function pauseAfter(tries: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
}

/** Starts the worker. It first sends the mails of an earlier run. */
export function startMailWorker(options: MailWorkerOptions): MailWorker {
  const { mails, transport, origin, now, log } = options;
  const senders = new Set<Promise<void>>();
  const timers = new Set<NodeJS.Timeout>();
  /** Ids of sent mails whose rows are not removed yet: they must not be sent twice. */
  const sent = new Set<string>();
  const stopping = new AbortController();
  let isClosed = false;
  let isWakeDue = false;
  let isMoreDue = false;

  const wakeIn = (ms: number) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      startSender();
    }, ms);
    timers.add(timer.unref());
  };
  const wake = () => {
    if (isClosed || isWakeDue) return;
    isWakeDue = true;
    const timer = setTimeout(() => {
      timers.delete(timer);
      isWakeDue = false;
      startSender();
    }, WAKE_AFTER_MS);
    timers.add(timer.unref());
  };

  function startSender() {
    if (isClosed) return;
    if (senders.size >= MAX_SENDERS) {
      isMoreDue = true;
      return;
    }
    const sender = sendDueMails()
      .catch((error: unknown) => {
        log.warn({ code: codeOf(error) }, 'the mail queue could not be read; retrying soon');
      })
      .finally(() => {
        senders.delete(sender);
        if (isMoreDue) {
          isMoreDue = false;
          startSender();
        }
      });
    senders.add(sender);
  }

  async function sendDueMails() {
    for (;;) {
      if (isClosed) return;
      const claimedAt = now();
      const mail = await mails.claim(claimedAt, later(claimedAt, CLAIMED_FOR_MS));
      if (!mail) return;
      // There may be more mails, which need not wait for this one.
      startSender();
      await sendOrDiscard(mail);
    }
  }

  async function sendOrDiscard(mail: ClaimedMail) {
    const { id, sealed, tries } = mail;
    if (sent.has(id) || mail.expiresAt <= now()) return removeMail(id);
    if (!sealed) {
      log.error(
        { mail: id },
        'a mail cannot be decrypted, because its key was removed; it is not sent',
      );
      return removeMail(id);
    }
    try {
      await send(id, sealed);
    } catch (error) {
      const code = codeOf(error);
      if (error instanceof RefusedMailError) {
        log.error({ mail: id, code }, 'a mail was refused; it is not sent');
        return removeMail(id);
      }
      return retryLater(mail, code, tries);
    }
    sent.add(id);
    await removeMail(id);
  }

  async function send(id: string, { to, content, isDecoy }: NonNullable<ClaimedMail['sealed']>) {
    // Loaded with the first mail, to keep the start fast.
    const { renderMail } = await import('./render-mail.server.tsx');
    const rendered = await renderMail(content, { origin });
    if (isDecoy) return;
    const signal = AbortSignal.any([AbortSignal.timeout(SEND_WITHIN_MS), stopping.signal]);
    const mail = { id, kind: content.kind, to, at: now(), ...rendered };
    await transport.deliver(mail, signal);
  }

  async function removeMail(id: string) {
    await mails.remove(id);
    sent.delete(id);
  }

  async function retryLater({ id, expiresAt }: ClaimedMail, code: string, tries: number) {
    const pauseMs = pauseAfter(tries);
    const dueAt = later(now(), pauseMs);
    if (dueAt >= expiresAt) {
      log.error({ mail: id, code, tries }, 'a mail could not be sent in time; it is given up');
      return removeMail(id);
    }
    log.warn({ mail: id, code, tries, dueAt }, 'a mail could not be sent; it is retried');
    await mails.postpone(id, dueAt);
    if (!isClosed) wakeIn(pauseMs);
  }

  const poll = setInterval(() => {
    mails
      .removeExpired(now())
      .catch((error: unknown) => {
        log.warn({ code: codeOf(error) }, 'the mail queue could not be read; retrying soon');
      })
      .finally(startSender);
  }, POLL_MS).unref();
  wake();

  const idle = async () => {
    while (isWakeDue || senders.size > 0) {
      await Promise.all([...senders, new Promise((resolve) => setTimeout(resolve, WAKE_AFTER_MS))]);
    }
  };

  return {
    wake,
    idle,
    async close() {
      isClosed = true;
      clearInterval(poll);
      for (const timer of timers) clearTimeout(timer);
      const giveUp = setTimeout(() => stopping.abort(), STOP_WITHIN_MS);
      await Promise.all(senders);
      clearTimeout(giveUp);
      transport.close();
    },
  };
}

function later(moment: Date, ms: number): Date {
  return new Date(moment.getTime() + ms);
}

// The message of an error may contain an address or SQL; its code does not.
function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown';
}
