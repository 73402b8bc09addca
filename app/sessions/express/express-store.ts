import type { EventEmitter } from 'node:events';
import type { Request } from 'express';
import session, { type SessionData } from 'express-session';
import { StoreUnavailableError } from '../session-store.ts';
import { SessionsUnavailableError } from './store-errors.ts';
import type { StoreLog } from './store-log.ts';

/** What a store of express-session does, in promises. A throw means that nothing was done, or is known. */
export interface ExpressSessions {
  /** The session's data; null: there is no such live session. */
  get(sid: string): Promise<SessionData | null>;
  /** Creates a session that is new, or changes one that is live; never brings one back. */
  set(sid: string, session: SessionData): Promise<void>;
  /** Writes activity down. A session that is over stays so, without an error. */
  touch(sid: string, session: SessionData): Promise<void>;
  /** Ends them; those that are over already are no error. */
  destroy(sids: readonly string[]): Promise<void>;
  /** Live sessions by what is stored of their ids. */
  all(): Promise<Record<string, SessionData>>;
  ids(): Promise<string[]>;
  length(): Promise<number>;
  clear(): Promise<void>;
  /** Removes what has run out. Answers how many rows went. */
  prune(): Promise<number>;
  /** Told when express-session has made an object of its own from what `get` handed out. */
  adopt(stored: object, made: object): void;
  /** Lets go of what it holds. */
  close(): Promise<void>;
}

type Callback<Answer> = (error?: unknown, answer?: Answer) => void;

/** Called without a callback, the promise tells of the answer and of failure; with one, the callback does. */
export interface Answering<Args extends unknown[], Answer> {
  (...args: Args): Promise<Answer>;
  (...args: [...Args, callback: Callback<Answer> | undefined]): Promise<void>;
}

/** The part of express-session's class that is there; the rest is abstract. */
interface Inherited extends EventEmitter {
  regenerate(req: Request, callback: (error?: unknown) => unknown): void;
  load(sid: string, callback: (error: unknown, session?: SessionData) => unknown): void;
  createSession(req: Request, stored: SessionData): session.Session & SessionData;
}
const Store = session.Store as unknown as new () => Inherited;

export interface IntervalOptions {
  /** Milliseconds between two prunes. Default: none happen by themselves. */
  checkPeriod?: number;
}

/** More than that in one outage, and the first ones are forgotten. */
const MAX_UNREAD = 10_000;
const LONGEST_INTERVAL_MS = 2 ** 31 - 1;

/**
 * A store of express-session over {@link ExpressSessions}.
 *
 * It never says "disconnect" by itself. express-session would then pass requests on without a session,
 * and everybody who is signed in would be a stranger while the database is away; here each of them gets
 * an error with status 503.
 */
export abstract class ExpressStore extends Store {
  readonly #sessions: ExpressSessions;
  readonly #log: StoreLog;
  readonly #checkPeriodMs: number;
  #interval: NodeJS.Timeout | null = null;
  /** Ids that could not be read when they were last asked for. */
  readonly #unread = new Set<string>();

  /** @throws TypeError for a `checkPeriod` that is no interval. */
  protected constructor(
    sessions: ExpressSessions,
    { checkPeriod = 0 }: IntervalOptions,
    log: StoreLog,
  ) {
    super();
    if (!(checkPeriod >= 0 && checkPeriod <= LONGEST_INTERVAL_MS)) {
      throw new TypeError(`checkPeriod must be milliseconds, ${LONGEST_INTERVAL_MS} at most.`);
    }
    this.#sessions = sessions;
    this.#log = log;
    this.#checkPeriodMs = Math.floor(checkPeriod);
    this.startInterval();
  }

  /** The session's data; null: there is no such live session. */
  readonly get = answering((sid: string) => this.#read(sid));
  /** Creates or changes a session. Fails with a SessionEndedError when it was ended meanwhile. */
  readonly set = answering((sid: string, data: SessionData) => this.#sessions.set(sid, data));
  /** Moves the expiry on. */
  readonly touch = answering((sid: string, data: SessionData) => this.#sessions.touch(sid, data));
  /** Ends one session, or several. */
  readonly destroy = answering(async (sid: string | readonly string[]) => {
    if (typeof sid === 'string') this.#refuseIfUnread(sid);
    await this.#sessions.destroy(typeof sid === 'string' ? [sid] : sid);
  });
  /** Live sessions, by what is stored of their ids. */
  readonly all = answering(() => this.#sessions.all());
  /** What is stored of the ids of live sessions: enough to destroy them, and not to hold them. */
  readonly ids = answering(() => this.#sessions.ids());
  /** How many sessions are live. */
  readonly length = answering(() => this.#sessions.length());
  /** Ends every session. */
  readonly clear = answering(() => this.#sessions.clear());
  /** Removes what has run out. Answers how many rows went. */
  readonly prune = answering(() => this.#sessions.prune());
  /** Prunes no more, and disconnects. */
  readonly shutdown = answering(async () => {
    this.stopInterval();
    await this.#sessions.close();
  });

  /**
   * Prunes every `checkPeriod` from now on, if there is one.
   *
   * @param onIntervalError hears of a prune that failed; it is logged either way.
   */
  startInterval(onIntervalError?: (error: unknown) => void): void {
    this.stopInterval();
    if (this.#checkPeriodMs === 0) return;
    const prune = () =>
      this.prune().then(
        (gone) => this.#log.log(`prune(): ${gone} sessions were removed`),
        (error: unknown) => {
          this.#log.error('prune(): it failed, and is tried again', error);
          onIntervalError?.(error);
        },
      );
    this.#interval = setInterval(() => void prune(), this.#checkPeriodMs).unref();
  }

  /** Prunes no more by itself. */
  stopInterval(): void {
    if (this.#interval) clearInterval(this.#interval);
    this.#interval = null;
  }

  async #read(sid: string): Promise<SessionData | null> {
    try {
      const session = await this.#sessions.get(sid);
      this.#unread.delete(sid);
      return session;
    } catch (error) {
      if (this.#unread.size >= MAX_UNREAD) this.#unread.clear();
      this.#unread.add(sid);
      throw error;
    }
  }

  /**
   * With `unset: 'destroy'`, express-session ends a session at the end of a request that could not read
   * it: whoever came by in an outage would be signed out by that. Such a call is refused, once.
   */
  #refuseIfUnread(sid: string): void {
    if (!this.#unread.delete(sid)) return;
    throw new SessionsUnavailableError(new Error('The session could not be read before.'));
  }

  override createSession(req: Request, stored: SessionData): session.Session & SessionData {
    const made = super.createSession(req, stored);
    this.#sessions.adopt(stored, made);
    return made;
  }
}

/** Gives work that answers by a promise a callback as its last argument. */
function answering<Args extends unknown[], Answer>(
  work: (...args: Args) => Promise<Answer>,
): Answering<Args, Answer> {
  const asked = async (...args: Args) => {
    try {
      return await work(...args);
    } catch (error) {
      throw error instanceof StoreUnavailableError && !(error instanceof SessionsUnavailableError)
        ? new SessionsUnavailableError(error.cause)
        : error;
    }
  };
  const answer = (...args: unknown[]) => {
    const callback = args[work.length] as Callback<Answer> | undefined;
    const answered = asked(...(args.slice(0, work.length) as Args));
    if (typeof callback !== 'function') return answered;
    // Apart from the promise: what a callback throws is not the store's failure.
    return answered.then(
      (value) => void setImmediate(callback, undefined, value),
      (error: unknown) => void setImmediate(callback, error),
    );
  };
  return answer as Answering<Args, Answer>;
}
