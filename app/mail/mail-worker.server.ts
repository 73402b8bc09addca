import type { Log } from '#app/operations/log.server.ts';
import { MINUTE_MS, SECOND_MS } from '#app/sessions/index.ts';
import type { ClaimedMail, OutgoingMails } from './outgoing-mails.server.ts';
import { RefusedMailError, type MailTransport } from './transport.ts';

export interface MailWorkerOptions {
  mails: OutgoingMails;
  transport: MailTransport;
  /** Scheme, host and port of the application, as mails show it. */
  origin: string;
  now: () => Date;
  log: Log;
}

/** Sends the mail that waits, in the background, a few at a time. */
export interface MailWorker {
  /** Has it look soon for mail that is due. */
  wake(): void;
  /** Comes back once nothing is under way: for tests. */
  idle(): Promise<void>;
  /** Takes on no more; what is being sent finishes, or is left for the next start. */
  close(): Promise<void>;
}

const AT_ONCE = 4;
/** A claim outlives the longest attempt, so that no other process sends the same mail meanwhile. */
const SEND_WITHIN_MS = MINUTE_MS;
const CLAIMED_FOR_MS = 2 * MINUTE_MS;
/** The answer to whoever asked for the mail goes first. */
const WAKE_AFTER_MS = 20;
/** For what other processes left behind, and for what a moved clock made due. */
const POLL_MS = 30 * SECOND_MS;
const STOP_WITHIN_MS = 10 * SECOND_MS;
const FIRST_PAUSE_MS = 5 * SECOND_MS;
const LONGEST_PAUSE_MS = 15 * MINUTE_MS;

/** How long to wait after this many tries failed. */
export function pauseAfter(tries: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
}

/** Starts the worker. It looks at once for what an earlier run left behind. */
export function startMailWorker(options: MailWorkerOptions): MailWorker {
  const { mails, transport, origin, now, log } = options;
  const lanes = new Set<Promise<void>>();
  const timers = new Set<NodeJS.Timeout>();
  /** Sent, though the row could not be removed yet: it must not go out twice. */
  const sent = new Set<string>();
  const stopping = new AbortController();
  let isClosed = false;
  let isWakeDue = false;
  let lookAgain = false;

  const wakeIn = (ms: number) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      openLane();
    }, ms);
    timers.add(timer.unref());
  };
  const wake = () => {
    if (isClosed || isWakeDue) return;
    isWakeDue = true;
    const timer = setTimeout(() => {
      timers.delete(timer);
      isWakeDue = false;
      openLane();
    }, WAKE_AFTER_MS);
    timers.add(timer.unref());
  };

  function openLane() {
    if (isClosed) return;
    if (lanes.size >= AT_ONCE) {
      lookAgain = true;
      return;
    }
    const lane = sendWhatIsDue()
      .catch((error: unknown) => {
        log.warn({ code: codeOf(error) }, 'mail could not be looked after; it is tried again soon');
      })
      .finally(() => {
        lanes.delete(lane);
        if (lookAgain) {
          lookAgain = false;
          openLane();
        }
      });
    lanes.add(lane);
  }

  async function sendWhatIsDue() {
    for (;;) {
      if (isClosed) return;
      const claimedAt = now();
      const mail = await mails.claim(claimedAt, later(claimedAt, CLAIMED_FOR_MS));
      if (!mail) return;
      // Where there is one there may be more: they need not wait for a slow server.
      openLane();
      await handle(mail);
    }
  }

  async function handle(mail: ClaimedMail) {
    const { id, sealed, tries } = mail;
    if (sent.has(id) || mail.expiresAt <= now()) return settle(id);
    if (!sealed) {
      log.error({ mail: id }, 'a mail cannot be read: its key is gone; it is not sent');
      return settle(id);
    }
    try {
      await send(id, sealed);
    } catch (error) {
      const code = codeOf(error);
      if (error instanceof RefusedMailError) {
        log.error({ mail: id, code }, 'a mail was refused; it is not sent');
        return settle(id);
      }
      return showAgain(mail, code, tries);
    }
    sent.add(id);
    await settle(id);
  }

  async function send(id: string, { to, content, isDecoy }: NonNullable<ClaimedMail['sealed']>) {
    // Loaded with the first mail: a start has no need of it.
    const { renderMail } = await import('./render-mail.server.tsx');
    const rendered = await renderMail(content, { origin });
    if (isDecoy) return;
    const signal = AbortSignal.any([AbortSignal.timeout(SEND_WITHIN_MS), stopping.signal]);
    const letter = { id, kind: content.kind, to, at: now(), ...rendered };
    await transport.deliver(letter, signal);
  }

  async function settle(id: string) {
    await mails.remove(id);
    sent.delete(id);
  }

  async function showAgain({ id, expiresAt }: ClaimedMail, code: string, tries: number) {
    const pauseMs = pauseAfter(tries);
    const dueAt = later(now(), pauseMs);
    if (dueAt >= expiresAt) {
      log.error({ mail: id, code, tries }, 'a mail could not be sent in time; it is given up');
      return settle(id);
    }
    log.warn({ mail: id, code, tries, dueAt }, 'a mail could not be sent; it is tried again');
    await mails.postpone(id, dueAt);
    if (!isClosed) wakeIn(pauseMs);
  }

  const poll = setInterval(() => {
    mails
      .removeExpired(now())
      .catch((error: unknown) => {
        log.warn({ code: codeOf(error) }, 'mail could not be looked after; it is tried again soon');
      })
      .finally(openLane);
  }, POLL_MS).unref();
  wake();

  const idle = async () => {
    while (isWakeDue || lanes.size > 0) {
      await Promise.all([...lanes, new Promise((resolve) => setTimeout(resolve, WAKE_AFTER_MS))]);
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
      await Promise.all(lanes);
      clearTimeout(giveUp);
      transport.close();
    },
  };
}

function later(moment: Date, ms: number): Date {
  return new Date(moment.getTime() + ms);
}

// The message of an error may name an address or hold a statement; its code does not.
function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown';
}
