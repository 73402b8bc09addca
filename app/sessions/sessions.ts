import {
  DAY_MS,
  endingOf,
  expiryAfter,
  isDueForTouch,
  isFresh,
  isLive,
  timeoutsFrom,
  withoutSecret,
  type EndReason,
  type SessionEnd,
  type Session,
  type SessionRecord,
  type Timeouts,
} from './session.ts';
import type { NewsFeed, SessionFeed, SessionEvent } from './session-feed.ts';
import type { SessionLookup } from './session-cache.ts';
import {
  MissingStoreFunctionError,
  StoreUnavailableError,
  type SessionsPage,
  type SessionStore,
  type StoredSession,
} from './session-store.ts';
import {
  createToken,
  formatToken,
  hashSecret,
  matchesHash,
  parseToken,
  renewToken,
  type Token,
} from './token.ts';

export interface SessionsOptions<Meta = unknown, User = unknown> {
  store: SessionStore<Meta, User>;
  /** Default: `defaultTimeouts`, for each timeout. */
  timeouts?: Partial<Timeouts>;
  /**
   * Whether activity extends a session. With 'fixed', a session expires at the time that `start` set,
   * whatever the activity. Only the lifetime matters then, so no idle timeout should be shorter.
   * Default 'sliding'.
   */
  expiry?: 'sliding' | 'fixed';
  /** Maximum number of live sessions per user. Beyond it the least recently used ends. Default 100. */
  maxPerUser?: number;
  /** How long the store keeps an ended session, in milliseconds. Default 30 days. */
  retentionMs?: number;
  /**
   * Delivers session events. Without it no events are published. If it has `settle()`, a revoke waits
   * until no node's cache answers for the session.
   */
  feed?: Pick<NewsFeed, 'publish'> & Partial<Pick<SessionFeed, 'settle'>>;
  /** Answers in place of the store. Needs the same feed, with leases. Default: no cache. */
  cache?: SessionLookup<Meta, User>;
}

/** The details of a session to start. */
export interface NewSession<Meta = unknown> {
  userId: string;
  /** A token from `createToken`, if it had to exist before the session. Default: a new one. */
  token?: Token;
  /** Default false. */
  remember?: boolean;
  /** When the session expires, unless its lifetime ends earlier. Only with `expiry: 'fixed'`. */
  expiresAt?: Date;
  label?: string | null;
  userAgent?: string;
  ipAddress?: string;
  country?: string | null;
  meta?: Meta | null;
  /** The previous session of this browser, as resumed from its cookie. It ends. */
  replaces?: Session | null;
}

/** A new token and its session. The token is returned only here and only once. */
export interface StartedSession<Meta = unknown> {
  /** `id.secret`, for the cookie or the `Authorization: Bearer` header. */
  token: string;
  session: Session<Meta>;
}

/** The result of looking up a token. */
export type ResumedSession<Meta = unknown, User = unknown> =
  | { state: 'live'; session: Session<Meta>; user: User | null }
  /** The token is authentic, but its session ended. The device may be told why. */
  | { state: 'ended'; session: Session<Meta>; ending: SessionEnd }
  /** The token is malformed, was never issued or was pruned, or its secret is wrong. */
  | { state: 'unknown' };

/** A page of the sessions of one user. */
export interface UserSessions<Meta = unknown> {
  /** Newest activity first. */
  live: Session<Meta>[];
  /** Most recently ended first, `endedLimit` at most. */
  ended: Session<Meta>[];
  /** Pass this as `after` for the next page of live sessions; null if this was the last page. */
  next: { lastSeenAt: Date; id: string } | null;
}

export interface Revocation {
  reason: EndReason;
  /** Public id of the session that requests it; null if none does. */
  by?: string | null;
  /** If given, a session of another user is treated as an unknown id. */
  userId?: string;
}

const DEFAULT_MAX_PER_USER = 100;
const DEFAULT_RETENTION_MS = 30 * DAY_MS;
const ERASE_PAGE_ROWS = 100;
/**
 * PostgreSQL rejects NUL in text, so a form or URL with a NUL would look like an outage. An id never
 * contains it; it is removed from other text.
 */
const NUL = '\0';
const withoutNul = (text: string) => text.replaceAll(NUL, '');
const UNKNOWN = { state: 'unknown' } as const;

/**
 * Starts, resumes, renews, revokes, lists and prunes sessions in any store.
 *
 * Every function takes the time as `now`. A {@link StoreUnavailableError} means that the store threw
 * and the session's state is unknown: answer 503. A {@link MissingStoreFunctionError} names an
 * optional store function that is needed but missing.
 */
export class Sessions<Meta = unknown, User = unknown> {
  readonly timeouts: Timeouts;
  readonly maxPerUser: number;
  readonly retentionMs: number;
  readonly #store: SessionStore<Meta, User>;
  readonly #feed: SessionsOptions['feed'] | null;
  readonly #cache: SessionLookup<Meta, User> | null;
  readonly #isFixed: boolean;
  /** Touches that are being written, by session. Concurrent requests share one write. */
  readonly #pendingTouches = new Map<string, Promise<boolean>>();

  /** @throws RangeError that names the option which is out of range. */
  constructor(options: SessionsOptions<Meta, User>) {
    this.#store = options.store;
    this.#feed = options.feed ?? null;
    this.#cache = options.cache ?? null;
    this.#isFixed = options.expiry === 'fixed';
    this.timeouts = timeoutsFrom(options.timeouts);
    this.maxPerUser = options.maxPerUser ?? DEFAULT_MAX_PER_USER;
    this.retentionMs = options.retentionMs ?? DEFAULT_RETENTION_MS;
    if (!Number.isInteger(this.maxPerUser) || this.maxPerUser < 1) {
      throw new RangeError('maxPerUser must be a whole number, 1 or more.');
    }
    if (!(this.retentionMs >= 0 && this.retentionMs < Infinity)) {
      throw new RangeError('retentionMs must be a number of milliseconds, 0 or more.');
    }
  }

  /**
   * Starts a session with a new token, ends the session that it replaces, and ends the least recently
   * used ones beyond the cap. Call it only after a full proof of identity.
   *
   * @throws TypeError if `expiresAt` is given without `expiry: 'fixed'`.
   */
  async start(details: NewSession<Meta>, now: Date): Promise<StartedSession<Meta>> {
    if (details.expiresAt && !this.#isFixed) {
      throw new TypeError("expiresAt needs the option expiry: 'fixed'.");
    }
    const token = details.token ?? createToken();
    const record: SessionRecord<Meta> = {
      id: token.id,
      secretHash: hashSecret(token.secret),
      userId: details.userId,
      label: details.label == null ? null : withoutNul(details.label),
      userAgent: withoutNul(details.userAgent ?? ''),
      ipAddress: withoutNul(details.ipAddress ?? ''),
      country: details.country ?? null,
      remember: details.remember ?? false,
      createdAt: now,
      lastSeenAt: now,
      expiresAt: now,
      reauthenticatedAt: now,
      revokedAt: null,
      revokedReason: null,
      revokedBy: null,
      meta: details.meta ?? null,
    };
    record.expiresAt = expiryAfter(record, now, this.timeouts);
    if (details.expiresAt && details.expiresAt < record.expiresAt) {
      record.expiresAt = details.expiresAt;
    }
    await this.#callStore((store) => store.saveSession(record));
    this.#publish([{ kind: 'started', id: record.id, userId: record.userId }]);
    if (details.replaces && !details.replaces.revokedAt) {
      const { id, userId } = details.replaces;
      await this.revoke(id, { reason: 'replaced', by: token.id, userId }, now);
    }
    await this.#enforceCap(record, now);
    return { token: formatToken(token), session: withoutSecret(record) };
  }

  /**
   * Looks up a token and returns the state of its session. Writes activity if it is due; pass
   * `countsAsActivity: false` for polling and event streams.
   */
  async resume(
    tokenText: string,
    now: Date,
    { countsAsActivity = true }: { countsAsActivity?: boolean } = {},
  ): Promise<ResumedSession<Meta, User>> {
    const token = parseToken(tokenText);
    if (!token) return UNKNOWN;
    const cached = this.#cache?.get(token.id);
    if (cached) {
      const resumed = this.#checkToken(token, cached, now);
      // The cache can only accept a token. Only the row can refuse one.
      if (resumed.state === 'live') {
        const isDue = countsAsActivity && isDueForTouch(resumed.session, now, this.timeouts);
        if (!isDue || (await this.#touch(resumed.session, now))) return resumed;
        this.#cache?.forget(token.id);
      }
    }
    const stored = await this.#read(token.id);
    if (!stored) return UNKNOWN;
    const resumed = this.#checkToken(token, stored, now);
    if (
      resumed.state === 'live' &&
      countsAsActivity &&
      isDueForTouch(resumed.session, now, this.timeouts)
    ) {
      await this.#touch(resumed.session, now);
    }
    return resumed;
  }

  /**
   * Resolves once no node's cache answers with data older than the commits before the call. Call it
   * after writes to user data that the store returns with a session; the functions of this class do so
   * by themselves. Resolves at once without a cache.
   */
  async settle(): Promise<void> {
    try {
      await this.#feed?.settle?.();
    } catch (error) {
      throw new StoreUnavailableError(error);
    }
  }

  /**
   * Returns a new token for a live session; the old token is invalid once this returns. Returns null if
   * the token does not belong to a live session.
   *
   * @param isProven true (the default) after a full proof of identity: the session becomes fresh. False
   *   if the token is renewed for another reason.
   */
  async renew(
    tokenText: string,
    now: Date,
    { isProven = true }: { isProven?: boolean } = {},
  ): Promise<StartedSession<Meta> | null> {
    const old = parseToken(tokenText);
    const resumed = await this.resume(tokenText, now, { countsAsActivity: false });
    if (!old || resumed.state !== 'live') return null;
    // If the clock jumped back, the last activity stays.
    const lastSeenAt = now > resumed.session.lastSeenAt ? now : resumed.session.lastSeenAt;
    const renewed: Session<Meta> = {
      ...resumed.session,
      lastSeenAt,
      reauthenticatedAt: isProven ? now : resumed.session.reauthenticatedAt,
      expiresAt: this.#expiryAfter(resumed.session, lastSeenAt),
    };
    return this.#store.renewSession
      ? this.#renewInPlace(renewed, hashSecret(old.secret))
      : this.#renewByReplacing(renewed, now);
  }

  /** Ends one session. Returns false if there was no such live session (of that user). */
  async revoke(id: string, revocation: Revocation, now: Date): Promise<boolean> {
    const { reason, by = null, userId } = revocation;
    if (id.includes(NUL)) return false;
    if (this.#store.revokeSession) {
      const ending = { at: now, reason, by };
      const isEnded = await this.#callStore((store) => store.revokeSession!(id, ending, userId));
      // Settle even if there was none, because another node may be ending it right now.
      await this.#publishEnded(isEnded ? [id] : [], userId);
      return isEnded;
    }
    const stored = await this.#callStore((store) => store.fetchSession(id));
    if (!stored || (userId !== undefined && stored.record.userId !== userId)) return false;
    await this.#callStore((store) => store.deleteSession(id));
    await this.#publishEnded([id], stored.record.userId);
    return isLive(stored.record, now, this.timeouts);
  }

  /**
   * Ends every live session of the user except `exceptId` (null: ends all). Returns the ids of the
   * sessions that it ended.
   */
  async revokeOthers(
    userId: string,
    exceptId: string | null,
    { reason, by = exceptId }: Omit<Revocation, 'userId'>,
    now: Date,
  ): Promise<string[]> {
    this.#requireFunction('deleteSessionsForUser');
    const ended = await this.#callStore((store) =>
      store.deleteSessionsForUser!(userId, exceptId, { at: now, reason, by }),
    );
    await this.#publishEnded(ended, userId);
    return ended;
  }

  /**
   * Ends every session of the user and deletes all their rows, also tombstones, so that no row names
   * the account. Returns the ids of the sessions that were live. Not needed if a foreign key deletes
   * the rows with the user (ON DELETE CASCADE).
   */
  async erase(userId: string, now: Date): Promise<string[]> {
    this.#requireFunction('fetchSessionsForUser');
    const ended = await this.revokeOthers(userId, null, { reason: 'erased' }, now);
    const page = { now, limit: ERASE_PAGE_ROWS, endedLimit: ERASE_PAGE_ROWS };
    for (let removed = new Set<string>(); ;) {
      const rows = await this.#callStore((store) => store.fetchSessionsForUser!(userId, page));
      if (rows.length === 0) return ended;
      if (rows.some(({ id }) => removed.has(id))) {
        throw new StoreUnavailableError(new Error('deleteSession() did not delete the row.'));
      }
      for (const { id } of rows) await this.#callStore((store) => store.deleteSession(id));
      removed = new Set(rows.map(({ id }) => id));
    }
  }

  /** Returns a session of this user, live or ended, by its public id; null if there is none. */
  async find(id: string, userId: string): Promise<Session<Meta> | null> {
    if (id.includes(NUL)) return null;
    const stored = await this.#callStore((store) => store.fetchSession(id));
    return stored?.record.userId === userId ? withoutSecret(stored.record) : null;
  }

  /** Names a device of this user; null removes the name. Returns false if there is no such session. */
  async name(id: string, userId: string, label: string | null): Promise<boolean> {
    this.#requireFunction('nameSession');
    if (id.includes(NUL)) return false;
    const text = label === null ? null : withoutNul(label);
    const isNamed = await this.#callStore((store) => store.nameSession!(id, userId, text));
    if (isNamed) this.#publishChanged(id, userId);
    return isNamed;
  }

  /**
   * Returns a page of a user's sessions: up to `limit` live ones (default: the cap), and up to
   * `endedLimit` ended ones (default 0).
   */
  async list(
    userId: string,
    now: Date,
    page: {
      limit?: number;
      after?: { lastSeenAt: Date; id: string } | null;
      endedLimit?: number;
    } = {},
  ): Promise<UserSessions<Meta>> {
    this.#requireFunction('fetchSessionsForUser');
    const { limit = this.maxPerUser, after = null, endedLimit = 0 } = page;
    // One row more than the limit tells whether there is another page.
    const rows = await this.#callStore((store) =>
      store.fetchSessionsForUser!(userId, { now, limit: limit + 1, after, endedLimit }),
    );
    // After a timeout was shortened, sessions that are live by their rows may have expired by the rules.
    const storedLive = rows.filter((session) => !session.revokedAt && session.expiresAt > now);
    const onPage = storedLive.slice(0, limit);
    const last = storedLive.length > limit ? onPage.at(-1) : undefined;
    const storedEnded = rows.filter((session) => session.revokedAt || session.expiresAt <= now);
    const endings = [...onPage, ...storedEnded].flatMap((session) => {
      const ending = endingOf(session, now, this.timeouts);
      return ending ? [{ session, at: ending.at.getTime() }] : [];
    });
    return {
      live: onPage.filter((session) => isLive(session, now, this.timeouts)),
      ended: endings
        .sort((one, other) => other.at - one.at)
        .slice(0, endedLimit)
        .map(({ session }) => session),
      next: last ? { lastSeenAt: last.lastSeenAt, id: last.id } : null,
    };
  }

  /** Returns a page of all sessions of all users. */
  async listAll(after: string | null, limit = 100): Promise<SessionsPage<Meta>> {
    this.#requireFunction('listSessions');
    return this.#callStore((store) => store.listSessions!({ after, limit }));
  }

  /** Deletes sessions that ended before the retention period. Returns the number of deleted rows. */
  async prune(now: Date): Promise<number> {
    this.#requireFunction('deleteAllExpiredSessions');
    const endedBefore = new Date(now.getTime() - this.retentionMs);
    return this.#callStore((store) => store.deleteAllExpiredSessions!(endedBefore));
  }

  /** Returns how and when the session ended; null while it is live. */
  endingOf(session: Session, now: Date): SessionEnd | null {
    return endingOf(session, now, this.timeouts);
  }

  /** True while the last full proof of identity is recent enough for sensitive actions. */
  isFresh(session: Session, now: Date): boolean {
    return isFresh(session, now, this.timeouts);
  }

  #expiryAfter(session: Session, lastSeenAt: Date): Date {
    return this.#isFixed ? session.expiresAt : expiryAfter(session, lastSeenAt, this.timeouts);
  }

  async #read(id: string): Promise<StoredSession<Meta, User> | null> {
    const fetch = () => this.#callStore((store) => store.fetchSession(id));
    return this.#cache ? this.#cache.read(fetch) : fetch();
  }

  #checkToken(
    token: Token,
    { record, user }: StoredSession<Meta, User>,
    now: Date,
  ): ResumedSession<Meta, User> {
    if (!matchesHash(token.secret, record.secretHash)) return UNKNOWN;
    const session = withoutSecret(record);
    const ending = endingOf(session, now, this.timeouts);
    return ending ? { state: 'ended', session, ending } : { state: 'live', session, user };
  }

  /**
   * Writes activity. Returns false if the store wrote nothing because the row is gone, revoked, or
   * already has a later activity.
   */
  async #touch(session: Session<Meta>, now: Date): Promise<boolean> {
    const { id } = session;
    const expiresAt = this.#expiryAfter(session, now);
    const pending = this.#pendingTouches.get(id);
    const touching =
      pending ??
      this.#callStore((store) => store.updateSessionExpiry(id, expiresAt, now)).finally(() =>
        this.#pendingTouches.delete(id),
      );
    if (!pending) this.#pendingTouches.set(id, touching);
    if (!(await touching)) return false;
    session.expiresAt = expiresAt;
    session.lastSeenAt = now;
    this.#cache?.touch(id, now, expiresAt);
    return true;
  }

  // Call it after the write. Resolves once every node knows.
  async #publishEnded(ids: string[], ofUser?: string): Promise<void> {
    for (const id of ids) this.#cache?.forget(id);
    const userId = ofUser ?? (ids[0] ? await this.#findUserId(ids[0]) : '');
    this.#publish(ids.map((id) => ({ kind: 'ended', id, userId })));
    await this.settle();
  }

  // Returns the user of a session; '' if its row is gone or there is no feed that needs it.
  async #findUserId(id: string): Promise<string> {
    if (!this.#feed) return '';
    const stored = await this.#callStore((store) => store.fetchSession(id));
    return stored?.record.userId ?? '';
  }

  #publishChanged(id: string, userId: string): void {
    this.#cache?.forget(id);
    this.#publish([{ kind: 'changed', id, userId }]);
  }

  #publish(events: SessionEvent[]): void {
    if (events.length > 0) this.#feed?.publish(events);
  }

  async #renewInPlace(
    renewed: Session<Meta>,
    oldHash: string,
  ): Promise<StartedSession<Meta> | null> {
    const token = renewToken(renewed.id);
    const { reauthenticatedAt, lastSeenAt, expiresAt } = renewed;
    const secretHash = hashSecret(token.secret);
    const isRenewed = await this.#callStore((store) =>
      store.renewSession!(renewed.id, oldHash, {
        secretHash,
        reauthenticatedAt,
        lastSeenAt,
        expiresAt,
      }),
    );
    this.#publishChanged(renewed.id, renewed.userId);
    await this.settle();
    return isRenewed ? { token: formatToken(token), session: renewed } : null;
  }

  // For stores with only the four required functions: saves a second row, then ends the first.
  async #renewByReplacing(renewed: Session<Meta>, now: Date): Promise<StartedSession<Meta> | null> {
    const token = createToken();
    const record = { ...renewed, id: token.id, secretHash: hashSecret(token.secret) };
    await this.#callStore((store) => store.saveSession(record));
    this.#publish([{ kind: 'started', id: record.id, userId: record.userId }]);
    const { userId } = record;
    if (await this.revoke(renewed.id, { reason: 'replaced', by: token.id, userId }, now)) {
      return { token: formatToken(token), session: withoutSecret(record) };
    }
    // The session was ended concurrently, so it must not continue under another id.
    await this.#callStore((store) => store.deleteSession(token.id));
    return null;
  }

  async #enforceCap(started: Session<Meta>, now: Date): Promise<void> {
    if (!this.#store.trimSessionsForUser) return;
    const ending = { at: now, reason: 'cap', by: null } as const;
    const ended = await this.#callStore((store) =>
      store.trimSessionsForUser!(started.userId, this.maxPerUser, started.id, ending),
    );
    if (ended.length > 0) await this.#publishEnded(ended, started.userId);
  }

  #requireFunction(functionName: keyof SessionStore): void {
    if (!this.#store[functionName]) throw new MissingStoreFunctionError(functionName);
  }

  async #callStore<Answer>(
    call: (store: SessionStore<Meta, User>) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await call(this.#store);
    } catch (error) {
      if (error instanceof MissingStoreFunctionError) throw error;
      throw new StoreUnavailableError(error);
    }
  }
}
