import type { Session } from './session.ts';
import type { SessionStore } from './session-store.ts';
import { Sessions, type SessionsOptions } from './sessions.ts';
import { memorySessionStore } from './stores/memory.ts';
import { prismaSessionStore, type PrismaSessionStoreOptions } from './stores/prisma.ts';
import { redisSessionStore, type RedisSessionStoreOptions } from './stores/redis.ts';
import { parseToken } from './token.ts';

declare const isSessionId: unique symbol;

/**
 * What identifies a session to whoever holds it: the whole token, and so a secret. It goes to the
 * client once, and comes back behind `Bearer`. Not the public id that listed sessions carry.
 */
export type SessionId = string & { readonly [isSessionId]: true };

/** A session as lists show it. Nothing in it opens a door. */
export interface ListedSession<UserId extends string = string, Meta = unknown> {
  /** Public id, for {@link SessionClass.destroyListedSession}. */
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
  /** For the next call; null: that was the last page. */
  cursor: string | null;
}

/** What the classes below have in common: any may stand for any other. */
export interface SessionClass<UserId extends string = string, Meta = unknown> {
  /** Begins a session. Call it only after a full proof of identity. */
  createSession(input: { userId: UserId; label: string; meta: Meta }): Promise<SessionId>;
  /** Whose session it is; null when it is over, unknown or null. Counts as activity. */
  getUserIdFromSession(session: SessionId | null): Promise<UserId | null>;
  /** What was kept with it; null when it is over, unknown or null. Counts as activity. */
  getSessionMeta(session: SessionId | null): Promise<Meta | null>;
  /** Ends it. Whoever is not its holder, or comes too late, changes nothing. */
  destroySession(session: SessionId | null): Promise<void>;
  /** Ends a session of this user by the public id of the list. False: there was no such live one. */
  destroyListedSession(id: string, userId: UserId): Promise<boolean>;
  /** The user's live sessions, last used first. */
  getSessionsForUser(userId: UserId): Promise<ListedSession<UserId, Meta>[]>;
  /** Live sessions of everybody, a page at a time, in no telling order. */
  listSessions(page?: {
    cursor?: string | null;
    limit?: number;
  }): Promise<ListedSessionsPage<UserId, Meta>>;
  getSessionIdFromAuthToken(header: string | null | undefined): SessionId | null;
  getAuthTokenForSessionId(session: SessionId): string;
}

/** The rules of the sessions, where they are not to be the defaults. */
export type SessionRules = Omit<SessionsOptions, 'store' | 'cache'> & {
  /** Where the time comes from. Default: the clock of this machine. */
  clock?: () => Date;
};

const DEFAULT_PAGE = 100;

/**
 * The session in the value of an `Authorization` header; null when there is none of a session's
 * shape. The scheme's case does not matter (RFC 9110 §11.1); a bare session is taken too.
 */
export function getSessionIdFromAuthToken(header: string | null | undefined): SessionId | null {
  const text = /^(?:Bearer +)?([^ ]+)$/i.exec(header ?? '')?.[1] ?? '';
  return parseToken(text) ? (text as SessionId) : null;
}

/** The value of the `Authorization` header for this session (RFC 6750 §2.1). */
export function getAuthTokenForSessionId(session: SessionId): string {
  return `Bearer ${session}`;
}

/**
 * Sessions over any store, in the terms of the classes below.
 *
 * A StoreUnavailableError means that nothing is known of the session: answer 503, not 401.
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
    return ((await this.#liveOne(session))?.userId as UserId | undefined) ?? null;
  }

  async getSessionMeta(session: SessionId | null): Promise<Meta | null> {
    return (await this.#liveOne(session))?.meta ?? null;
  }

  async destroySession(session: SessionId | null): Promise<void> {
    const live = await this.#liveOne(session, { countsAsActivity: false });
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

  /** See the function of the same name. */
  getSessionIdFromAuthToken(header: string | null | undefined): SessionId | null {
    return getSessionIdFromAuthToken(header);
  }

  /** See the function of the same name. */
  getAuthTokenForSessionId(session: SessionId): string {
    return getAuthTokenForSessionId(session);
  }

  async #liveOne(session: SessionId | null, options?: { countsAsActivity: boolean }) {
    if (session === null) return null;
    const resumed = await this.#sessions.resume(session, this.#clock(), options);
    return resumed.state === 'live' ? resumed.session : null;
  }
}

/** Sessions in this process's memory: for development and tests. */
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
