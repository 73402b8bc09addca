import type { SessionEnd, Session, SessionRecord } from './session.ts';

/**
 * The storage contract. Stores save and fetch; the rules in `session.ts` decide.
 *
 * A throw (a rejected promise) of any function means that the store is down or refused the request.
 * It says nothing about the session: neither that it is gone nor that it was saved.
 * All times are whole milliseconds.
 *
 * The four required functions have the names that session libraries with storage callbacks use, so a
 * custom store is a plain object with these functions.
 */
export interface SessionStore<Meta = unknown, User = unknown> {
  /** Inserts a row. Throws if a row of the same id exists, and leaves that row unchanged. */
  saveSession(session: SessionRecord<Meta>): Promise<void>;

  /** Returns the stored row, also a tombstone or an expired one; `null` if the id is unknown. */
  fetchSession(id: string): Promise<StoredSession<Meta, User> | null>;

  /**
   * Sets expiry and last activity in one conditional write. Returns `false` if the row is gone or
   * revoked, or already has a later activity. Never recreates a row (invariant I2).
   */
  updateSessionExpiry(id: string, expiresAt: Date, lastSeenAt: Date): Promise<boolean>;

  /** Deletes the row. Idempotent: an unknown id is not an error. */
  deleteSession(id: string): Promise<void>;

  /**
   * Revokes one session and leaves a tombstone, in one conditional write. Returns `false` if there is
   * no live row of this id, or if it belongs to another user than `userId`. Also closes a row that
   * expired before `ending.at`, as `expired` at its own `expiresAt`, and returns `false`: a node whose
   * clock is behind must not accept it. If this function is missing, the engine deletes the row.
   */
  revokeSession?(id: string, ending: SessionEnd, userId?: string): Promise<boolean>;

  /**
   * Replaces the secret of a live session, in one write on the condition that the stored hash is
   * `previousHash`. Returns `false` if the session is gone, was revoked, or was renewed concurrently.
   * If this function is missing, the engine saves a new row and ends the old one.
   */
  renewSession?(id: string, previousHash: string, renewal: Renewal): Promise<boolean>;

  /** Sets the device's name; null removes it. Returns `false` if this user has no such row. */
  nameSession?(id: string, userId: string, label: string | null): Promise<boolean>;

  /** Returns rows of one user; {@link UserSessionsQuery} defines which, and their order. */
  fetchSessionsForUser?(userId: string, query: UserSessionsQuery): Promise<Session<Meta>[]>;

  /**
   * Revokes every live session of the user except `exceptId`, in one statement at any number of rows.
   * Also closes expired ones as `revokeSession` does. Returns the ids of the live ones that it revoked.
   */
  deleteSessionsForUser?(
    userId: string,
    exceptId: string | null,
    ending: SessionEnd,
  ): Promise<string[]>;

  /**
   * Revokes the user's least recently used live sessions until `keep` are left. `exceptId` is always
   * one of those left. Does nothing if `exceptId` is not live: if two sessions start at once under a
   * cap of one, one must stay. Returns the ids that it revoked.
   */
  trimSessionsForUser?(
    userId: string,
    keep: number,
    exceptId: string,
    ending: SessionEnd,
  ): Promise<string[]>;

  /**
   * Deletes rows that were revoked or expired before `endedBefore`, in batches that hold a lock only
   * briefly. Returns the number of deleted rows.
   */
  deleteAllExpiredSessions?(endedBefore: Date): Promise<number>;

  /** Returns a page of all sessions of all users, in ascending order of their ids. */
  listSessions?(query: SystemSessionsQuery): Promise<SessionsPage<Meta>>;
}

/** A row as fetched for a request, with data of its user. */
export interface StoredSession<Meta = unknown, User = unknown> {
  record: SessionRecord<Meta>;
  /** The user data that the store reads with the row, in the same statement; null if it reads none. */
  user: User | null;
}

export interface Renewal {
  secretHash: string;
  reauthenticatedAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
}

export interface UserSessionsQuery {
  /** A session is live if at this time it is neither revoked nor past its `expiresAt`. */
  now: Date;
  /** Maximum number of live rows. The order is newest activity first, then id descending. */
  limit: number;
  /** The page begins after this row; null for the first page. */
  after?: { lastSeenAt: Date; id: string } | null;
  /** Maximum number of ended rows after the live ones, most recently ended first. Default 0. */
  endedLimit?: number;
}

export interface SystemSessionsQuery {
  /** The page begins after this id; null for the first page. */
  after: string | null;
  /** Maximum number of rows. */
  limit: number;
}

export interface SessionsPage<Meta = unknown> {
  sessions: Session<Meta>[];
  /** Pass this as `after` for the next page; null if this was the last page. */
  next: string | null;
}

/** Thrown if a call needs an optional function that the store does not have. */
export class MissingStoreFunctionError extends Error {
  override name = 'MissingStoreFunctionError';
  constructor(readonly functionName: keyof SessionStore) {
    super(`This session store has no ${functionName}(); add it to the store to use what needs it.`);
  }
}

/** Thrown by the engine if the store threw. The session's state is unknown: answer 503, never 401. */
export class StoreUnavailableError extends Error {
  override name = 'StoreUnavailableError';
  constructor(cause: unknown) {
    super('The session store is not available.', { cause });
  }
}
