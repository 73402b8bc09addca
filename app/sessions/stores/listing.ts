import type { Session } from '../session.ts';
import type { UserSessionsQuery } from '../session-store.ts';

/** True while a row is live for a store: neither revoked nor past its `expiresAt`. */
export function isStoredLive(
  { revokedAt, expiresAt }: Pick<Session, 'revokedAt' | 'expiresAt'>,
  now: Date,
): boolean {
  return revokedAt === null && expiresAt > now;
}

/** Compares for the order: newest activity first, ties by id descending. */
export function byActivity(one: Session, other: Session): number {
  return other.lastSeenAt.getTime() - one.lastSeenAt.getTime() || (one.id < other.id ? 1 : -1);
}

/** Compares for the order: most recently ended first, by the time of revocation or else of expiry. */
export function byEnding(one: Session, other: Session): number {
  return endOf(other) - endOf(one) || (one.id < other.id ? 1 : -1);
}

const endOf = ({ revokedAt, expiresAt }: Session) => (revokedAt ?? expiresAt).getTime();

/** Returns the page that `query` describes, from all rows of one user in any order. */
export function pageOfUser<Row extends Session>(rows: Row[], query: UserSessionsQuery): Row[] {
  const { now, limit, after = null, endedLimit = 0 } = query;
  const isAfter = ({ lastSeenAt, id }: Row) =>
    after === null ||
    lastSeenAt < after.lastSeenAt ||
    (lastSeenAt.getTime() === after.lastSeenAt.getTime() && id < after.id);
  const live = rows.filter((row) => isStoredLive(row, now) && isAfter(row));
  const ended = endedLimit > 0 ? rows.filter((row) => !isStoredLive(row, now)) : [];
  return [...live.sort(byActivity).slice(0, limit), ...ended.sort(byEnding).slice(0, endedLimit)];
}
