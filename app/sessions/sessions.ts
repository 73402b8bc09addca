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
  /** See `defaultTimeouts`. What is left out keeps its default. */
  timeouts?: Partial<Timeouts>;
  /**
   * Whether activity moves the end of a session on. 'fixed': each ends when its start said, whatever is
   * done with it; only the lifetime counts then, and the idle timeouts should be no shorter. Default 'sliding'.
   */
  expiry?: 'sliding' | 'fixed';
  /** Live sessions a user may hold; the least recently used makes room. Default 100. */
  maxPerUser?: number;
  /** How long an ended session stays on record, in milliseconds. Default 30 days. */
  retentionMs?: number;
  /**
   * Carries the news of sessions. Left out: no news is published. One with `settle()` has a
   * revoke wait until no memory answers for the session any more.
   */
  feed?: Pick<NewsFeed, 'publish'> & Partial<Pick<SessionFeed, 'settle'>>;
  /** Answers in place of the store where it may; over the same feed, under leases. Left out: every look-up reads the row. */
  cache?: SessionLookup<Meta, User>;
}

/** What is known of the device when a session starts. */
export interface NewSession<Meta = unknown> {
  userId: string;
  /** From `createToken`, where it had to be there before the session. Default: a new one. */
  token?: Token;
  /** Default false. */
  remember?: boolean;
  /** Ends then, or at the end of its lifetime if that is earlier. Only where expiry is 'fixed'. */
  expiresAt?: Date;
  label?: string | null;
  userAgent?: string;
  ipAddress?: string;
  country?: string | null;
  meta?: Meta | null;
  /** The session this browser held until now, as resumed from its cookie: it ends. */
  replaces?: Session | null;
}

/** A token and its session. The token is handed out here and nowhere else, once. */
export interface StartedSession<Meta = unknown> {
  /** `id.secret`, for the cookie or behind `Bearer`. */
  token: string;
  session: Session<Meta>;
}

/** What a token is worth. */
export type ResumedSession<Meta = unknown, User = unknown> =
  | { state: 'live'; session: Session<Meta>; user: User | null }
  /** The token was right, and its session is over: the device may be told why. */
  | { state: 'ended'; session: Session<Meta>; ending: SessionEnd }
  /** Malformed, never issued, pruned, or of a wrong secret: one answer for all. */
  | { state: 'unknown' };

/** Sessions of one user, as a page of the sessions list shows them. */
export interface UserSessions<Meta = unknown> {
  /** Newest activity first. */
  live: Session<Meta>[];
  /** Newest ending first, at most as many as were asked for. */
  ended: Session<Meta>[];
  /** Hand this back as `after` for the next page of live ones; null: that was the last. */
  next: { lastSeenAt: Date; id: string } | null;
}

export interface Revocation {
  reason: EndReason;
  /** Public id of the session that asks for it; null: none did. */
  by?: string | null;
  /** When given, a session of anyone else is left alone and the answer is as for a missing id. */
  userId?: string;
}

const DEFAULT_MAX_PER_USER = 100;
const DEFAULT_RETENTION_MS = 30 * DAY_MS;
const ERASE_PAGE_ROWS = 100;
/**
 * PostgreSQL takes it in no text, and would be taken to be down by whoever sends it in a form or a
 * URL. No id has it; other text loses it.
 */
const NUL = '\0';
const withoutNul = (text: string) => text.replaceAll(NUL, '');
const UNKNOWN = { state: 'unknown' } as const;

/**
 * The life of sessions over any store: start, resume, renew, revoke, list, prune.
 *
 * Every function takes `now` and passes it on. A {@link StoreUnavailableError} means that the store
 * threw and nothing is known: answer 503. A {@link MissingStoreFunctionError} names an optional
 * store function that is needed and not there.
 */
export class Sessions<Meta = unknown, User = unknown> {
  readonly timeouts: Timeouts;
  readonly maxPerUser: number;
  readonly retentionMs: number;
  readonly #store: SessionStore<Meta, User>;
  readonly #feed: SessionsOptions['feed'] | null;
  readonly #cache: SessionLookup<Meta, User> | null;
  readonly #isFixed: boolean;
  /** Activity that is being written down, by session: one write is enough for all who wait. */
  readonly #touching = new Map<string, Promise<boolean>>();

  /** @throws RangeError naming the option that is out of range. */
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
   * Begins a session under a new token, ends the one that it replaces, and makes room when the
   * user holds more than the cap. Call it only after a full proof of identity.
   *
   * @throws TypeError when `expiresAt` is given where activity would move it.
   */
  async start(details: NewSession<Meta>, now: Date): Promise<StartedSession<Meta>> {
    if (details.expiresAt && !this.#isFixed) {
      throw new TypeError("Only sessions with expiry: 'fixed' can be told when they end.");
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
    await this.#ask((store) => store.saveSession(record));
    this.#tell([{ kind: 'started', id: record.id, userId: record.userId }]);
    if (details.replaces && !details.replaces.revokedAt) {
      const { id, userId } = details.replaces;
      await this.revoke(id, { reason: 'replaced', by: token.id, userId }, now);
    }
    await this.#makeRoom(record, now);
    return { token: formatToken(token), session: withoutSecret(record) };
  }

  /**
   * Looks a token up in its row and says what it is worth. Activity is written down when due;
   * pass `countsAsActivity: false` for polling and event streams.
   */
  async resume(
    tokenText: string,
    now: Date,
    { countsAsActivity = true }: { countsAsActivity?: boolean } = {},
  ): Promise<ResumedSession<Meta, User>> {
    const token = parseToken(tokenText);
    if (!token) return UNKNOWN;
    const remembered = this.#cache?.get(token.id);
    if (remembered) {
      const resumed = this.#worthOf(token, remembered, now);
      // Memory says yes or nothing: whoever is refused is refused by the row.
      if (resumed.state === 'live') {
        const isDue = countsAsActivity && isDueForTouch(resumed.session, now, this.timeouts);
        if (!isDue || (await this.#touch(resumed.session, now))) return resumed;
        this.#cache?.forget(token.id);
      }
    }
    const stored = await this.#read(token.id);
    if (!stored) return UNKNOWN;
    const resumed = this.#worthOf(token, stored, now);
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
   * Resolves once nothing that was committed before is answered otherwise from memory, on any node: call
   * it after writes to what is read along with sessions. Sessions' own functions do so themselves. Where
   * there is no memory it resolves at once.
   */
  async settle(): Promise<void> {
    try {
      await this.#feed?.settle?.();
    } catch (error) {
      throw new StoreUnavailableError(error);
    }
  }

  /**
   * A new token for a live session; the old token is dead when this returns. Null when the token is
   * not (or no longer) that of a live session.
   *
   * @param isProven true (the default) after a full proof of identity, which is then the session's
   *   last; false when something else was the reason, and the session is no fresher for it.
   */
  async renew(
    tokenText: string,
    now: Date,
    { isProven = true }: { isProven?: boolean } = {},
  ): Promise<StartedSession<Meta> | null> {
    const old = parseToken(tokenText);
    const resumed = await this.resume(tokenText, now, { countsAsActivity: false });
    if (!old || resumed.state !== 'live') return null;
    // A clock that jumped back takes no activity away.
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

  /** Ends one session. False when there was no such live session (of that user). */
  async revoke(id: string, revocation: Revocation, now: Date): Promise<boolean> {
    const { reason, by = null, userId } = revocation;
    if (id.includes(NUL)) return false;
    if (this.#store.revokeSession) {
      const ending = { at: now, reason, by };
      const isEnded = await this.#ask((store) => store.revokeSession!(id, ending, userId));
      // Also when there was none: another node may be ending it this moment.
      await this.#ended(isEnded ? [id] : [], userId);
      return isEnded;
    }
    const stored = await this.#ask((store) => store.fetchSession(id));
    if (!stored || (userId !== undefined && stored.record.userId !== userId)) return false;
    await this.#ask((store) => store.deleteSession(id));
    await this.#ended([id], stored.record.userId);
    return isLive(stored.record, now, this.timeouts);
  }

  /**
   * Ends every live session of the user but `exceptId` (null: all of them). Answers the ids that
   * it ended.
   */
  async revokeOthers(
    userId: string,
    exceptId: string | null,
    { reason, by = exceptId }: Omit<Revocation, 'userId'>,
    now: Date,
  ): Promise<string[]> {
    this.#need('deleteSessionsForUser');
    const ended = await this.#ask((store) =>
      store.deleteSessionsForUser!(userId, exceptId, { at: now, reason, by }),
    );
    await this.#ended(ended, userId);
    return ended;
  }

  /**
   * Ends every session of the user and removes every row of them, tombstones too: nothing is left
   * that names the account. Answers the ids that were live. Where the store's rows go with the
   * user's own (a foreign key that cascades), there is nothing left to do.
   */
  async erase(userId: string, now: Date): Promise<string[]> {
    this.#need('fetchSessionsForUser');
    const ended = await this.revokeOthers(userId, null, { reason: 'erased' }, now);
    const page = { now, limit: ERASE_PAGE_ROWS, endedLimit: ERASE_PAGE_ROWS };
    for (let removed = new Set<string>(); ;) {
      const rows = await this.#ask((store) => store.fetchSessionsForUser!(userId, page));
      if (rows.length === 0) return ended;
      if (rows.some(({ id }) => removed.has(id))) {
        throw new StoreUnavailableError(new Error('deleteSession() left the row where it was.'));
      }
      for (const { id } of rows) await this.#ask((store) => store.deleteSession(id));
      removed = new Set(rows.map(({ id }) => id));
    }
  }

  /** One session of this user, live or ended, by its public id; null when there is no such one. */
  async find(id: string, userId: string): Promise<Session<Meta> | null> {
    if (id.includes(NUL)) return null;
    const stored = await this.#ask((store) => store.fetchSession(id));
    return stored?.record.userId === userId ? withoutSecret(stored.record) : null;
  }

  /** Names a device of this user; null takes the name away. False when there is no such session. */
  async name(id: string, userId: string, label: string | null): Promise<boolean> {
    this.#need('nameSession');
    if (id.includes(NUL)) return false;
    const text = label === null ? null : withoutNul(label);
    const isNamed = await this.#ask((store) => store.nameSession!(id, userId, text));
    if (isNamed) this.#changed(id, userId);
    return isNamed;
  }

  /**
   * Sessions of a user: a page of `limit` live ones (default: the cap), then up to `endedLimit`
   * ended ones (default none).
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
    this.#need('fetchSessionsForUser');
    const { limit = this.maxPerUser, after = null, endedLimit = 0 } = page;
    // One more than asked for tells whether there is another page.
    const rows = await this.#ask((store) =>
      store.fetchSessionsForUser!(userId, { now, limit: limit + 1, after, endedLimit }),
    );
    // Where a timeout was shortened, rows that the store holds to be live may be over by the rules.
    const heldLive = rows.filter((session) => !session.revokedAt && session.expiresAt > now);
    const onPage = heldLive.slice(0, limit);
    const last = heldLive.length > limit ? onPage.at(-1) : undefined;
    const heldEnded = rows.filter((session) => session.revokedAt || session.expiresAt <= now);
    const endings = [...onPage, ...heldEnded].flatMap((session) => {
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

  /** Every session of the system, a page at a time. */
  async listAll(after: string | null, limit = 100): Promise<SessionsPage<Meta>> {
    this.#need('listSessions');
    return this.#ask((store) => store.listSessions!({ after, limit }));
  }

  /** Removes what ended longer ago than the retention. Answers how many rows went. */
  async prune(now: Date): Promise<number> {
    this.#need('deleteAllExpiredSessions');
    const endedBefore = new Date(now.getTime() - this.retentionMs);
    return this.#ask((store) => store.deleteAllExpiredSessions!(endedBefore));
  }

  /** How and when the session ended; null while it is live. */
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
    const fetch = () => this.#ask((store) => store.fetchSession(id));
    return this.#cache ? this.#cache.read(fetch) : fetch();
  }

  #worthOf(
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
   * False when nothing was written: a touch that comes too late changes nothing, by contract, and says
   * that the row is gone, revoked, or further on than was known.
   */
  async #touch(session: Session<Meta>, now: Date): Promise<boolean> {
    const { id } = session;
    const expiresAt = this.#expiryAfter(session, now);
    const underWay = this.#touching.get(id);
    const touching =
      underWay ??
      this.#ask((store) => store.updateSessionExpiry(id, expiresAt, now)).finally(() =>
        this.#touching.delete(id),
      );
    if (!underWay) this.#touching.set(id, touching);
    if (!(await touching)) return false;
    session.expiresAt = expiresAt;
    session.lastSeenAt = now;
    this.#cache?.touch(id, now, expiresAt);
    return true;
  }

  // The row first, then memory, then the news; and not before every node has heard.
  async #ended(ids: string[], ofUser?: string): Promise<void> {
    for (const id of ids) this.#cache?.forget(id);
    const userId = ofUser ?? (ids[0] ? await this.#userOf(ids[0]) : '');
    this.#tell(ids.map((id) => ({ kind: 'ended', id, userId })));
    await this.settle();
  }

  // Whose session it was, where nobody said so. Empty: its row is gone by now, and nobody is told.
  async #userOf(id: string): Promise<string> {
    if (!this.#feed) return '';
    const stored = await this.#ask((store) => store.fetchSession(id));
    return stored?.record.userId ?? '';
  }

  #changed(id: string, userId: string): void {
    this.#cache?.forget(id);
    this.#tell([{ kind: 'changed', id, userId }]);
  }

  #tell(news: SessionEvent[]): void {
    if (news.length > 0) this.#feed?.publish(news);
  }

  async #renewInPlace(
    renewed: Session<Meta>,
    oldHash: string,
  ): Promise<StartedSession<Meta> | null> {
    const token = renewToken(renewed.id);
    const { reauthenticatedAt, lastSeenAt, expiresAt } = renewed;
    const secretHash = hashSecret(token.secret);
    const held = await this.#ask((store) =>
      store.renewSession!(renewed.id, oldHash, {
        secretHash,
        reauthenticatedAt,
        lastSeenAt,
        expiresAt,
      }),
    );
    this.#changed(renewed.id, renewed.userId);
    await this.settle();
    return held ? { token: formatToken(token), session: renewed } : null;
  }

  // For stores of the four required functions: a second row, then the first one goes.
  async #renewByReplacing(renewed: Session<Meta>, now: Date): Promise<StartedSession<Meta> | null> {
    const token = createToken();
    const record = { ...renewed, id: token.id, secretHash: hashSecret(token.secret) };
    await this.#ask((store) => store.saveSession(record));
    this.#tell([{ kind: 'started', id: record.id, userId: record.userId }]);
    const { userId } = record;
    if (await this.revoke(renewed.id, { reason: 'replaced', by: token.id, userId }, now)) {
      return { token: formatToken(token), session: withoutSecret(record) };
    }
    // It was ended meanwhile: what was ended must not live on under another id.
    await this.#ask((store) => store.deleteSession(token.id));
    return null;
  }

  async #makeRoom(started: Session<Meta>, now: Date): Promise<void> {
    if (!this.#store.trimSessionsForUser) return;
    const ending = { at: now, reason: 'cap', by: null } as const;
    const ended = await this.#ask((store) =>
      store.trimSessionsForUser!(started.userId, this.maxPerUser, started.id, ending),
    );
    if (ended.length > 0) await this.#ended(ended, started.userId);
  }

  #need(functionName: keyof SessionStore): void {
    if (!this.#store[functionName]) throw new MissingStoreFunctionError(functionName);
  }

  async #ask<Answer>(
    question: (store: SessionStore<Meta, User>) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await question(this.#store);
    } catch (error) {
      if (error instanceof MissingStoreFunctionError) throw error;
      throw new StoreUnavailableError(error);
    }
  }
}
