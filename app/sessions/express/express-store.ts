import type { EventEmitter } from 'node:events';
import type { Request } from 'express';
import session, { type SessionData } from 'express-session';
import { StoreUnavailableError } from '../session-store.ts';
import { SessionsUnavailableError } from './store-errors.ts';
import type { StoreLog } from './store-log.ts';

/** The operations of an express-session store. A throw means that nothing is known or was done. */
export interface ExpressSessions {
  /** Returns the session's data; null if there is no such live session. */
  get(sid: string): Promise<SessionData | null>;
  /** Creates a new session, or changes a live one. Never restores an ended one. */
  set(sid: string, session: SessionData): Promise<void>;
  /** Writes activity. Does nothing for an ended session, without an error. */
  touch(sid: string, session: SessionData): Promise<void>;
  /** Ends sessions. Ending an ended one is not an error. */
  destroy(sids: readonly string[]): Promise<void>;
  /** Returns the live sessions by their stored ids. */
  all(): Promise<Record<string, SessionData>>;
  ids(): Promise<string[]>;
  length(): Promise<number>;
  clear(): Promise<void>;
  /** Deletes expired sessions. Returns the number of deleted rows. */
  prune(): Promise<number>;
  /** Called when express-session has created its session object from the result of `get`. */
  adopt(stored: object, created: object): void;
  /** Releases its resources. */
  close(): Promise<void>;
}

type Callback<Answer> = (error?: unknown, answer?: Answer) => void;

/** A function that returns its result by a promise, or by a callback if there is one. */
export interface Answering<Args extends unknown[], Answer> {
  (...args: Args): Promise<Answer>;
  (...args: [...Args, callback: Callback<Answer> | undefined]): Promise<void>;
}

/** The methods that express-session's class implements. */
interface Inherited extends EventEmitter {
  regenerate(req: Request, callback: (error?: unknown) => unknown): void;
  load(sid: string, callback: (error: unknown, session?: SessionData) => unknown): void;
  createSession(req: Request, stored: SessionData): session.Session & SessionData;
}
const Store = session.Store as unknown as new () => Inherited;

export interface IntervalOptions {
  /** Milliseconds between two automatic prunes. Default: no automatic prunes. */
  checkPeriod?: number;
}

/** After more failed reads than this in one outage, the set of unread ids starts anew. */
const MAX_UNREAD = 10_000;
const LONGEST_INTERVAL_MS = 2 ** 31 - 1;

/**
 * A store of express-session over {@link ExpressSessions}.
 *
 * It never emits "disconnect" by itself. express-session would then pass requests on without a session,
 * so an outage of the database would sign out all users. This store answers with an error of status 503.
 */
export abstract class ExpressStore extends Store {
  readonly #sessions: ExpressSessions;
  readonly #log: StoreLog;
  readonly #checkPeriodMs: number;
  #interval: NodeJS.Timeout | null = null;
  /** Ids whose last read failed. */
  readonly #unread = new Set<string>();

  /** @throws TypeError for an invalid `checkPeriod`. */
  protected constructor(
    sessions: ExpressSessions,
    { checkPeriod = 0 }: IntervalOptions,
    log: StoreLog,
  ) {
    super();
    if (!(checkPeriod >= 0 && checkPeriod <= LONGEST_INTERVAL_MS)) {
      throw new TypeError(
        `checkPeriod must be a number of milliseconds, ${LONGEST_INTERVAL_MS} at most.`,
      );
    }
    this.#sessions = sessions;
    this.#log = log;
    this.#checkPeriodMs = Math.floor(checkPeriod);
    this.startInterval();
  }

  /** Returns the session's data; null if there is no such live session. */
  readonly get = answering((sid: string) => this.#read(sid));
  /** Creates or changes a session. Fails with a SessionEndedError if it was ended concurrently. */
  readonly set = answering((sid: string, data: SessionData) => this.#sessions.set(sid, data));
  /** Writes activity, which extends the expiry. */
  readonly touch = answering((sid: string, data: SessionData) => this.#sessions.touch(sid, data));
  /** Ends one or several sessions. */
  readonly destroy = answering(async (sid: string | readonly string[]) => {
    if (typeof sid === 'string') this.#refuseIfUnread(sid);
    await this.#sessions.destroy(typeof sid === 'string' ? [sid] : sid);
  });
  /** Returns the live sessions by their stored ids. */
  readonly all = answering(() => this.#sessions.all());
  /** Returns the stored ids of live sessions. They can destroy a session but not authenticate. */
  readonly ids = answering(() => this.#sessions.ids());
  /** Returns the number of live sessions. */
  readonly length = answering(() => this.#sessions.length());
  /** Ends every session. */
  readonly clear = answering(() => this.#sessions.clear());
  /** Deletes expired sessions. Returns the number of deleted rows. */
  readonly prune = answering(() => this.#sessions.prune());
  /** Stops automatic prunes and disconnects. */
  readonly shutdown = answering(async () => {
    this.stopInterval();
    await this.#sessions.close();
  });

  /**
   * Starts automatic prunes, one per `checkPeriod`, if that is set.
   *
   * @param onIntervalError called with the error of a failed prune, which is also logged.
   */
  startInterval(onIntervalError?: (error: unknown) => void): void {
    this.stopInterval();
    if (this.#checkPeriodMs === 0) return;
    const prune = () =>
      this.prune().then(
        (deleted) => this.#log.log(`prune(): deleted ${deleted} sessions`),
        (error: unknown) => {
          this.#log.error('prune() failed and will be retried', error);
          onIntervalError?.(error);
        },
      );
    this.#interval = setInterval(() => void prune(), this.#checkPeriodMs).unref();
  }

  /** Stops automatic prunes. */
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
   * Refuses one call of `destroy` after a failed read. With `unset: 'destroy'`, express-session destroys a
   * session at the end of a request that could not read it, so an outage would sign out its user.
   */
  #refuseIfUnread(sid: string): void {
    if (!this.#unread.delete(sid)) return;
    throw new SessionsUnavailableError(new Error('The last read of this session failed.'));
  }

  override createSession(req: Request, stored: SessionData): session.Session & SessionData {
    const created = super.createSession(req, stored);
    this.#sessions.adopt(stored, created);
    return created;
  }
}

/** Adds an optional callback as the last argument to a function that returns a promise. */
function answering<Args extends unknown[], Answer>(
  work: (...args: Args) => Promise<Answer>,
): Answering<Args, Answer> {
  const workWithErrors = async (...args: Args) => {
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
    const answered = workWithErrors(...(args.slice(0, work.length) as Args));
    if (typeof callback !== 'function') return answered;
    // Calls back outside of the promise, so that an error of the callback is not one of the store.
    return answered.then(
      (value) => void setImmediate(callback, undefined, value),
      (error: unknown) => void setImmediate(callback, error),
    );
  };
  return answer as Answering<Args, Answer>;
}
