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

/** Before its end by so much, a session's pages say that it is near. */
export const NOTICE_MS = 2 * MINUTE_MS;
/** Once it is near, the row is read as often as this: another page may have put it off. */
const NEAR_CHECK_MS = 10 * SECOND_MS;
/** A store that did not answer is asked again after this long. */
const ASK_AGAIN_MS = 5 * SECOND_MS;

export interface SessionStreamOptions {
  stream: EventStream;
  sessions: Pick<Sessions, 'resume' | 'find' | 'timeouts'>;
  token: string;
  session: Session;
  now: () => Date;
  onOutage: (error: unknown) => void;
}

/** Why a session's pages close. `unknown`: its row is gone, and with it the reason. */
export type StreamEnding = EndReason | 'unknown';

/**
 * The stream of one browser: what happens to its session, and that something did to the person's
 * others. News only make it look; what it tells stands in the row.
 */
export class SessionStream {
  readonly sessionId: string;
  readonly userId: string;
  readonly #options: SessionStreamOptions;
  #expiresAtMs = 0;
  /** When the row is to be read the next time, news or not. */
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

  /** Takes news of this person's sessions. */
  hear({ kind, id }: SessionEvent): void {
    const isOwn = id === this.sessionId || id === null;
    if (!isOwn || kind === 'changed') this.#noteChange();
    if (isOwn) void this.check();
  }

  /** News may have been missed. */
  async catchUp(): Promise<void> {
    await this.check();
    this.#noteChange();
  }

  /** What is due: a heartbeat, another look at the row. */
  tick(now: Date): void {
    this.#options.stream.beat(now);
    if (now.getTime() >= this.#checkAtMs) void this.check();
  }

  /** Reads the row, and ends the stream when the session is over or has another token. */
  async check(): Promise<void> {
    // News that come while the row is read may be newer than what is read.
    this.#isDoubtful = true;
    if (this.#isChecking) return;
    this.#isChecking = true;
    while (this.#isDoubtful && !this.#isEnded) {
      this.#isDoubtful = false;
      await this.#look();
    }
    this.#isChecking = false;
  }

  /** Ends it without a reason: the browser comes back, here or elsewhere. */
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
      // Under a new token the session lives on: its browser comes back with that one.
      const isThere = (await sessions.find(this.sessionId, this.userId)) !== null;
      if (isThere) this.end();
      else this.#tellEnding('unknown');
    } catch (error) {
      // An outage is no sign-out: the page stays, and so does the doubt.
      this.#checkAtMs = now().getTime() + ASK_AGAIN_MS;
      onOutage(error);
    }
  }

  #tellEnding(reason: StreamEnding): void {
    if (this.#isEnded) return;
    this.#options.stream.send('ended', JSON.stringify({ reason }));
    this.end();
  }

  // Many come at once when "everywhere else" is signed out; the page asks once.
  #noteChange(): void {
    this.#changes += 1;
    if (this.#isChangeDue || this.#isEnded) return;
    this.#isChangeDue = true;
    setImmediate(() => {
      this.#isChangeDue = false;
      if (!this.#isEnded) this.#options.stream.send('sessions', String(this.#changes));
    });
  }

  // Told when it changed, and once more when it is near: a browser's clock may have slept.
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
