import { retention } from './retention.ts';
import { DAY_MS, type Sessions } from '#app/sessions/index.ts';
import type { ActivityLog } from '#app/activity/activity-log.server.ts';
import type { MailedCodes } from '#app/credentials/mailed-codes/mailed-codes.server.ts';
import type { Database } from '#app/database/database.server.ts';
import type { ReplayGuard } from '#app/database/replay-guard.server.ts';
import type { RateLimits } from '#app/limits/rate-limits.server.ts';

/** One kind of data that is deleted after its retention period. */
interface RetentionPart {
  /** "ended sessions". */
  what: string;
  /** "30 days after they ended". */
  keptFor: string;
  /** Returns how many rows `prune` would delete now. */
  count(now: Date): Promise<number>;
  /** Deletes the rows, and returns how many. */
  prune(now: Date): Promise<number>;
}

/** The objects that the schedule needs, of the server or of a command. */
export interface RetentionScope {
  db: Database['client'];
  sessions: Pick<Sessions, 'prune' | 'retentionMs'>;
  activityLog: Pick<ActivityLog, 'prune' | 'retentionDays'>;
  replayGuard: Pick<ReplayGuard, 'prune'>;
  mailedCodes: Pick<MailedCodes, 'prune'>;
  limits: Pick<RateLimits, 'prune'>;
}

const before = (now: Date, ms: number) => new Date(now.getTime() - ms);
const days = (ms: number) => {
  const count = Math.round(ms / DAY_MS);
  return count === 1 ? 'a day' : `${count} days`;
};

/** Returns every kind of data with a retention period. The server prunes hourly, the command on demand. */
export function retentionSchedule(scope: RetentionScope): RetentionPart[] {
  const { db, sessions, activityLog, replayGuard, mailedCodes, limits } = scope;
  const oldReceipts = (now: Date) => ({
    erasedAt: { lt: before(now, retention.erasureReceiptMs) },
    pending: null,
  });
  return [
    {
      what: 'ended sessions',
      keptFor: `${days(sessions.retentionMs)} after they ended`,
      count(now) {
        const lt = before(now, sessions.retentionMs);
        return db.session.count({ where: { OR: [{ expiresAt: { lt } }, { revokedAt: { lt } }] } });
      },
      prune: (now) => sessions.prune(now),
    },
    {
      what: 'activity entries',
      keptFor: `${days(activityLog.retentionDays * DAY_MS)} after they happened`,
      count(now) {
        const lt = before(now, activityLog.retentionDays * DAY_MS);
        return db.activity.count({ where: { at: { lt } } });
      },
      prune: (now) => activityLog.prune(now),
    },
    {
      what: 'mailed codes',
      keptFor: `${days(retention.mailedCodeMs)} after they are no good any more`,
      count(now) {
        const lt = before(now, retention.mailedCodeMs);
        return db.mailedCode.count({ where: { expiresAt: { lt } } });
      },
      prune: (now) => mailedCodes.prune(before(now, retention.mailedCodeMs)),
    },
    {
      what: 'waiting mail',
      keptFor: 'until it is of no use any more',
      count: (now) => db.outgoingMail.count({ where: { expiresAt: { lte: now } } }),
      async prune(now) {
        const { count } = await db.outgoingMail.deleteMany({ where: { expiresAt: { lte: now } } });
        return count;
      },
    },
    {
      what: 'spent things',
      keptFor: 'for as long as they could be brought again',
      count: (now) => db.spent.count({ where: { expiresAt: { lt: now } } }),
      prune: (now) => replayGuard.prune(now),
    },
    {
      what: 'counters of tries',
      keptFor: 'an hour at the most',
      // Uses the system clock, as the counters do; see `postgres-counters.server.ts`.
      count: () => db.rateLimit.count({ where: { expire: { lt: Date.now() } } }),
      prune: () => limits.prune(),
    },
    {
      what: 'erasure receipts',
      keptFor: `${days(retention.erasureReceiptMs)} after the erasure`,
      count: (now) => db.erasureReceipt.count({ where: oldReceipts(now) }),
      async prune(now) {
        const { count } = await db.erasureReceipt.deleteMany({ where: oldReceipts(now) });
        return count;
      },
    },
  ];
}
