import type { SessionEnd, Session, SessionRecord } from '../session.ts';
import { withoutSecret } from '../session.ts';
import { MissingStoreFunctionError, type SessionStore } from '../session-store.ts';
import { byActivity, isStoredLive, pageOfUser } from './listing.ts';
import { createKeyedQueue } from './keyed-queue.ts';

/**
 * What is saved: a plain object of strings, booleans, dates and `meta`. Keep every field and hand
 * them back as they are; dates may also come back as ISO text or as milliseconds.
 */
export interface SavedSession<Meta = unknown> extends SessionRecord<Meta> {
  /**
   * From the last activity to `expiresAt`, in milliseconds, as it was when the session was saved.
   * By it, a storage that only moves `expiresAt` still tells when the session was last seen.
   */
  idleMs: number;
}

/** What a storage may answer to a change: whether, or in how many rows, something changed. */
type Changed = boolean | number | void;

/** A session as a storage hands it back. */
export type FetchedSession<Meta = unknown> = {
  [Field in keyof SavedSession<Meta>]?: SavedSession<Meta>[Field] | string | number | null;
};

/**
 * A user's own storage. The names are those that session libraries with storage callbacks ask for.
 *
 * A throw (or a rejected promise) means that the storage is down; nothing else may. A function
 * that answers nothing is taken to have done what it was asked for.
 */
export interface SessionCallbacks<Meta = unknown> {
  /** Inserts a row; one of the same id is an error. */
  saveSession(session: SavedSession<Meta>): Promise<void> | void;
  /** The row, or null. */
  fetchSession(
    id: string,
  ): Promise<FetchedSession<Meta> | null | undefined> | FetchedSession<Meta> | null | undefined;
  /**
   * Moves `expiresAt` (and, better, `lastSeenAt`: it saves writes near the end of a lifetime) of a
   * row that is there. It must never create one. Answer false or 0 when there was none.
   */
  updateSessionExpiry(id: string, expiresAt: Date, lastSeenAt: Date): Promise<Changed> | Changed;
  /**
   * Removes the row. Answer false or 0 when there was none: with several processes, that is what
   * makes sure that of two who end a session at once only one is told that it did.
   */
  deleteSession(id: string): Promise<Changed> | Changed;
  /** All rows of the user, in any order. Without it: no list, no cap, nothing by user. */
  fetchSessionsForUser?(userId: string): Promise<FetchedSession<Meta>[]> | FetchedSession<Meta>[];
  /** Removes all rows of the user. */
  deleteSessionsForUser?(userId: string): unknown;
  /** Removes rows whose `expiresAt` is past; the date given spares those of the retention. Answer how many. */
  deleteAllExpiredSessions?(endedBefore: Date): unknown;
}

const REQUIRED = ['saveSession', 'fetchSession', 'updateSessionExpiry', 'deleteSession'] as const;

/**
 * Sessions in a user's own storage: an object of four functions, or up to seven.
 *
 * There are no tombstones here: an ended session is a deleted one, and nobody is told why it
 * ended. What needs a function that is not there is refused with a MissingStoreFunctionError that
 * names it. Within this process every change of a session waits for the one before; between
 * processes the storage's own answers (see {@link SessionCallbacks}) decide.
 *
 * @throws MissingStoreFunctionError, here and now, naming a required function that is missing.
 */
export function callbackSessionStore<Meta = unknown>(
  callbacks: SessionCallbacks<Meta>,
): SessionStore<Meta, never> {
  for (const name of REQUIRED) {
    if (typeof callbacks[name] !== 'function') throw new MissingStoreFunctionError(name);
  }
  const inTurn = createKeyedQueue();

  const fetchRow = async (id: string): Promise<SessionRecord<Meta> | null> => {
    const fetched = await callbacks.fetchSession(id);
    // A storage that compares without regard to case finds rows that nobody asked for.
    return fetched && fetched.id === id ? toRecord(fetched) : null;
  };

  const fetchRowsOfUser = async (userId: string): Promise<SessionRecord<Meta>[]> => {
    if (!callbacks.fetchSessionsForUser) {
      throw new MissingStoreFunctionError('fetchSessionsForUser');
    }
    const fetched = await callbacks.fetchSessionsForUser(userId);
    return fetched.map((row) => toRecord(row)).filter((row) => row.userId === userId);
  };

  /** True when it ended a live row; a row that had run out goes too. */
  const end = (id: string, ending: SessionEnd, userId?: string) =>
    inTurn(id, async () => {
      const row = await fetchRow(id);
      if (!row || (userId !== undefined && row.userId !== userId)) return false;
      return changedARow(await callbacks.deleteSession(id)) && isStoredLive(row, ending.at);
    });

  /** Ends one after the other; answers the ids of those that were live. */
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
      inTurn(id, async () => {
        const row = await fetchRow(id);
        if (!row || !isStoredLive(row, lastSeenAt) || row.lastSeenAt >= lastSeenAt) return false;
        return changedARow(await callbacks.updateSessionExpiry(id, expiresAt, lastSeenAt));
      }),

    deleteSession: (id) =>
      inTurn(id, async () => {
        await callbacks.deleteSession(id);
      }),

    revokeSession: end,
  };

  if (callbacks.fetchSessionsForUser) {
    store.fetchSessionsForUser = async (userId, query) =>
      pageOfUser((await fetchRowsOfUser(userId)).map(withoutSecret), query);

    store.trimSessionsForUser = (userId, keep, exceptId, ending) =>
      inTurn(`user ${userId}`, async () => {
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
      // A renewal gives a session another id: one that went on meanwhile shows up in the next look.
      const met = new Set([exceptId]);
      const ended: string[] = [];
      for (;;) {
        const others = (await fetchRowsOfUser(userId)).filter(({ id }) => !met.has(id));
        if (others.length === 0) return ended;
        for (const { id } of others) met.add(id);
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

const changedARow = (answer: Changed) => answer !== false && answer !== 0;

function toRecord<Meta>(row: FetchedSession<Meta>): SessionRecord<Meta> {
  const expiresAt = toDate(row.expiresAt, 'expiresAt');
  const keptLastSeenAt = toDate(row.lastSeenAt, 'lastSeenAt');
  // Where only `expiresAt` is moved, it tells of activity at least this late.
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
    lastSeenAt: new Date(Math.max(keptLastSeenAt.getTime(), impliedLastSeenMs)),
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

/** @throws TypeError for what is no time: a damaged row is no session, and no proof that there is none. */
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
