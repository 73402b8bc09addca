import type { Request } from 'express';
import type { SessionData, Store } from 'express-session';
import type { Sessions } from '../sessions.ts';
import { createKeyedQueue } from '../stores/keyed-queue.ts';
import { formatToken, type Token } from '../token.ts';
import { applicationToken } from './application-token.ts';
import type { ExpressSessions } from './express-store.ts';
import type { ManagedData } from './managed-data.ts';
import {
  NobodysSessionError,
  SessionEndedError,
  SessionNotRenewedError,
  SessionsUnavailableError,
} from './store-errors.ts';

/** The device of a session, for the list of sessions. */
export interface ExpressDevice {
  userAgent: string;
  ipAddress: string;
  /** ISO 3166-1 alpha-2; null or absent if unknown. */
  country?: string | null;
}

export interface ManagedSessionsOptions<Meta = unknown, User = unknown> {
  /** The rules of the sessions, over the table that both applications share. */
  sessions: Pick<Sessions<Meta, User>, 'start' | 'resume' | 'revoke'>;
  /** The users' name for this application, such as "Back office". Unique among those that share a table. */
  application: string;
  /** Returns the user of the session; null or undefined while no user is signed in. */
  userIdFrom: (session: SessionData) => string | null | undefined;
  /** Saved with the session, for the list. Default: the name of the application. */
  meta?: Meta;
  /** Default: the browser's `User-Agent`, and `req.ip`, which follows Express's setting "trust proxy". */
  deviceFrom?: (request: Request) => ExpressDevice;
  /** The store for sessions without a user. Default: saving one is an error. */
  anonymous?: Store;
  /** Returns the current time. Default: the system clock. */
  clock?: () => Date;
}

/** The session of an object that express-session uses. `userId` is null while no user is signed in. */
interface KnownSession {
  sid: string;
  userId: string | null;
}

/**
 * Stores sessions of an Express application as rows of this table: each belongs to a user, follows the
 * same rules, and can be ended on the same page. The timeouts are those of `sessions`; those of the
 * cookie are only for the browser.
 */
export class ManagedSessions<Meta = unknown, User = unknown> implements ExpressSessions {
  readonly #options: ManagedSessionsOptions<Meta, User>;
  readonly #data: ManagedData;
  readonly #anonymous: Store | null;
  readonly #clock: () => Date;
  readonly #enqueue = createKeyedQueue();
  readonly #known = new WeakMap<object, KnownSession>();

  constructor(options: ManagedSessionsOptions<Meta, User>, data: ManagedData) {
    this.#options = options;
    this.#data = data;
    this.#anonymous = options.anonymous ?? null;
    this.#clock = options.clock ?? (() => new Date());
  }

  async get(sid: string): Promise<SessionData | null> {
    const token = this.#tokenOf(sid);
    if (!token) return null;
    const resumed = await this.#resume(token);
    if (resumed.state === 'ended') return null;
    if (resumed.state === 'unknown') return this.#getAnonymous(sid);
    const text = await this.#data.find(token.id);
    if (text === null) return null;
    const session = readData(text);
    this.#known.set(session, { sid, userId: resumed.session.userId });
    return session;
  }

  async set(sid: string, session: SessionData): Promise<void> {
    const token = this.#tokenOf(sid);
    if (!token) throw new TypeError('This is no session id of managedSessions(): use its genid.');
    // Read before the first await, because the session may change later.
    const data = JSON.stringify(session);
    const userId = this.#options.userIdFrom(session) ?? null;
    await this.#enqueue(sid, async () => {
      const owner = await this.#ownerOf(sid, token, session);
      if (owner === undefined) await this.#create(sid, token, { session, data, userId });
      else if (owner === null) await this.#changeAnonymous(sid, session, userId);
      else await this.#change(token, { data, userId, owner });
      // Keep the owner: after a sign-out, the session must not become another user's.
      this.#known.set(session, { sid, userId: owner ?? userId });
    });
  }

  async touch(sid: string, session: SessionData): Promise<void> {
    const token = this.#tokenOf(sid);
    const known = this.#known.get(session);
    if (known?.sid === sid && known.userId === null) await this.#touchAnonymous(sid, session);
    // If this request has read the session, the read already wrote activity.
    else if (token && known?.sid !== sid) await this.#resume(token);
  }

  async destroy(sids: readonly string[]): Promise<void> {
    for (const sid of sids) await this.#enqueue(sid, () => this.#destroyOne(sid));
  }

  async all(): Promise<Record<string, SessionData>> {
    const found: Record<string, SessionData> = {};
    for await (const { sessionId, data } of this.#live()) found[sessionId] = readData(data);
    return found;
  }

  async ids(): Promise<string[]> {
    const found: string[] = [];
    for await (const { sessionId } of this.#live()) found.push(sessionId);
    return found;
  }

  length(): Promise<number> {
    return this.#data.count(this.#clock());
  }

  async clear(): Promise<void> {
    for await (const { sessionId } of this.#live()) await this.#revoke(sessionId, 'administrator');
  }

  /** Deletes the data of ended sessions. A prune of `sessions` deletes their rows. */
  prune(): Promise<number> {
    return this.#data.prune(this.#clock());
  }

  adopt(stored: object, created: object): void {
    const known = this.#known.get(stored);
    if (known) this.#known.set(created, known);
  }

  // Does nothing, because the application closes the engine and the client.
  async close(): Promise<void> {}

  #tokenOf(sid: string): Token | null {
    return applicationToken(this.#options.application, sid);
  }

  #resume(token: Token, countsAsActivity = true) {
    const { sessions } = this.#options;
    return sessions.resume(formatToken(token), this.#clock(), { countsAsActivity });
  }

  /** Returns the session's user; null if it has none; undefined if the session does not exist yet. */
  async #ownerOf(sid: string, token: Token, session: object): Promise<string | null | undefined> {
    const known = this.#known.get(session);
    if (known?.sid === sid) return known.userId;
    const resumed = await this.#resume(token, false);
    if (resumed.state === 'ended') throw new SessionEndedError();
    return resumed.state === 'live' ? resumed.session.userId : undefined;
  }

  async #create(
    sid: string,
    token: Token,
    { session, data, userId }: { session: SessionData; data: string; userId: string | null },
  ): Promise<void> {
    if (userId === null) return this.#saveAnonymous(sid, session);
    // The id existed before sign-in, so an attacker may have planted it (session fixation).
    if (await this.#getAnonymous(sid)) throw new SessionNotRenewedError();
    const { sessions, application } = this.#options;
    const { req } = session as { req?: Request };
    const started = await sessions.start(
      {
        token,
        userId,
        remember: typeof session.cookie.originalMaxAge === 'number',
        meta: this.#options.meta ?? ({ application } as Meta),
        ...(req && (this.#options.deviceFrom ?? readExpressDevice)(req)),
      },
      this.#clock(),
    );
    try {
      const { id: sessionId, createdAt } = started.session;
      await this.#data.insert({ sessionId, userId, data, createdAt });
    } catch (error) {
      await this.#revoke(token.id, 'signed-out');
      throw error;
    }
  }

  async #change(
    token: Token,
    { data, userId, owner }: { data: string; userId: string | null; owner: string },
  ): Promise<void> {
    if (userId === null) {
      // The application removed the user from the session, which many use as their sign-out.
      await this.#revoke(token.id, 'signed-out');
    } else if (userId !== owner) {
      throw new SessionNotRenewedError();
    } else if (!(await this.#data.update(token.id, data, this.#clock()))) {
      throw new SessionEndedError();
    }
  }

  async #destroyOne(sid: string): Promise<void> {
    const token = this.#tokenOf(sid);
    if (!token) {
      // A public id from this application's list, which is enough to end a session.
      if ((await this.#data.find(sid)) !== null) await this.#revoke(sid, 'administrator');
      return;
    }
    const resumed = await this.#resume(token, false);
    if (resumed.state === 'live') await this.#revoke(token.id, 'signed-out');
    else if (resumed.state === 'unknown') await this.#destroyAnonymous(sid);
  }

  async #revoke(id: string, reason: 'signed-out' | 'administrator'): Promise<void> {
    const by = reason === 'signed-out' ? id : null;
    await this.#options.sessions.revoke(id, { reason, by }, this.#clock());
    await this.#data.delete(id);
  }

  async *#live(): AsyncGenerator<{ sessionId: string; data: string }> {
    const now = this.#clock();
    for (let after = ''; ;) {
      const page = await this.#data.page(after, now);
      yield* page;
      const last = page.at(-1);
      if (!last) return;
      after = last.sessionId;
    }
  }

  async #getAnonymous(sid: string): Promise<SessionData | null> {
    if (!this.#anonymous) return null;
    const session = await this.#askAnonymous<SessionData | null | undefined>((store, done) =>
      store.get(sid, done),
    );
    if (!session) return null;
    this.#known.set(session, { sid, userId: null });
    return session;
  }

  async #changeAnonymous(sid: string, session: SessionData, userId: string | null) {
    if (userId !== null) throw new SessionNotRenewedError();
    await this.#saveAnonymous(sid, session);
  }

  async #saveAnonymous(sid: string, session: SessionData): Promise<void> {
    if (!this.#anonymous) throw new NobodysSessionError();
    await this.#askAnonymous((store, done) => store.set(sid, session, done));
  }

  async #touchAnonymous(sid: string, session: SessionData): Promise<void> {
    await this.#askAnonymous((store, done) =>
      store.touch ? store.touch(sid, session, done) : done(undefined),
    );
  }

  async #destroyAnonymous(sid: string): Promise<void> {
    if (this.#anonymous) await this.#askAnonymous((store, done) => store.destroy(sid, done));
  }

  #askAnonymous<Answer = void>(
    call: (store: Store, done: (error?: unknown, answer?: Answer) => void) => void,
  ): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      call(this.#anonymous!, (error, answer) =>
        error ? reject(new SessionsUnavailableError(error)) : resolve(answer),
      );
    });
  }
}

function readExpressDevice(request: Request): ExpressDevice {
  return { userAgent: request.headers['user-agent'] ?? '', ipAddress: request.ip ?? '' };
}

function readData(text: string): SessionData {
  try {
    return JSON.parse(text) as SessionData;
  } catch (error) {
    throw new SessionsUnavailableError(error);
  }
}
