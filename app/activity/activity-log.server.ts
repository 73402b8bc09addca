import { createHash, randomUUID } from 'node:crypto';
import type { Database } from '#app/database/database.server.ts';
import { describeDevice } from '#app/sessions/device.ts';
import { DAY_MS, HOUR_MS } from '#app/sessions/index.ts';
import { BATCH_TARGET_MS, deleteInBatches } from '#app/sessions/stores/batches.ts';
import {
  parseEvent,
  type ActivityEvent,
  type FailedFactor,
  type StoredEvent,
} from './activity-event.ts';
import { activityStatements } from './activity-statements.ts';

/** The device and place of an event. */
export interface ActivitySource {
  userAgent: string;
  ipAddress: string;
  country: string | null;
  /** Public id of the session; `null`: outside of any session. */
  sessionId: string | null;
}

/** An event as it was recorded. */
interface RecordedActivity {
  id: string;
  userId: string;
  at: Date;
  deviceKey: string;
}

/** An entry of the log. */
export interface ActivityEntry {
  id: string;
  event: StoredEvent;
  at: Date;
  sessionId: string | null;
  userAgent: string;
  ipAddress: string;
  country: string | null;
}

/** The entry after which a page of the log begins. */
interface ActivityPosition {
  at: Date;
  id: string;
}

interface ActivityPage {
  /** Newest first. */
  entries: ActivityEntry[];
  /** The `after` of the next page; `null` on the last one. */
  next: ActivityPosition | null;
}

/** The account that was attempted: the e-mail as it was typed, or the user's id. */
export type AttemptTarget = { email: string } | { userId: string };

/** Failed attempts at an account within the last day, this one included. */
export interface RecentFailures {
  /** `null`: no user has that e-mail, and nothing was recorded. */
  user: { id: string; name: string; email: string } | null;
  passwords: number;
  secondFactors: number;
}

/** The log of what happened to an account, for its user to read. */
export interface ActivityLog {
  /** How long an entry is stored. */
  readonly retentionDays: number;
  /** Records an event. For failed attempts use {@link recordFailure}. */
  record(
    userId: string,
    event: Exclude<ActivityEvent, { kind: 'sign-in-failed' }>,
    source: ActivitySource,
    now: Date,
  ): Promise<RecordedActivity>;
  /**
   * True if a recorded sign-in came from a browser, system and country that no earlier entry has; never
   * for the first sign-in of an account. Of several at once from the same new device the first always
   * counts as new, and the others may too: one notice too many is better than none.
   */
  isFromNewDevice(signIn: RecordedActivity): Promise<boolean>;
  /**
   * Records a failed attempt, and returns how many there were within a day. The statements are the same,
   * in number and kind, for an unknown e-mail. Attempts of one device within an hour share an entry, and
   * so do attempts of very many devices, so that an attacker cannot flood a user's log.
   */
  recordFailure(
    attempted: AttemptTarget,
    what: FailedFactor,
    source: ActivitySource,
    now: Date,
  ): Promise<RecentFailures>;
  /**
   * True if this user may be mailed about failed attempts: once within a day. `null` does the same work
   * for no user.
   */
  claimFailureNotice(userId: string | null, now: Date): Promise<boolean>;
  /** Returns a page of this user's log, newest first. */
  list(
    userId: string,
    page: { limit: number; after?: ActivityPosition | null },
  ): Promise<ActivityPage>;
  /** Returns an entry of this user; `null` for an unknown id, or another user's. */
  find(id: string, userId: string): Promise<ActivityEntry | null>;
  /** Deletes entries that are older than the retention. Returns how many. */
  prune(now: Date): Promise<number>;
}

interface ActivityLogOptions extends Pick<Database, 'provider'> {
  db: Database['client'];
  /** Awaited by a prune from time to time; see `Database`. Default: nothing. */
  checkpoint?: Database['checkpoint'];
  retentionDays: number;
}

const PRUNE_BATCH_ROWS = 100;
/** Entries for failed attempts per account and day; further ones share one entry per hour. */
const MAX_FAILURE_ENTRIES_PER_DAY = 20;
const KEY_CHARACTERS = 12;

const ENTRY_COLUMNS = {
  id: true,
  kind: true,
  at: true,
  sessionId: true,
  userAgent: true,
  ipAddress: true,
  country: true,
  detail: true,
} as const;

export function createActivityLog(options: ActivityLogOptions): ActivityLog {
  const { db, provider, retentionDays, checkpoint } = options;
  const statements = activityStatements(provider);

  return {
    retentionDays,

    async record(userId, { kind, ...detail }, source, now) {
      return db.activity.create({
        data: {
          userId,
          kind,
          at: now,
          ...source,
          detail: Object.keys(detail).length === 0 ? null : JSON.stringify(detail),
          deviceKey: deviceKeyOf(source),
        },
        select: { id: true, userId: true, at: true, deviceKey: true },
      });
    },

    async isFromNewDevice({ id, userId, at, deviceKey }) {
      const before = {
        userId,
        kind: 'signed-in',
        OR: [{ at: { lt: at } }, { at, id: { lt: id } }],
      };
      const select = { id: true };
      const known = await db.activity.findFirst({ where: { ...before, deviceKey }, select });
      if (known) return false;
      if (await db.activity.findFirst({ where: before, select })) return true;
      // If an account was unused for the whole retention, its earlier sign-ins were pruned: count as new.
      const keptSince = new Date(at.getTime() - retentionDays * DAY_MS);
      const older = { id: userId, createdAt: { lt: keptSince } };
      return (await db.user.findFirst({ where: older, select })) !== null;
    },

    async recordFailure(attempted, what, source, now) {
      const [column, value] =
        'email' in attempted
          ? (['email', attempted.email] as const)
          : (['id', attempted.userId] as const);
      const deviceKey = deviceKeyOf(source);
      const aDayAgo = new Date(now.getTime() - DAY_MS);
      const hour = Math.floor(now.getTime() / HOUR_MS);
      const { userAgent, ipAddress, country } = source;
      const ownPrefix = `failed-${what}-${hour}-${digestOf(deviceKey)}-`;
      const [, , rows] = await db.$transaction([
        db.$queryRawUnsafe(
          statements.record[column],
          ...[
            aDayAgo,
            MAX_FAILURE_ENTRIES_PER_DAY,
            ownPrefix,
            ownPrefix,
            `failed-${what}-${hour}-`,
          ],
          ...[now, userAgent, ipAddress, country],
          ...[JSON.stringify({ what, count: 1 }), deviceKey, value],
        ),
        // Write a row in either case: a commit that reaches the disk takes longer than an empty one.
        db.spent.create({ data: { digest: randomUUID(), expiresAt: now } }),
        db.$queryRawUnsafe<FailureRow[]>(statements.recent[column], aDayAgo, value),
      ]);
      return failuresOf(rows);
    },

    async claimFailureNotice(userId, now) {
      const whose = userId === null ? randomUUID() : failureNoticeOf(userId);
      const until = userId === null ? now : new Date(now.getTime() + DAY_MS);
      const taken = await db.$queryRawUnsafe<unknown[]>(statements.takeNotice, whose, until, now);
      return userId !== null && taken.length > 0;
    },

    async list(userId, { limit, after = null }) {
      const rows = await db.activity.findMany({
        where: {
          userId,
          ...(after && { OR: [{ at: { lt: after.at } }, { at: after.at, id: { lt: after.id } }] }),
        },
        orderBy: [{ at: 'desc' }, { id: 'desc' }],
        // One more than the limit, to know whether there is another page.
        take: limit + 1,
        select: ENTRY_COLUMNS,
      });
      const entries = rows.slice(0, limit).map(entryOf);
      const last = rows.length > limit ? entries.at(-1) : undefined;
      return { entries, next: last ? { at: last.at, id: last.id } : null };
    },

    async find(id, userId) {
      const row = await db.activity.findFirst({ where: { id, userId }, select: ENTRY_COLUMNS });
      return row && entryOf(row);
    },

    async prune(now) {
      const keptSince = new Date(now.getTime() - retentionDays * DAY_MS);
      return deleteInBatches((rows) => db.$executeRawUnsafe(statements.prune, keptSince, rows), {
        targetMs: BATCH_TARGET_MS[provider],
        mostRows: PRUNE_BATCH_ROWS,
        checkpoint,
      });
    },
  };
}

/** Returns the key, in the table "Spent", of the claim for a mail to this user about failed attempts. */
export function failureNoticeOf(userId: string): string {
  return `mail about failed attempts ${userId}`;
}

/** Returns what identifies a device. It stays the same when the browser is updated. */
export function deviceKeyOf({ userAgent, country }: Pick<ActivitySource, 'userAgent' | 'country'>) {
  return `${describeDevice(userAgent).name} | ${country ?? '-'}`;
}

interface EntryRow extends Omit<ActivityEntry, 'event'> {
  kind: string;
  detail: string | null;
}

function entryOf({ kind, detail, ...rest }: EntryRow): ActivityEntry {
  return { ...rest, event: parseEvent(kind, detail === null ? null : JSON.parse(detail)) };
}

interface FailureRow {
  id: string;
  name: string;
  email: string;
  detail: string;
}

function failuresOf(rows: FailureRow[]): RecentFailures {
  const [row] = rows;
  const counts: Record<FailedFactor, number> = { password: 0, 'second-factor': 0 };
  for (const { detail } of rows) {
    const { what, count } = JSON.parse(detail) as { what: FailedFactor; count: number };
    counts[what] += count;
  }
  return {
    user: row ? { id: row.id, name: row.name, email: row.email } : null,
    passwords: counts.password,
    secondFactors: counts['second-factor'],
  };
}

// Part of an id: short, and safe in a URL.
function digestOf(deviceKey: string): string {
  return createHash('sha256').update(deviceKey).digest('hex').slice(0, KEY_CHARACTERS);
}
