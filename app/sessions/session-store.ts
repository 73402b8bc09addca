import type { SessionEnd, Session, SessionRecord } from './session.ts';

/**
 * The storage contract. Stores keep and fetch; the rules in `session.ts` decide.
 *
 * For every function: a throw (a rejected promise) means that the store is down or refused, and
 * that nothing may be concluded about the session: not that it is gone, not that it was saved.
 * All times are whole milliseconds.
 *
 * The four required names are those that session libraries with storage callbacks ask for, so a
 * user's own storage is just an object with these functions.
 */
export interface SessionStore<Meta = unknown, User = unknown> {
  /** Inserts a new row. A second row of the same id is an error: it throws, and the first stays as it is. */
  saveSession(session: SessionRecord<Meta>): Promise<void>;

  /** The row as it stands, tombstones and expired ones too; `null` when unknown. */
  fetchSession(id: string): Promise<StoredSession<Meta, User> | null>;

  /**
   * Moves expiry and last activity, in one conditional write. `false` when the row is gone or
   * revoked, or already carries a later activity; never recreates a row (invariant I2).
   */
  updateSessionExpiry(id: string, expiresAt: Date, lastSeenAt: Date): Promise<boolean>;

  /** Removes the row for good. Idempotent: an unknown id is no error. */
  deleteSession(id: string): Promise<void>;

  /**
   * Ends one session and leaves a tombstone, in one conditional write. `false` when there is no
   * such live row, or it belongs to someone else than `userId`. A row that ran out by itself
   * before `ending.at` is closed too, as `expired` at its own `expiresAt`, and the answer is
   * `false`: a node whose clock is behind must not still let it in. Without this function the
   * engine deletes the row instead.
   */
  revokeSession?(id: string, ending: SessionEnd, userId?: string): Promise<boolean>;

  /**
   * Replaces the secret of a live session, in one conditional write that holds only while the
   * hash is still `previousHash`. `false` when it is gone, revoked or was renewed meanwhile.
   * Without this function the engine saves a new row and ends the old one.
   */
  renewSession?(id: string, previousHash: string, renewal: Renewal): Promise<boolean>;

  /** Gives the device a name (null: takes it away). `false` when there is no such row of this user. */
  nameSession?(id: string, userId: string, label: string | null): Promise<boolean>;

  /** Rows of one user; see {@link UserSessionsQuery} for which and in what order. */
  fetchSessionsForUser?(userId: string, query: UserSessionsQuery): Promise<Session<Meta>[]>;

  /**
   * Ends every live session of the user but `exceptId`, in one statement at any number of rows,
   * and closes those that ran out by themselves as `revokeSession` does. Answers the ids of the
   * live ones that it ended.
   */
  deleteSessionsForUser?(
    userId: string,
    exceptId: string | null,
    ending: SessionEnd,
  ): Promise<string[]>;

  /**
   * Ends the least recently used live sessions of the user beyond `keep`, never `exceptId`, which
   * counts as one of those kept. Does nothing when `exceptId` is itself no longer live: of two
   * that start at once under a cap of one, one must stay. Answers the ids that it ended.
   */
  trimSessionsForUser?(
    userId: string,
    keep: number,
    exceptId: string,
    ending: SessionEnd,
  ): Promise<string[]>;

  /**
   * Removes rows that ended (were revoked, or expired) before `endedBefore`, in batches that never
   * hold a lock for long. Answers how many it removed.
   */
  deleteAllExpiredSessions?(endedBefore: Date): Promise<number>;

  /** Every session of the system, oldest id first, a page at a time. */
  listSessions?(query: SystemSessionsQuery): Promise<SessionsPage<Meta>>;
}

/** A row as fetched for a request, with what the store was asked to hand along about its person. */
export interface StoredSession<Meta = unknown, User = unknown> {
  record: SessionRecord<Meta>;
  /** What the store was configured to read along with the row, in the same statement; null: nothing. */
  user: User | null;
}

export interface Renewal {
  secretHash: string;
  reauthenticatedAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
}

export interface UserSessionsQuery {
  /** Live: neither revoked nor past `expiresAt` at this time. */
  now: Date;
  /**
   * How many live rows at most, newest activity first (ties: by id, descending).
   */
  limit: number;
  /** Continue after this row; null: from the start. */
  after?: { lastSeenAt: Date; id: string } | null;
  /** Also up to this many ended rows, newest ending first, behind the live ones. 0 or absent: none. */
  endedLimit?: number;
}

export interface SystemSessionsQuery {
  /** Continue after this id; null: from the start. */
  after: string | null;
  /** Rows a page. */
  limit: number;
}

export interface SessionsPage<Meta = unknown> {
  sessions: Session<Meta>[];
  /** Hand this back as `after`; null: that was the last page. */
  next: string | null;
}

/** Thrown when a caller needs an optional function that the store does not have. */
export class MissingStoreFunctionError extends Error {
  override name = 'MissingStoreFunctionError';
  constructor(readonly functionName: keyof SessionStore) {
    super(`This session store has no ${functionName}(); add it to the store to use what needs it.`);
  }
}

/** Thrown by the engine when the store threw: the session's state is not known. Answer 503, never 401. */
export class StoreUnavailableError extends Error {
  override name = 'StoreUnavailableError';
  constructor(cause: unknown) {
    super('The session store is not available.', { cause });
  }
}
