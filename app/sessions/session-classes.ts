import type { Session } from './session.ts';
import type { SessionStore } from './session-store.ts';
import { Sessions, type SessionsOptions } from './sessions.ts';
import { memorySessionStore } from './stores/memory.ts';
import { prismaSessionStore, type PrismaSessionStoreOptions } from './stores/prisma.ts';
import { redisSessionStore, type RedisSessionStoreOptions } from './stores/redis.ts';
import { parseToken } from './token.ts';

declare const isSessionId: unique symbol;

/**
 * The whole token of a session, and so a secret. The client gets it once, and sends it back in
 * `Authorization: Bearer`. It is not the public id of a listed session.
 */
export type SessionId = string & { readonly [isSessionId]: true };

/** A session as lists show it. It contains no secret. */
export interface ListedSession<UserId extends string = string, Meta = unknown> {
  /** Public id; see {@link SessionClass.destroyListedSession}. */
  id: string;
  label: string;
  userId: UserId;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
  meta: Meta;
}

export interface ListedSessionsPage<UserId extends string = string, Meta = unknown> {
  sessions: ListedSession<UserId, Meta>[];
  /** Pass this to the next call; null if this was the last page. */
  cursor: string | null;
}

/** The interface of the classes below, which are interchangeable. */
export interface SessionClass<UserId extends string = string, Meta = unknown> {
  /** Starts a session. Call it only after a full proof of identity. */
  createSession(input: { userId: UserId; label: string; meta: Meta }): Promise<SessionId>;
  /** Returns the session's user; null if it ended, is unknown or is null. Counts as activity. */
  getUserIdFromSession(session: SessionId | null): Promise<UserId | null>;
  /** Returns the session's `meta`; null if it ended, is unknown or is null. Counts as activity. */
  getSessionMeta(session: SessionId | null): Promise<Meta | null>;
  /** Ends the session. Does nothing if it is unknown or has already ended. */
  destroySession(session: SessionId | null): Promise<void>;
  /** Ends a session of this user by its public id. Returns false if there is no such live session. */
  destroyListedSession(id: string, userId: UserId): Promise<boolean>;
  /** Returns the user's live sessions, most recently used first. */
  getSessionsForUser(userId: UserId): Promise<ListedSession<UserId, Meta>[]>;
  /** Returns a page of the live sessions of all users, in no defined order. */
  listSessions(page?: {
    cursor?: string | null;
    limit?: number;
  }): Promise<ListedSessionsPage<UserId, Meta>>;
  getSessionIdFromAuthToken(header: string | null | undefined): SessionId | null;
  getAuthTokenForSessionId(session: SessionId): string;
}

/** Options that replace the default rules. */
export type SessionRules = Omit<SessionsOptions, 'store' | 'cache'> & {
  /** Returns the current time. Default: the system clock. */
  clock?: () => Date;
};

const DEFAULT_PAGE = 100;

/**
 * Returns the session in the value of an `Authorization` header; null if it has none of a valid form.
 * The scheme is case-insensitive (RFC 9110 §11.1). A session without a scheme is accepted too.
 */
export function getSessionIdFromAuthToken(header: string | null | undefined): SessionId | null {
  const text = /^(?:Bearer +)?([^ ]+)$/i.exec(header ?? '')?.[1] ?? '';
  return parseToken(text) ? (text as SessionId) : null;
}

/** Returns the value of the `Authorization` header for this session (RFC 6750 §2.1). */
export function getAuthTokenForSessionId(session: SessionId): string {
  return `Bearer ${session}`;
}

/**
 * Sessions over any store, with the interface of the classes below.
 *
 * A StoreUnavailableError means that the session's state is unknown: answer 503, not 401.
 */
export class StoredSessions<UserId extends string = string, Meta = unknown> implements SessionClass<
  UserId,
  Meta
> {
  readonly #sessions: Sessions<Meta>;
  readonly #clock: () => Date;

  constructor(
    store: SessionStore<Meta>,
    { clock = () => new Date(), ...rules }: SessionRules = {},
  ) {
    this.#sessions = new Sessions<Meta>({ ...rules, store });
    this.#clock = clock;
  }

  async createSession(input: { userId: UserId; label: string; meta: Meta }): Promise<SessionId> {
    const { token } = await this.#sessions.start(input, this.#clock());
    return token as SessionId;
  }

  async getUserIdFromSession(session: SessionId | null): Promise<UserId | null> {
    return ((await this.#findLive(session))?.userId as UserId | undefined) ?? null;
  }

  async getSessionMeta(session: SessionId | null): Promise<Meta | null> {
    return (await this.#findLive(session))?.meta ?? null;
  }

  async destroySession(session: SessionId | null): Promise<void> {
    const live = await this.#findLive(session, { countsAsActivity: false });
    if (live) {
      await this.#sessions.revoke(live.id, { reason: 'signed-out', by: live.id }, this.#clock());
    }
  }

  destroyListedSession(id: string, userId: UserId): Promise<boolean> {
    return this.#sessions.revoke(id, { reason: 'signed-out-elsewhere', userId }, this.#clock());
  }

  async getSessionsForUser(userId: UserId): Promise<ListedSession<UserId, Meta>[]> {
    const now = this.#clock();
    const found: ListedSession<UserId, Meta>[] = [];
    let page = await this.#sessions.list(userId, now);
    for (;;) {
      found.push(...page.live.map(toListed<UserId, Meta>));
      if (!page.next) return found;
      page = await this.#sessions.list(userId, now, { after: page.next });
    }
  }

  async listSessions({
    cursor = null,
    limit = DEFAULT_PAGE,
  }: { cursor?: string | null; limit?: number } = {}): Promise<ListedSessionsPage<UserId, Meta>> {
    const now = this.#clock();
    const page = await this.#sessions.listAll(cursor, limit);
    const live = page.sessions.filter((session) => !this.#sessions.endingOf(session, now));
    return { sessions: live.map(toListed<UserId, Meta>), cursor: page.next };
  }

  /** See the exported function of the same name. */
  getSessionIdFromAuthToken(header: string | null | undefined): SessionId | null {
    return getSessionIdFromAuthToken(header);
  }

  /** See the exported function of the same name. */
  getAuthTokenForSessionId(session: SessionId): string {
    return getAuthTokenForSessionId(session);
  }

  async #findLive(session: SessionId | null, options?: { countsAsActivity: boolean }) {
    if (session === null) return null;
    const resumed = await this.#sessions.resume(session, this.#clock(), options);
    return resumed.state === 'live' ? resumed.session : null;
  }
}

/** Sessions in the memory of this process, for development and tests. */
export class InMemorySessions<
  UserId extends string = string,
  Meta = unknown,
> extends StoredSessions<UserId, Meta> {
  constructor(rules: SessionRules = {}) {
    super(memorySessionStore<Meta>(), rules);
  }
}

/** Sessions in Redis, through a client of `redis` or `ioredis`. */
export class RedisSessions<UserId extends string = string, Meta = unknown> extends StoredSessions<
  UserId,
  Meta
> {
  constructor({
    redis,
    prefix,
    timeoutMs,
    ...rules
  }: Pick<RedisSessionStoreOptions, 'redis' | 'prefix' | 'timeoutMs'> & SessionRules) {
    const { retentionMs } = rules;
    super(redisSessionStore<Meta>({ redis, prefix, timeoutMs, retentionMs }), rules);
  }
}

/** Sessions in the "Session" table of a Prisma client, on SQLite or PostgreSQL. */
export class PrismaSessions<UserId extends string = string, Meta = unknown> extends StoredSessions<
  UserId,
  Meta
> {
  constructor({
    client,
    provider,
    ...rules
  }: Pick<PrismaSessionStoreOptions<never>, 'client' | 'provider'> & SessionRules) {
    super(prismaSessionStore<Meta>({ client, provider }), rules);
  }
}

function toListed<UserId extends string, Meta>(
  session: Session<Meta>,
): ListedSession<UserId, Meta> {
  const { id, label, userId, createdAt, lastSeenAt, expiresAt, meta } = session;
  return {
    id,
    label: label ?? '',
    userId: userId as UserId,
    createdAt,
    lastUsedAt: lastSeenAt,
    expiresAt,
    meta: meta as Meta,
  };
}
