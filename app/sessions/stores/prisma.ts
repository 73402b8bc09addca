import type { SessionEnd, Session } from '../session.ts';
import type {
  Renewal,
  SessionsPage,
  SessionStore,
  SystemSessionsQuery,
  UserSessionsQuery,
} from '../session-store.ts';
import { BATCH_TARGET_MS, deleteInBatches } from './batches.ts';
import { COLUMNS, PUBLIC_COLUMNS, storedFrom, toJson, toSession, type Row } from './prisma-rows.ts';

/** The two functions of a Prisma client that this store needs. */
export interface PrismaRawClient {
  $queryRawUnsafe<Rows = unknown>(sql: string, ...values: unknown[]): Promise<Rows>;
  $executeRawUnsafe(sql: string, ...values: unknown[]): Promise<number>;
}

/** Reads single rows by prepared statements: a look-up takes a tenth of what `$queryRawUnsafe` takes. */
export interface RowReader {
  /**
   * Returns a function that runs this SELECT of one parameter (`?` on SQLite, `$1` on PostgreSQL) and
   * answers the values of its first row in their order, or null when there is none. It sees everything
   * that was committed before the call: no replica, no snapshot that was taken earlier.
   */
  prepare(sql: string): (value: string) => Promise<readonly unknown[] | null>;
}

export interface PrismaSessionStoreOptions<
  UserColumn extends string,
  UserPart extends string = never,
> {
  client: PrismaRawClient;
  provider: 'sqlite' | 'postgresql';
  /** Fetches sessions in place of `client`. Left out: the client does. */
  rows?: RowReader;
  /** Columns of the "User" row handed along with each fetched session, in the same statement. Default none. */
  userColumns?: readonly UserColumn[];
  /**
   * What other tables say of the person, in the same statement too: for each name a query of one text
   * at the most, in which `u` is the "User" row. Default none.
   */
  userSubqueries?: Readonly<Record<UserPart, string>>;
  /**
   * Sees and writes rows of this kind alone, as the column "kind" has it: to a store of one kind those of
   * another are not there. Left out: all rows, and the table needs no such column. One store's prune
   * does for all kinds.
   */
  kind?: string;
  /** Awaited by a prune now and then: on SQLite, a checkpoint that another thread makes. Default: nothing. */
  checkpoint?: () => Promise<void>;
  /**
   * Rows a prune deletes in one statement at the most. Default 100, which takes about a millisecond
   * on SQLite and is no slower in all than more at once; fewer where it takes longer than two there, or
   * than ten on PostgreSQL.
   */
  pruneBatchRows?: number;
}

/** It stands in the text of the statements. */
const WELL_FORMED_KIND = /^[a-z-]{1,40}$/;
const DEFAULT_PRUNE_BATCH_ROWS = 100;
/** Names the lock that lets one node prune at a time; any number that nothing else in the database uses. */
const PRUNE_LOCK = 7_304_118_206;
/** SQLite wants a LIMIT before an OFFSET; this is more rows than anyone has. */
const NO_LIMIT = 1_000_000_000;

const quoted = (columns: readonly string[], table = 's') =>
  columns.map((column) => `${table}."${column}"`).join(', ');

/**
 * Sessions in the "Session" table of a Prisma schema, on SQLite or PostgreSQL.
 *
 * The statements are written out rather than left to the query builder: each is one statement
 * whatever the number of rows, each condition stands in the write itself, and the look-up of every
 * request reads session and person in one go.
 *
 * @typeParam Person - an object of the `personColumns` and `personParts` asked for.
 * @throws RangeError for a `kind` that is more than lower-case letters and dashes.
 */
export function prismaSessionStore<
  Meta = unknown,
  UserColumn extends string = never,
  UserPart extends string = never,
>(
  options: PrismaSessionStoreOptions<UserColumn, UserPart>,
): Required<SessionStore<Meta, Record<UserColumn, string> & Record<UserPart, string | null>>> {
  type User = Record<UserColumn, string> & Record<UserPart, string | null>;
  const { client, provider, kind, checkpoint } = options;
  if (kind !== undefined && !WELL_FORMED_KIND.test(kind)) {
    throw new RangeError('kind must be 1 to 40 lower-case letters and dashes.');
  }
  const ofKind = kind === undefined ? '' : `AND "kind" = '${kind}'`;
  const userValues: readonly (readonly [name: string, sql: string])[] = [
    ...(options.userColumns ?? []).map((column) => [column, `u."${column}"`] as const),
    ...Object.entries<string>(options.userSubqueries ?? {}).map(
      ([name, sql]) => [name, `(${sql})`] as const,
    ),
  ];
  const userNames = userValues.map(([name]) => name);
  const pruneBatchRows = options.pruneBatchRows ?? DEFAULT_PRUNE_BATCH_ROWS;

  // "?" stays the way to write a parameter below; PostgreSQL counts them.
  const statement = (sql: string) => {
    let count = 0;
    return provider === 'sqlite' ? sql : sql.replace(/\?/g, () => `$${(count += 1)}`);
  };
  const query = <Rows>(sql: string, ...values: unknown[]) =>
    client.$queryRawUnsafe<Rows>(sql, ...values);
  const execute = (sql: string, ...values: unknown[]) => client.$executeRawUnsafe(sql, ...values);

  const kindColumn = kind === undefined ? [] : ([['"kind"', `'${kind}'`]] as const);
  const inserted = [...COLUMNS.map((column) => [`"${column}"`, '?'] as const), ...kindColumn];
  const insert = statement(
    `INSERT INTO "Session" (${inserted.map(([column]) => column).join(', ')})
     VALUES (${inserted.map(([, value]) => value).join(', ')})`,
  );
  const fetchOne = statement(
    userValues.length > 0
      ? `SELECT ${quoted(COLUMNS)}, ${userValues.map(([name, sql]) => `${sql} AS "person.${name}"`).join(', ')}
         FROM "Session" s JOIN "User" u ON u."id" = s."userId" WHERE s."id" = ? ${ofKind}`
      : `SELECT ${quoted(COLUMNS)} FROM "Session" s WHERE s."id" = ? ${ofKind}`,
  );
  const fetchRow = (options.rows ?? rowsOf(client)).prepare(fetchOne);
  // A touch moves time forward only, and never past an end that has come.
  const updateExpiry = statement(
    `UPDATE "Session" SET "expiresAt" = ?, "lastSeenAt" = ?
     WHERE "id" = ? AND "revokedAt" IS NULL AND "lastSeenAt" < ? AND "expiresAt" > ?
     ${ofKind}`,
  );
  const deleteOne = statement(`DELETE FROM "Session" WHERE "id" = ? ${ofKind}`);
  // Rows of one user are locked in one order, or two statements that end several could deadlock.
  // SQLite has one writer at a time anyway.
  const inOrder = provider === 'postgresql' ? 'ORDER BY "id" FOR UPDATE' : '';
  const unendedOfUser = `SELECT "id" FROM "Session" WHERE "userId" = ? AND "revokedAt" IS NULL ${ofKind}`;
  // SQLite would take the index of "revokedAt" for the condition, and with it every session that is not
  // ended; with the sign before it, it looks the ids up.
  const unended = provider === 'sqlite' ? '+"revokedAt" IS NULL' : '"revokedAt" IS NULL';
  // What ran out by itself is closed as such, at its own time: a node whose clock is behind must
  // not still let it in.
  const close = `UPDATE "Session" SET
       "revokedAt" = CASE WHEN "expiresAt" > ? THEN ? ELSE "expiresAt" END,
       "revokedReason" = CASE WHEN "expiresAt" > ? THEN ? ELSE 'expired' END,
       "revokedBy" = CASE WHEN "expiresAt" > ? THEN ? ELSE NULL END
     WHERE ${unended} ${ofKind}`;
  const closed = `RETURNING "id", "expiresAt"`;
  const revokeOne = statement(`${close} AND "id" = ? ${closed}`);
  const revokeOneOfUser = statement(`${close} AND "id" = ? AND "userId" = ? ${closed}`);
  const revokeAllOfUser = (except: string) =>
    statement(
      `WITH held AS (${unendedOfUser} ${except} ${inOrder})
       ${close} AND "id" IN (SELECT "id" FROM held) ${closed}`,
    );
  const revokeEveryOfUser = revokeAllOfUser('');
  const revokeOthersOfUser = revokeAllOfUser('AND "id" <> ?');
  const liveOnes = `"userId" = ? AND "revokedAt" IS NULL AND "expiresAt" > ? ${ofKind}`;
  const trim = statement(
    `WITH held AS (
       SELECT "id", "lastSeenAt" FROM "Session"
       WHERE ${liveOnes} AND (SELECT count(*) FROM "Session" WHERE ${liveOnes}) > ?
       ${inOrder}
     )
     UPDATE "Session" SET "revokedAt" = ?, "revokedReason" = ?, "revokedBy" = ?
     WHERE ${unended} AND EXISTS (SELECT 1 FROM held WHERE "id" = ?) AND "id" IN (
       SELECT "id" FROM held WHERE "id" <> ?
       ORDER BY "lastSeenAt" DESC, "id" DESC LIMIT ${NO_LIMIT} OFFSET ?
     ) RETURNING "id"`,
  );
  const renew = statement(
    `UPDATE "Session"
     SET "secretHash" = ?, "reauthenticatedAt" = ?, "lastSeenAt" = ?, "expiresAt" = ?
     WHERE "id" = ? AND "secretHash" = ? AND "revokedAt" IS NULL AND "expiresAt" > ?
       ${ofKind}`,
  );
  const name = statement(
    `UPDATE "Session" SET "label" = ? WHERE "id" = ? AND "userId" = ? ${ofKind}`,
  );
  const ofUser = `SELECT ${quoted(PUBLIC_COLUMNS)} FROM "Session" s WHERE s."userId" = ? ${ofKind}`;
  const liveOfUser = (after: boolean) =>
    `${ofUser} AND s."revokedAt" IS NULL AND s."expiresAt" > ?
     ${after ? `AND s."lastSeenAt" <= ? AND (s."lastSeenAt" < ? OR s."id" < ?)` : ''}
     ORDER BY s."lastSeenAt" DESC, s."id" DESC LIMIT ?`;
  // Two parts, each in the order of an index: one condition over both would read every row of the user.
  const revokedOfUser = `${ofUser} AND s."revokedAt" IS NOT NULL
     ORDER BY s."revokedAt" DESC, s."id" DESC LIMIT ?`;
  const ranOutOfUser = `${ofUser} AND s."revokedAt" IS NULL AND s."expiresAt" <= ?
     ORDER BY s."expiresAt" DESC, s."id" DESC LIMIT ?`;
  const liveAndEnded = (after: boolean) =>
    [liveOfUser(after), revokedOfUser, ranOutOfUser]
      .map((part, index) => `SELECT * FROM (${part}) AS part${index}`)
      .join(' UNION ALL ');
  const pageOfUser = {
    live: statement(liveOfUser(false)),
    liveAfter: statement(liveOfUser(true)),
    all: statement(liveAndEnded(false)),
    allAfter: statement(liveAndEnded(true)),
  };
  const listAll = statement(
    `SELECT ${quoted(PUBLIC_COLUMNS)} FROM "Session" s WHERE s."id" > ? ${ofKind} ORDER BY s."id" LIMIT ?`,
  );
  // On PostgreSQL one node prunes at a time: a batch that does not get the lock, which lasts as long
  // as its statement and so is safe with any pool, finds no rows. It waits for no row either.
  const pruneBatch = (column: string) =>
    statement(
      provider === 'sqlite'
        ? `DELETE FROM "Session" WHERE "id" IN (
             SELECT "id" FROM "Session" WHERE "${column}" < ? ORDER BY "${column}" LIMIT ?)`
        : `WITH turn AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(${PRUNE_LOCK}) AS mine)
           DELETE FROM "Session" WHERE "id" IN (
             SELECT "id" FROM "Session" WHERE (SELECT mine FROM turn) AND "${column}" < ?
             ORDER BY "${column}" LIMIT ? FOR UPDATE SKIP LOCKED)`,
    );
  const pruneBatches = [pruneBatch('expiresAt'), pruneBatch('revokedAt')];

  const closingValues = ({ at, reason, by }: SessionEnd) => [at, at, at, reason, at, by];
  const wereLive = (rows: Pick<Row, 'id' | 'expiresAt'>[], { at }: SessionEnd) =>
    rows.filter(({ expiresAt }) => expiresAt > at).map(({ id }) => id);

  return {
    async saveSession(session) {
      const row: Row = { ...session, meta: toJson(session.meta) };
      await execute(insert, ...COLUMNS.map((column) => row[column]));
    },

    async fetchSession(id) {
      const row = await fetchRow(id);
      return row && storedFrom<Meta, User>(row, userNames);
    },

    async updateSessionExpiry(id, expiresAt, lastSeenAt) {
      return (await execute(updateExpiry, expiresAt, lastSeenAt, id, lastSeenAt, lastSeenAt)) > 0;
    },

    async deleteSession(id) {
      await execute(deleteOne, id);
    },

    async revokeSession(id, ending, userId) {
      const rows = await (userId === undefined
        ? query<Row[]>(revokeOne, ...closingValues(ending), id)
        : query<Row[]>(revokeOneOfUser, ...closingValues(ending), id, userId));
      return wereLive(rows, ending).length > 0;
    },

    async renewSession(id, previousHash, renewal: Renewal) {
      const { secretHash, reauthenticatedAt, lastSeenAt, expiresAt } = renewal;
      const changed = await execute(
        renew,
        ...[secretHash, reauthenticatedAt, lastSeenAt, expiresAt, id, previousHash],
        reauthenticatedAt,
      );
      return changed > 0;
    },

    async nameSession(id, userId, label) {
      return (await execute(name, label, id, userId)) > 0;
    },

    async fetchSessionsForUser(userId, page: UserSessionsQuery) {
      const { now, limit, after = null, endedLimit = 0 } = page;
      const position = after ? [after.lastSeenAt, after.lastSeenAt, after.id] : [];
      const live = [userId, now, ...position, limit];
      if (endedLimit === 0) {
        const rows = await query<Row[]>(after ? pageOfUser.liveAfter : pageOfUser.live, ...live);
        return rows.map((row) => toSession<Meta>(row));
      }
      const ended = [userId, endedLimit, userId, now, endedLimit];
      const rows = await query<Row[]>(
        after ? pageOfUser.allAfter : pageOfUser.all,
        ...live,
        ...ended,
      );
      const sessions = rows.map((row) => toSession<Meta>(row));
      const isLive = (session: Session) => !session.revokedAt && session.expiresAt > now;
      return [
        ...sessions.filter(isLive),
        ...newestEndingFirst(sessions.filter((session) => !isLive(session))).slice(0, endedLimit),
      ];
    },

    async deleteSessionsForUser(userId, exceptId, ending) {
      const rows =
        exceptId === null
          ? await query<Row[]>(revokeEveryOfUser, userId, ...closingValues(ending))
          : await query<Row[]>(revokeOthersOfUser, userId, exceptId, ...closingValues(ending));
      return wereLive(rows, ending);
    },

    async trimSessionsForUser(userId, keep, exceptId, { at, reason, by }) {
      const rows = await query<Row[]>(
        trim,
        ...[userId, at, userId, at, keep],
        ...[at, reason, by],
        ...[exceptId, exceptId, Math.max(0, keep - 1)],
      );
      return rows.map(({ id }) => id);
    },

    async deleteAllExpiredSessions(endedBefore) {
      let deleted = 0;
      for (const batch of pruneBatches) {
        deleted += await deleteInBatches((rows) => execute(batch, endedBefore, rows), {
          targetMs: BATCH_TARGET_MS[provider],
          mostRows: pruneBatchRows,
          checkpoint,
        });
      }
      return deleted;
    },

    async listSessions({ after, limit }: SystemSessionsQuery): Promise<SessionsPage<Meta>> {
      const rows = await query<Row[]>(listAll, after ?? '', limit + 1);
      const sessions = rows.slice(0, limit).map((row) => toSession<Meta>(row));
      return { sessions, next: rows.length > limit ? (sessions.at(-1)?.id ?? null) : null };
    },
  };
}

function newestEndingFirst<Meta>(ended: Session<Meta>[]): Session<Meta>[] {
  const endedAt = ({ revokedAt, expiresAt }: Session) => (revokedAt ?? expiresAt).getTime();
  return ended.sort((one, other) => endedAt(other) - endedAt(one));
}

/** A reader for those who hand over none: the columns of a row come in the order of the SELECT. */
function rowsOf(client: PrismaRawClient): RowReader {
  return {
    prepare: (sql) => async (value) => {
      const [row] = await client.$queryRawUnsafe<object[]>(sql, value);
      return row ? Object.values(row) : null;
    },
  };
}
