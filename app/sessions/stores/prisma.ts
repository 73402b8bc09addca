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

/** Reads single rows with prepared statements, in a tenth of the time of `$queryRawUnsafe`. */
export interface RowReader {
  /**
   * Returns a function that runs this SELECT with one parameter (`?` on SQLite, `$1` on PostgreSQL). It
   * returns the values of the first row in the order of the columns, or null if there is no row. It must
   * see every commit before the call: no replica, and no earlier snapshot.
   */
  prepare(sql: string): (value: string) => Promise<readonly unknown[] | null>;
}

export interface PrismaSessionStoreOptions<
  UserColumn extends string,
  UserPart extends string = never,
> {
  client: PrismaRawClient;
  provider: 'sqlite' | 'postgresql';
  /** Fetches sessions in place of `client`. Default: `client` fetches them. */
  rows?: RowReader;
  /** Columns of the "User" row that each fetch reads, in the same statement. Default: none. */
  userColumns?: readonly UserColumn[];
  /**
   * User data from other tables that each fetch reads, in the same statement: a query by name. It may
   * refer to the "User" row as `u` and returns at most one text. Default: none.
   */
  userSubqueries?: Readonly<Record<UserPart, string>>;
  /**
   * The store reads and writes only rows with this value in the column "kind". A prune is the exception:
   * it deletes rows of all kinds. Default: all rows; the table needs no such column then.
   */
  kind?: string;
  /** Awaited by a prune now and then. For SQLite: a checkpoint by another thread. Default: none. */
  checkpoint?: () => Promise<void>;
  /**
   * Maximum number of rows that a prune deletes in one statement. Default 100, which takes about one
   * millisecond on SQLite; larger batches are not faster in total. A prune uses smaller batches if one
   * takes longer than two milliseconds on SQLite, or ten on PostgreSQL.
   */
  pruneBatchRows?: number;
}

/** Strict, because the kind is part of the SQL text. */
const WELL_FORMED_KIND = /^[a-z-]{1,40}$/;
const DEFAULT_PRUNE_BATCH_ROWS = 100;
/** Id of the advisory lock that lets one node prune at a time. Nothing else in the database may use it. */
const PRUNE_LOCK = 7_304_118_206;
/** SQLite needs a LIMIT before an OFFSET. No user has this many rows. */
const NO_LIMIT = 1_000_000_000;

const quoted = (columns: readonly string[], table = 's') =>
  columns.map((column) => `${table}."${column}"`).join(', ');

/**
 * Returns a store for the "Session" table of a Prisma schema, on SQLite or PostgreSQL.
 *
 * It uses raw SQL rather than the query builder, so that each operation is one statement at any number
 * of rows, each condition is part of the write, and a request reads session and user together.
 *
 * @typeParam UserColumn - the names in `userColumns`.
 * @typeParam UserPart - the names in `userSubqueries`.
 * @throws RangeError if `kind` is not 1 to 40 lower-case letters and dashes.
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

  // The statements below write parameters as "?". PostgreSQL needs "$1", "$2", ….
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
  const fetchRow = (options.rows ?? createRowReader(client)).prepare(fetchOne);
  // A touch only moves times forward, and never changes a session that has expired.
  const updateExpiry = statement(
    `UPDATE "Session" SET "expiresAt" = ?, "lastSeenAt" = ?
     WHERE "id" = ? AND "revokedAt" IS NULL AND "lastSeenAt" < ? AND "expiresAt" > ?
     ${ofKind}`,
  );
  const deleteOne = statement(`DELETE FROM "Session" WHERE "id" = ? ${ofKind}`);
  // Locks the rows of a user in a fixed order, or two statements that end several could deadlock.
  // SQLite has only one writer at a time.
  const inOrder = provider === 'postgresql' ? 'ORDER BY "id" FOR UPDATE' : '';
  const unendedOfUser = `SELECT "id" FROM "Session" WHERE "userId" = ? AND "revokedAt" IS NULL ${ofKind}`;
  // Without the unary plus, SQLite would use the index on "revokedAt" and read every session that is not
  // revoked. With it, SQLite looks up the ids.
  const unended = provider === 'sqlite' ? '+"revokedAt" IS NULL' : '"revokedAt" IS NULL';
  // Closes an expired row as expired, at its own expiry: a node whose clock is behind must not accept it.
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
  const isLiveOfUser = `"userId" = ? AND "revokedAt" IS NULL AND "expiresAt" > ? ${ofKind}`;
  const trim = statement(
    `WITH held AS (
       SELECT "id", "lastSeenAt" FROM "Session"
       WHERE ${isLiveOfUser} AND (SELECT count(*) FROM "Session" WHERE ${isLiveOfUser}) > ?
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
  // Two queries, each in the order of an index. A single one would read every row of the user.
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
  // On PostgreSQL only one node prunes at a time: a batch that does not get the advisory lock finds no
  // rows. The lock lasts as long as the statement, so it is safe with any pooler. A batch also skips
  // locked rows instead of waiting for them.
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

/** Returns the default reader. A row's columns are in the order of the SELECT. */
function createRowReader(client: PrismaRawClient): RowReader {
  return {
    prepare: (sql) => async (value) => {
      const [row] = await client.$queryRawUnsafe<object[]>(sql, value);
      return row ? Object.values(row) : null;
    },
  };
}
