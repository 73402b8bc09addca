import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SessionEnd, Session, SessionRecord } from '../session.ts';
import { withoutSecret } from '../session.ts';
import type { SessionStore } from '../session-store.ts';
import { byActivity, isStoredLive, pageOfUser } from './listing.ts';

/** A stored row. `meta` is JSON, as in every other store, so that callers never share its object. */
type Row = Omit<SessionRecord, 'meta'> & { meta: string };

/** Number of rows that a prune reads before it yields to other work. */
const PRUNE_ROWS_AT_ONCE = 5000;

/**
 * Returns a store in the memory of this process: for tests, development, and a single process that may
 * sign out all users when it restarts. Only a prune frees memory.
 *
 * The store copies rows in and out, so that a caller cannot change them.
 */
export function memorySessionStore<Meta = unknown>(): Required<SessionStore<Meta, never>> {
  const rows = new Map<string, Row>();
  const idsOfUser = new Map<string, Set<string>>();
  let idsInOrder: string[] | null = null;

  const rowsOfUser = (userId: string) =>
    [...(idsOfUser.get(userId) ?? [])].flatMap((id) => rows.get(id) ?? []);

  const remove = (row: Row) => {
    rows.delete(row.id);
    idsInOrder = null;
    const ids = idsOfUser.get(row.userId);
    ids?.delete(row.id);
    if (ids?.size === 0) idsOfUser.delete(row.userId);
  };

  /** Closes a row; an expired one at its own expiry. Returns true if it was live. */
  const close = (row: Row, ending: SessionEnd) => {
    const wasLive = row.expiresAt > ending.at;
    row.revokedAt = new Date(wasLive ? ending.at : row.expiresAt);
    row.revokedReason = wasLive ? ending.reason : 'expired';
    row.revokedBy = wasLive ? ending.by : null;
    return wasLive;
  };

  return {
    async saveSession(session) {
      if (rows.has(session.id)) throw new Error('A session of this id already exists.');
      rows.set(session.id, { ...copyDates(session), meta: JSON.stringify(session.meta ?? null) });
      idsInOrder = null;
      const ids = idsOfUser.get(session.userId) ?? new Set();
      idsOfUser.set(session.userId, ids.add(session.id));
    },

    async fetchSession(id) {
      const row = rows.get(id);
      return row ? { record: toRecord<Meta>(row), user: null } : null;
    },

    async updateSessionExpiry(id, expiresAt, lastSeenAt) {
      const row = rows.get(id);
      if (!row || !isStoredLive(row, lastSeenAt) || row.lastSeenAt >= lastSeenAt) return false;
      row.expiresAt = new Date(expiresAt);
      row.lastSeenAt = new Date(lastSeenAt);
      return true;
    },

    async deleteSession(id) {
      const row = rows.get(id);
      if (row) remove(row);
    },

    async revokeSession(id, ending, userId) {
      const row = rows.get(id);
      if (!row || row.revokedAt || (userId !== undefined && row.userId !== userId)) return false;
      return close(row, ending);
    },

    async renewSession(id, previousHash, { secretHash, ...times }) {
      const row = rows.get(id);
      if (!row || row.secretHash !== previousHash) return false;
      if (!isStoredLive(row, times.reauthenticatedAt)) return false;
      row.secretHash = secretHash;
      row.reauthenticatedAt = new Date(times.reauthenticatedAt);
      row.lastSeenAt = new Date(times.lastSeenAt);
      row.expiresAt = new Date(times.expiresAt);
      return true;
    },

    async nameSession(id, userId, label) {
      const row = rows.get(id);
      if (row?.userId !== userId) return false;
      row.label = label;
      return true;
    },

    async fetchSessionsForUser(userId, query) {
      return pageOfUser(rowsOfUser(userId).map(toSession<Meta>), query);
    },

    async deleteSessionsForUser(userId, exceptId, ending) {
      return rowsOfUser(userId)
        .filter((row) => row.id !== exceptId && !row.revokedAt)
        .filter((row) => close(row, ending))
        .map(({ id }) => id);
    },

    async trimSessionsForUser(userId, keep, exceptId, ending) {
      const live = rowsOfUser(userId).filter((row) => isStoredLive(row, ending.at));
      if (!live.some(({ id }) => id === exceptId)) return [];
      const others = live.filter(({ id }) => id !== exceptId).sort(byActivity);
      const surplus = others.slice(Math.max(0, keep - 1));
      for (const row of surplus) close(row, ending);
      return surplus.map(({ id }) => id);
    },

    async deleteAllExpiredSessions(endedBefore) {
      let deleted = 0;
      let seen = 0;
      for (const row of rows.values()) {
        if ((row.revokedAt ?? row.expiresAt) < endedBefore) {
          remove(row);
          deleted += 1;
        }
        if ((seen += 1) % PRUNE_ROWS_AT_ONCE === 0) await nextTurn();
      }
      return deleted;
    },

    async listSessions({ after, limit }) {
      idsInOrder ??= [...rows.keys()].sort();
      const from = after === null ? 0 : firstAfter(idsInOrder, after);
      const page = idsInOrder.slice(from, from + limit).flatMap((id) => rows.get(id) ?? []);
      const isLast = from + limit >= idsInOrder.length;
      return {
        sessions: page.map(toSession<Meta>),
        next: isLast ? null : (page.at(-1)?.id ?? null),
      };
    },
  };
}

function copyDates<Source extends Omit<Session, 'meta'>>(source: Source): Source {
  return {
    ...source,
    createdAt: new Date(source.createdAt),
    lastSeenAt: new Date(source.lastSeenAt),
    expiresAt: new Date(source.expiresAt),
    reauthenticatedAt: new Date(source.reauthenticatedAt),
    revokedAt: source.revokedAt && new Date(source.revokedAt),
  };
}

function toRecord<Meta>(row: Row): SessionRecord<Meta> {
  return { ...copyDates(row), meta: JSON.parse(row.meta) as Meta | null };
}

function toSession<Meta>(row: Row): Session<Meta> {
  return withoutSecret(toRecord<Meta>(row));
}

/** Returns the index of the first id greater than `after` in a sorted list. */
function firstAfter(ids: string[], after: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle]! <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
