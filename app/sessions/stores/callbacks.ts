import type { SessionEnd, Session, SessionRecord } from '../session.ts';
import { withoutSecret } from '../session.ts';
import { MissingStoreFunctionError, type SessionStore } from '../session-store.ts';
import { byActivity, isStoredLive, pageOfUser } from './listing.ts';
import { createKeyedQueue } from './keyed-queue.ts';

/**
 * A session as passed to a storage: a plain object of strings, booleans, dates and `meta`. Store every
 * field and return it unchanged. Dates may be returned as ISO text or as milliseconds.
 */
export interface SavedSession<Meta = unknown> extends SessionRecord<Meta> {
  /**
   * Milliseconds from the last activity to `expiresAt` when the session was saved. From this the store
   * computes the last activity if the storage updates only `expiresAt`.
   */
  idleMs: number;
}

/** Result of a write to a storage: whether a row changed, or how many did. */
type WriteResult = boolean | number | void;

/** A session as a storage returns it. */
export type FetchedSession<Meta = unknown> = {
  [Field in keyof SavedSession<Meta>]?: SavedSession<Meta>[Field] | string | number | null;
};

/**
 * A custom storage. The functions have the names that session libraries with storage callbacks use.
 *
 * A function must throw (or reject) if, and only if, the storage is down. If it returns undefined, it
 * counts as done.
 */
export interface SessionCallbacks<Meta = unknown> {
  /** Inserts a row. A row of the same id is an error. */
  saveSession(session: SavedSession<Meta>): Promise<void> | void;
  /** Returns the row, or null. */
  fetchSession(
    id: string,
  ): Promise<FetchedSession<Meta> | null | undefined> | FetchedSession<Meta> | null | undefined;
  /**
   * Updates `expiresAt` of an existing row, and preferably `lastSeenAt`, which saves writes near the
   * end of a lifetime. Must never create a row. Must return false or 0 if there was none.
   */
  updateSessionExpiry(
    id: string,
    expiresAt: Date,
    lastSeenAt: Date,
  ): Promise<WriteResult> | WriteResult;
  /**
   * Deletes the row. Must return false or 0 if there was none. Several processes need this so that, if
   * two end a session at once, only one is told that it did.
   */
  deleteSession(id: string): Promise<WriteResult> | WriteResult;
  /** Returns all rows of the user, in any order. Needed for lists, the cap and revokes by user. */
  fetchSessionsForUser?(userId: string): Promise<FetchedSession<Meta>[]> | FetchedSession<Meta>[];
  /** Deletes all rows of the user. */
  deleteSessionsForUser?(userId: string): unknown;
  /** Deletes rows whose `expiresAt` is before the date, and returns how many. */
  deleteAllExpiredSessions?(endedBefore: Date): unknown;
}

const REQUIRED = ['saveSession', 'fetchSession', 'updateSessionExpiry', 'deleteSession'] as const;

/**
 * Returns a store over a custom storage: an object of four to seven functions.
 *
 * This store has no tombstones: it deletes an ended session, so no user learns why a session ended. A
 * call that needs a missing function throws a MissingStoreFunctionError that names it. Within this
 * process each change of a session waits for the previous one; between processes the results of the
 * storage decide (see {@link SessionCallbacks}).
 *
 * @throws MissingStoreFunctionError at once if a required function is missing.
 */
export function callbackSessionStore<Meta = unknown>(
  callbacks: SessionCallbacks<Meta>,
): SessionStore<Meta, never> {
  for (const name of REQUIRED) {
    if (typeof callbacks[name] !== 'function') throw new MissingStoreFunctionError(name);
  }
  const enqueue = createKeyedQueue();

  const fetchRow = async (id: string): Promise<SessionRecord<Meta> | null> => {
    const fetched = await callbacks.fetchSession(id);
    // A case-insensitive storage may return the row of another id.
    return fetched && fetched.id === id ? toRecord(fetched) : null;
  };

  const fetchRowsOfUser = async (userId: string): Promise<SessionRecord<Meta>[]> => {
    if (!callbacks.fetchSessionsForUser) {
      throw new MissingStoreFunctionError('fetchSessionsForUser');
    }
    const fetched = await callbacks.fetchSessionsForUser(userId);
    return fetched.map((row) => toRecord(row)).filter((row) => row.userId === userId);
  };

  /** Deletes a row. True if the row was live. */
  const end = (id: string, ending: SessionEnd, userId?: string) =>
    enqueue(id, async () => {
      const row = await fetchRow(id);
      if (!row || (userId !== undefined && row.userId !== userId)) return false;
      return hasChangedRow(await callbacks.deleteSession(id)) && isStoredLive(row, ending.at);
    });

  /** Ends sessions one after the other. Returns the ids of those that were live. */
  const endEach = async (rows: Session[], ending: SessionEnd) => {
    const ended: string[] = [];
    for (const { id } of rows) {
      if (await end(id, ending)) ended.push(id);
    }
    return ended;
  };

  const store: SessionStore<Meta, never> = {
    async saveSession(session) {
      const idleMs = session.expiresAt.getTime() - session.lastSeenAt.getTime();
      await callbacks.saveSession({ ...session, idleMs });
    },

    async fetchSession(id) {
      const record = await fetchRow(id);
      return record && { record, user: null };
    },

    updateSessionExpiry: (id, expiresAt, lastSeenAt) =>
      enqueue(id, async () => {
        const row = await fetchRow(id);
        if (!row || !isStoredLive(row, lastSeenAt) || row.lastSeenAt >= lastSeenAt) return false;
        return hasChangedRow(await callbacks.updateSessionExpiry(id, expiresAt, lastSeenAt));
      }),

    deleteSession: (id) =>
      enqueue(id, async () => {
        await callbacks.deleteSession(id);
      }),

    revokeSession: end,
  };

  if (callbacks.fetchSessionsForUser) {
    store.fetchSessionsForUser = async (userId, query) =>
      pageOfUser((await fetchRowsOfUser(userId)).map(withoutSecret), query);

    store.trimSessionsForUser = (userId, keep, exceptId, ending) =>
      enqueue(`user ${userId}`, async () => {
        const live = (await fetchRowsOfUser(userId)).filter((row) => isStoredLive(row, ending.at));
        if (!live.some(({ id }) => id === exceptId)) return [];
        const others = live.filter(({ id }) => id !== exceptId).sort(byActivity);
        return endEach(others.slice(Math.max(0, keep - 1)), ending);
      });
  }

  if (callbacks.deleteSessionsForUser) {
    store.deleteSessionsForUser = async (userId, exceptId, ending) => {
      if (exceptId === null) {
        const rows = await fetchRowsOfUser(userId);
        await callbacks.deleteSessionsForUser!(userId);
        return rows.filter((row) => isStoredLive(row, ending.at)).map(({ id }) => id);
      }
      // A renewal gives a session another id, so a concurrent one is found by the next fetch.
      const seen = new Set([exceptId]);
      const ended: string[] = [];
      for (;;) {
        const others = (await fetchRowsOfUser(userId)).filter(({ id }) => !seen.has(id));
        if (others.length === 0) return ended;
        for (const { id } of others) seen.add(id);
        ended.push(...(await endEach(others, ending)));
      }
    };
  }

  if (callbacks.deleteAllExpiredSessions) {
    store.deleteAllExpiredSessions = async (endedBefore) => {
      const deleted = await callbacks.deleteAllExpiredSessions!(endedBefore);
      return typeof deleted === 'number' ? deleted : 0;
    };
  }

  return store;
}

const hasChangedRow = (result: WriteResult) => result !== false && result !== 0;

function toRecord<Meta>(row: FetchedSession<Meta>): SessionRecord<Meta> {
  const expiresAt = toDate(row.expiresAt, 'expiresAt');
  const storedLastSeenAt = toDate(row.lastSeenAt, 'lastSeenAt');
  // If the storage updates only `expiresAt`, it implies activity at least this late.
  const impliedLastSeenMs = expiresAt.getTime() - Number(row.idleMs ?? Infinity);
  return {
    id: String(row.id),
    secretHash: String(row.secretHash),
    userId: String(row.userId),
    label: toText(row.label),
    userAgent: toText(row.userAgent) ?? '',
    ipAddress: toText(row.ipAddress) ?? '',
    country: toText(row.country),
    remember: Boolean(row.remember),
    createdAt: toDate(row.createdAt, 'createdAt'),
    lastSeenAt: new Date(Math.max(storedLastSeenAt.getTime(), impliedLastSeenMs)),
    expiresAt,
    reauthenticatedAt: toDate(row.reauthenticatedAt, 'reauthenticatedAt'),
    revokedAt: row.revokedAt == null ? null : toDate(row.revokedAt, 'revokedAt'),
    revokedReason: toText(row.revokedReason) as SessionRecord['revokedReason'],
    revokedBy: toText(row.revokedBy),
    meta: (row.meta as Meta | null | undefined) ?? null,
  };
}

const toText = (value: string | number | null | undefined) =>
  value === null || value === undefined ? null : String(value);

/** @throws TypeError if the value is no time. A damaged row proves neither a session nor its absence. */
function toDate(value: unknown, field: string): Date {
  const date =
    value instanceof Date || typeof value === 'string' || typeof value === 'number'
      ? new Date(value)
      : null;
  if (!date || Number.isNaN(date.getTime())) {
    throw new TypeError(`${field} of a fetched session is not a date.`);
  }
  return date;
}
