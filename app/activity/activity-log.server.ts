import { createHash, randomUUID } from 'node:crypto';
import type { Database } from '#app/database/database.server.ts';
import { describeDevice } from '#app/sessions/device.ts';
import { DAY_MS, HOUR_MS } from '#app/sessions/index.ts';
import { BATCH_TARGET_MS, deleteInBatches } from '#app/sessions/stores/batches.ts';
import { activityStatements } from './activity-statements.ts';

/** What can happen to an account. What is said besides is never a secret. */
export type ActivityEvent =
  | { kind: 'signed-up' }
  | { kind: 'signed-in' }
  /** Somebody had the e-mail right, or the first factor, and something else wrong. */
  | { kind: 'sign-in-failed'; what: 'password' | 'second-factor' }
  | { kind: 'password-changed' }
  | { kind: 'password-reset' }
  | { kind: 'email-changed'; from: string; to: string }
  | { kind: 'email-change-undone'; to: string }
  | { kind: 'totp-on' }
  | { kind: 'totp-off' }
  | { kind: 'recovery-codes-new' }
  | { kind: 'recovery-code-used'; left: number }
  | { kind: 'passkey-added'; passkey: string }
  | { kind: 'passkey-removed'; passkey: string }
  | { kind: 'connection-added'; provider: string }
  | { kind: 'connection-removed'; provider: string }
  | { kind: 'session-ended'; device: string }
  | { kind: 'sessions-ended'; count: number }
  | { kind: 'token-made'; token: string }
  | { kind: 'token-revoked'; token: string }
  | { kind: 'tokens-revoked'; count: number }
  | { kind: 'download-made' }
  /** The person said that something was not them. */
  | { kind: 'not-me' };

export type ActivityKind = ActivityEvent['kind'];

/** Where and by which device something happened. */
export interface ActivitySource {
  userAgent: string;
  ipAddress: string;
  country: string | null;
  /** Public id of the session; null: in none. */
  sessionId: string | null;
}

/** What was written down of something that happened. */
export interface RecordedActivity {
  id: string;
  userId: string;
  at: Date;
  deviceKey: string;
}

/** An entry of the log, as it is kept. */
export interface Activity {
  id: string;
  event: StoredEvent;
  at: Date;
  sessionId: string | null;
  userAgent: string;
  ipAddress: string;
  country: string | null;
}

/** Failed attempts of one device within an hour are one entry, which says how many they were. */
export type StoredEvent = ActivityEvent & { count?: number };

/** Where a page of the log begins: after this entry. */
export interface ActivityPosition {
  at: Date;
  id: string;
}

export interface ActivityPage {
  /** Newest first. */
  entries: Activity[];
  /** Hand this back as `after` for the next page; null: that was the last. */
  next: ActivityPosition | null;
}

/** Whose account was tried: the e-mail as it was typed, or the account that it must be. */
export type AttemptTarget = { email: string } | { userId: string };

/** How often somebody failed at an account within the last day, this time included. */
export interface RecentFailures {
  /** null: nobody has that e-mail, and nothing was written down. */
  user: { id: string; name: string; email: string } | null;
  passwords: number;
  secondFactors: number;
}

/** The log of what happened to an account, for its owner to read. */
export interface ActivityLog {
  /** How long an entry is kept. */
  readonly retentionDays: number;
  /** Writes down what has happened. Failed attempts go by {@link recordFailure}. */
  record(
    userId: string,
    event: Exclude<ActivityEvent, { kind: 'sign-in-failed' }>,
    source: ActivitySource,
    now: Date,
  ): Promise<RecordedActivity>;
  /**
   * True when that sign-in, already on record, came from a browser, system and country of which there
   * is none before it; never for the first of an account. It looks at what stands before it in the
   * order of the log. So of several at once from the same new device the first is always new, and the
   * others are as well if they cannot see it yet: one notice too many is better than none.
   */
  isFromNewDevice(signIn: RecordedActivity): Promise<boolean>;
  /**
   * Writes a failed attempt down, and says how many there were of late. The statements are the same,
   * in number and kind, for an e-mail that nobody has. Those of one device within an hour are one
   * entry, and those of very many devices are one as well: nobody can flood the log of another person.
   */
  recordFailure(
    attempted: AttemptTarget,
    what: FailedFactor,
    source: ActivitySource,
    now: Date,
  ): Promise<RecentFailures>;
  /**
   * True when this account may be mailed about failed attempts: once within a day. null: of nobody,
   * at the same cost.
   */
  claimFailureNotice(userId: string | null, now: Date): Promise<boolean>;
  /** A page of the log of this user, newest first. */
  list(
    userId: string,
    page: { limit: number; after?: ActivityPosition | null },
  ): Promise<ActivityPage>;
  /** One entry of this user; null when there is no such one. */
  find(id: string, userId: string): Promise<Activity | null>;
  /** Removes what is older than the retention. Answers how many entries went. */
  prune(now: Date): Promise<number>;
}

export type FailedFactor = Extract<ActivityEvent, { kind: 'sign-in-failed' }>['what'];

interface ActivityLogOptions extends Pick<Database, 'provider'> {
  db: Database['client'];
  /** Awaited by a prune now and then; see `Database`. Default: nothing. */
  checkpoint?: Database['checkpoint'];
  retentionDays: number;
}

const PRUNE_BATCH_ROWS = 100;
/** Entries of failed attempts that one account gets in a day, before they share one an hour. */
const FAILURES_A_DAY = 20;
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
      // Of an account that nobody used for as long as entries are kept, the first is on record no more.
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
      const own = `failed-${what}-${hour}-${digestOf(deviceKey)}-`;
      const [, , rows] = await db.$transaction([
        db.$queryRawUnsafe(
          statements.record[column],
          ...[aDayAgo, FAILURES_A_DAY, own, own, `failed-${what}-${hour}-`],
          ...[now, userAgent, ipAddress, country],
          ...[JSON.stringify({ what, count: 1 }), deviceKey, value],
        ),
        // Something is written in either case: a commit that has to reach the disk takes its time.
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
        // One more than asked for tells whether there is another page.
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

/** Under what the table of spent things has it that this account was mailed about failed attempts. */
export function failureNoticeOf(userId: string): string {
  return `mail about failed attempts ${userId}`;
}

/** What a device is told apart by: an update of its browser does not make it another one. */
export function deviceKeyOf({ userAgent, country }: Pick<ActivitySource, 'userAgent' | 'country'>) {
  return `${describeDevice(userAgent).name} | ${country ?? '-'}`;
}

interface EntryRow extends Omit<Activity, 'event'> {
  kind: string;
  detail: string | null;
}

function entryOf({ kind, detail, ...rest }: EntryRow): Activity {
  return { ...rest, event: parseEvent(kind, detail === null ? null : JSON.parse(detail)) };
}

/** What happened, of the two columns that say so. */
export function parseEvent(kind: string, detail: unknown): StoredEvent {
  return { ...(detail as object | null), kind } as StoredEvent;
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

// Part of an id: short, and of letters that may stand in an address.
function digestOf(deviceKey: string): string {
  return createHash('sha256').update(deviceKey).digest('hex').slice(0, KEY_CHARACTERS);
}
