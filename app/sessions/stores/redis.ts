import { createHash } from 'node:crypto';
import {
  DAY_MS,
  SECOND_MS,
  type SessionEnd,
  type Session,
  type SessionRecord,
} from '../session.ts';
import { withoutSecret } from '../session.ts';
import type { SessionStore } from '../session-store.ts';
import { deleteInBatches } from './batches.ts';
import { byEnding, isStoredLive } from './listing.ts';
import { redisScripts } from './redis-scripts.ts';

/** What this store needs of a Redis client: it sends a command, and rejects on an error. */
export interface RedisCommands {
  send(command: string, args: string[], signal: AbortSignal): Promise<unknown>;
}

/** A client of the package `redis`, version 4 or later, as `createClient()` returns it. */
export interface NodeRedisClient {
  sendCommand(args: string[], options?: { abortSignal?: AbortSignal }): Promise<unknown>;
}

/** A client of the package `ioredis`. */
export interface IoredisClient {
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** Adapts a `redis` client. */
export function fromRedis(client: NodeRedisClient): RedisCommands {
  return {
    send: (command, args, abortSignal) => client.sendCommand([command, ...args], { abortSignal }),
  };
}

/** Adapts an `ioredis` client. */
export function fromIoredis(client: IoredisClient): RedisCommands {
  return { send: (command, args) => client.call(command, ...args) };
}

export interface RedisSessionStoreOptions {
  /** A connected client of `redis` or `ioredis`, or an object that sends commands. */
  redis: NodeRedisClient | IoredisClient | RedisCommands;
  /** Prefix of every key. Default `latchkey:`. A cluster needs a hash tag: `{latchkey}:`. */
  prefix?: string;
  /**
   * How long the row of an ended session stays, in milliseconds, before Redis deletes it. Pass the
   * engine's `retentionMs` if it is not the default. Default 30 days.
   */
  retentionMs?: number;
  /**
   * How long the store waits for a reply, in milliseconds, before it counts as down. Needed because a
   * client that is reconnecting holds commands back. Default 5 seconds.
   */
  timeoutMs?: number;
  /** Maximum number of rows that a prune deletes in one script, which blocks Redis. Default 500. */
  pruneBatchRows?: number;
}

const DEFAULT_PREFIX = 'latchkey:';
const DEFAULT_RETENTION_MS = 30 * DAY_MS;
const DEFAULT_TIMEOUT_MS = 5 * SECOND_MS;
const DEFAULT_PRUNE_BATCH_ROWS = 500;
const PRUNE_BATCH_TARGET_MS = 5;

const PUBLIC_FIELDS = [
  'userId',
  'label',
  'userAgent',
  'ipAddress',
  'country',
  'remember',
  'createdAt',
  'lastSeenAt',
  'expiresAt',
  'reauthenticatedAt',
  'revokedAt',
  'revokedReason',
  'revokedBy',
  'meta',
] as const;
const FIELDS = [...PUBLIC_FIELDS, 'secretHash'] as const;

type Text = string | null;
type Fields = Record<(typeof FIELDS)[number], Text>;

/**
 * Returns a store for Redis 5 or later, through a client of `redis` or `ioredis`.
 *
 * Every conditional write is a script (see `redis-scripts.ts`), so that no write restores an ended
 * session. Redis deletes a row at the end of its retention, which the store computes from the times of
 * the calls, not from the clock of the Redis server. The store never scans keys.
 *
 * Redis must not lose data: set `maxmemory-policy noeviction`, and turn on persistence if sign-ins and
 * sign-outs are to survive a restart.
 */
export function redisSessionStore<Meta = unknown>(
  options: RedisSessionStoreOptions,
): Required<SessionStore<Meta, never>> {
  const {
    prefix = DEFAULT_PREFIX,
    retentionMs = DEFAULT_RETENTION_MS,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    pruneBatchRows = DEFAULT_PRUNE_BATCH_ROWS,
  } = options;
  const commands = commandsOf(options.redis);

  const send = (command: string, args: string[]) =>
    rejectAfter(timeoutMs, (signal) => commands.send(command, args, signal));

  const run = async <Answer>(script: Script, ...args: string[]): Promise<Answer> => {
    const keysAndArguments = ['1', prefix, ...args];
    try {
      return (await send('EVALSHA', [script.sha1, ...keysAndArguments])) as Answer;
    } catch (error) {
      // Redis loses its scripts in a restart. EVAL with the text loads the script again.
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return (await send('EVAL', [script.text, ...keysAndArguments])) as Answer;
    }
  };

  /** Returns the time to live of a row from `at` on: until its expiry, plus the retention. */
  const ttl = (expiresAt: Date, at: Date) =>
    String(Math.max(1, Math.ceil(expiresAt.getTime() - at.getTime() + retentionMs)));
  const retention = String(Math.max(1, Math.ceil(retentionMs)));
  const retainedSince = (at: Date) => String(at.getTime() - retentionMs);
  const endingArguments = ({ at, reason, by }: SessionEnd) => [millis(at), reason, by ?? ''];

  return {
    async saveSession(session) {
      const { id, userId, lastSeenAt, expiresAt, revokedAt } = session;
      const saved = await run<number>(
        scripts.save,
        ...[id, userId, millis(lastSeenAt), millis(expiresAt), revokedAt ? millis(revokedAt) : ''],
        ...[ttl(expiresAt, lastSeenAt), retainedSince(lastSeenAt)],
        ...toFields(session),
      );
      if (saved !== 1) throw new Error('A session of this id already exists.');
    },

    async fetchSession(id) {
      const values = (await send('HMGET', [`${prefix}session:${id}`, ...FIELDS])) as Text[];
      const record = toRecord<Meta>(id, values);
      return record && { record, user: null };
    },

    async updateSessionExpiry(id, expiresAt, lastSeenAt) {
      const times = [millis(expiresAt), millis(lastSeenAt), ttl(expiresAt, lastSeenAt)];
      return (await run(scripts.touch, id, ...times)) === 1;
    },

    async deleteSession(id) {
      await run(scripts.remove, id);
    },

    async revokeSession(id, ending, userId) {
      const ofUser = userId === undefined ? [] : [userId];
      const times = [retention, retainedSince(ending.at)];
      return (await run(scripts.revoke, id, ...endingArguments(ending), ...times, ...ofUser)) === 1;
    },

    async renewSession(id, previousHash, renewal) {
      const { secretHash, reauthenticatedAt, lastSeenAt, expiresAt } = renewal;
      const times = [reauthenticatedAt, lastSeenAt, expiresAt].map(millis);
      const keepFor = ttl(expiresAt, lastSeenAt);
      return (await run(scripts.renew, id, previousHash, secretHash, ...times, keepFor)) === 1;
    },

    async nameSession(id, userId, label) {
      return (await run(scripts.name, id, userId, ...(label === null ? [] : [label]))) === 1;
    },

    async fetchSessionsForUser(userId, { now, limit, after = null, endedLimit = 0 }) {
      const position = after ? [millis(after.lastSeenAt), after.id] : ['', ''];
      const rows = await run<Text[][]>(
        scripts.page,
        ...[userId, millis(now), String(limit), ...position, String(endedLimit)],
        ...PUBLIC_FIELDS,
      );
      const sessions = rows.map(toSession<Meta>);
      const ended = sessions.filter((session) => !isStoredLive(session, now)).sort(byEnding);
      return [
        ...sessions.filter((session) => isStoredLive(session, now)),
        ...ended.slice(0, endedLimit),
      ];
    },

    deleteSessionsForUser(userId, exceptId, ending) {
      return run(scripts.revokeAll, userId, exceptId ?? '', ...endingArguments(ending), retention);
    },

    trimSessionsForUser(userId, keep, exceptId, ending) {
      const which = [userId, String(keep), exceptId];
      return run(scripts.trim, ...which, ...endingArguments(ending), retention);
    },

    async deleteAllExpiredSessions(endedBefore) {
      let deleted = 0;
      const deleteBatch = async (rows: number) => {
        const [seen = 0, removed = 0] = await run<number[]>(
          scripts.prune,
          millis(endedBefore),
          String(rows),
        );
        deleted += removed;
        return seen;
      };
      await deleteInBatches(deleteBatch, {
        targetMs: PRUNE_BATCH_TARGET_MS,
        mostRows: pruneBatchRows,
      });
      return deleted;
    },

    async listSessions({ after, limit }) {
      const rows = await run<Text[][]>(
        scripts.pageOfAll,
        ...[after ?? '', String(limit + 1)],
        ...PUBLIC_FIELDS,
      );
      const sessions = rows.slice(0, limit).map(toSession<Meta>);
      return { sessions, next: rows.length > limit ? (sessions.at(-1)?.id ?? null) : null };
    },
  };
}

interface Script {
  text: string;
  sha1: string;
}

const scripts = Object.fromEntries(
  Object.entries(redisScripts).map(([name, text]) => [
    name,
    { text, sha1: createHash('sha1').update(text).digest('hex') },
  ]),
) as Record<keyof typeof redisScripts, Script>;

function commandsOf(redis: RedisSessionStoreOptions['redis']): RedisCommands {
  if ('send' in redis) return redis;
  // Check `call` first: an ioredis client also has a sendCommand(), with another signature.
  if ('call' in redis) return fromIoredis(redis);
  if ('sendCommand' in redis) return fromRedis(redis);
  throw new TypeError(
    'redis must be a client of the package redis or ioredis, or an object with send().',
  );
}

async function rejectAfter<Answer>(
  timeoutMs: number,
  call: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      // A command that is still queued must not be sent later.
      abort.abort();
      reject(new Error(`Redis did not answer within ${timeoutMs} ms.`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([call(abort.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

const millis = (date: Date) => String(date.getTime());
const toDate = (text: Text) => new Date(Number(text));

/** Returns field, value, field, value, …, without fields whose value is null. */
function toFields(session: SessionRecord): string[] {
  return FIELDS.flatMap((field) => {
    if (field === 'meta')
      return (session.meta ?? null) === null ? [] : [field, JSON.stringify(session.meta)];
    const value = session[field];
    if (value === null) return [];
    if (value instanceof Date) return [field, millis(value)];
    return [field, typeof value === 'boolean' ? String(Number(value)) : value];
  });
}

/** Parses a row of a page: its id, then its public fields. */
function toSession<Meta>([id, ...values]: Text[]): Session<Meta> {
  return withoutSecret(toRecord<Meta>(id as string, [...values, ''])!);
}

function toRecord<Meta>(id: string, values: Text[]): SessionRecord<Meta> | null {
  const row = Object.fromEntries(
    FIELDS.map((field, index) => [field, values[index] ?? null]),
  ) as Fields;
  if (row.userId === null) return null;
  return {
    id,
    secretHash: row.secretHash ?? '',
    userId: row.userId,
    label: row.label,
    userAgent: row.userAgent ?? '',
    ipAddress: row.ipAddress ?? '',
    country: row.country,
    remember: row.remember === '1',
    createdAt: toDate(row.createdAt),
    lastSeenAt: toDate(row.lastSeenAt),
    expiresAt: toDate(row.expiresAt),
    reauthenticatedAt: toDate(row.reauthenticatedAt),
    revokedAt: row.revokedAt === null ? null : toDate(row.revokedAt),
    revokedReason: row.revokedReason as Session['revokedReason'],
    revokedBy: row.revokedBy,
    meta: row.meta === null ? null : (JSON.parse(row.meta) as Meta),
  };
}
