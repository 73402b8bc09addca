import {
  expiryOf,
  lifetimeEndOf,
  MINUTE_MS,
  SECOND_MS,
  type EndReason,
  type Session,
  type SessionEvent,
  type Sessions,
} from '#app/sessions/index.ts';
import type { EventStream } from './event-stream.server.ts';

/** How long before its expiry a session's pages show a notice. */
const NOTICE_MS = 2 * MINUTE_MS;
/** How often the row is read when the expiry is near: another page may have extended the session. */
const NEAR_CHECK_MS = 10 * SECOND_MS;
/** How long to wait before reading the row again after a store error. */
const ASK_AGAIN_MS = 5 * SECOND_MS;

interface SessionStreamOptions {
  stream: EventStream;
  sessions: Pick<Sessions, 'resume' | 'find' | 'timeouts'>;
  token: string;
  session: Session;
  now: () => Date;
  onOutage: (error: unknown) => void;
}

/** Why a session ended. `unknown`: its row, and with it the reason, no longer exists. */
export type StreamEnding = EndReason | 'unknown';

/**
 * The stream of one browser: reports changes of its session, and that other sessions of the user
 * changed. A message of the feed only triggers a read; the stream reports what the row says.
 */
export class SessionStream {
  readonly sessionId: string;
  readonly userId: string;
  readonly #options: SessionStreamOptions;
  #expiresAtMs = 0;
  /** When the row is read next, even without a message of the feed. */
  #checkAtMs = 0;
  #isChecking = false;
  #isDoubtful = false;
  #isEnded = false;
  #changes = 0;
  #isChangeDue = false;
  #isNearTold = false;

  constructor(options: SessionStreamOptions) {
    this.#options = options;
    this.sessionId = options.session.id;
    this.userId = options.session.userId;
    this.#tellExpiry(options.session);
  }

  /** Handles a message of the feed about this user's sessions. */
  hear({ kind, id }: SessionEvent): void {
    const isOwn = id === this.sessionId || id === null;
    if (!isOwn || kind === 'changed') this.#noteChange();
    if (isOwn) void this.check();
  }

  /** Reads the row and reports a change, because messages of the feed may have been missed. */
  async catchUp(): Promise<void> {
    await this.check();
    this.#noteChange();
  }

  /** Sends a heartbeat and reads the row, if they are due. */
  tick(now: Date): void {
    this.#options.stream.beat(now);
    if (now.getTime() >= this.#checkAtMs) void this.check();
  }

  /** Reads the row, and ends the stream if the session has ended or has another token. */
  async check(): Promise<void> {
    // A message that arrives during a read may be newer than the row that was read: then read again.
    this.#isDoubtful = true;
    if (this.#isChecking) return;
    this.#isChecking = true;
    while (this.#isDoubtful && !this.#isEnded) {
      this.#isDoubtful = false;
      await this.#look();
    }
    this.#isChecking = false;
  }

  /** Ends the stream without a reason; the browser reconnects, to this process or another. */
  end(): void {
    this.#isEnded = true;
    this.#options.stream.end();
  }

  async #look(): Promise<void> {
    const { sessions, token, now, onOutage } = this.#options;
    try {
      const resumed = await sessions.resume(token, now(), { countsAsActivity: false });
      if (resumed.state === 'live') return this.#tellExpiry(resumed.session);
      if (resumed.state === 'ended') return this.#tellEnding(resumed.ending.reason);
      // The session has a new token, with which its browser reconnects.
      const isThere = (await sessions.find(this.sessionId, this.userId)) !== null;
      if (isThere) this.end();
      else this.#tellEnding('unknown');
    } catch (error) {
      // An outage never signs anyone out: keeps the stream open, and reads the row again later.
      this.#checkAtMs = now().getTime() + ASK_AGAIN_MS;
      onOutage(error);
    }
  }

  #tellEnding(reason: StreamEnding): void {
    if (this.#isEnded) return;
    this.#options.stream.send('ended', JSON.stringify({ reason }));
    this.end();
  }

  // Combines changes: "sign out everywhere else" reports many at once, and the page must load only once.
  #noteChange(): void {
    this.#changes += 1;
    if (this.#isChangeDue || this.#isEnded) return;
    this.#isChangeDue = true;
    setImmediate(() => {
      this.#isChangeDue = false;
      if (!this.#isEnded) this.#options.stream.send('sessions', String(this.#changes));
    });
  }

  // Sends the expiry when it changed, and once more when it is near: the browser may have been asleep.
  #tellExpiry(session: Session): void {
    const { stream, sessions, now } = this.#options;
    const nowMs = now().getTime();
    const expiresAt = expiryOf(session, sessions.timeouts);
    const leftMs = expiresAt.getTime() - nowMs;
    const isNear = leftMs <= NOTICE_MS;
    const isNews = expiresAt.getTime() !== this.#expiresAtMs || (isNear && !this.#isNearTold);
    if (isNews && !this.#isEnded) {
      const canStay = expiresAt < lifetimeEndOf(session, sessions.timeouts);
      stream.send('expires', JSON.stringify({ at: expiresAt.toISOString(), leftMs, canStay }));
    }
    this.#isNearTold = isNear;
    this.#expiresAtMs = expiresAt.getTime();
    this.#checkAtMs = isNear
      ? Math.min(nowMs + NEAR_CHECK_MS, this.#expiresAtMs)
      : this.#expiresAtMs - NOTICE_MS;
  }
}
