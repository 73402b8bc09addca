import type { EndReason, Ending, Session, SessionRecord } from '../session.ts';
import type {
  Renewal,
  SessionsPage,
  SessionStore,
  StoredSession,
  SystemSessionsQuery,
  UserSessionsQuery,
} from '../session-store.ts';

/** The two functions of a Prisma client that this store needs. */
export interface PrismaRawClient {
  $queryRawUnsafe<Rows = unknown>(sql: string, ...values: unknown[]): Promise<Rows>;
  $executeRawUnsafe(sql: string, ...values: unknown[]): Promise<number>;
}

export interface PrismaSessionStoreOptions<PersonColumn extends string> {
  client: PrismaRawClient;
  provider: 'sqlite' | 'postgresql';
  /** Columns of the "User" row handed along with each fetched session, in the same statement. Default none. */
  personColumns?: readonly PersonColumn[];
  /** Rows a prune deletes in one statement, so that no lock is held for long. Default 500. */
  pruneBatchRows?: number;
}

interface Row {
  id: string;
  secretHash: string;
  userId: string;
  label: string | null;
  userAgent: string;
  ipAddress: string;
  country: string | null;
  remember: boolean;
  createdAt: Date;
  lastSeenAt: Date;
  expiresAt: Date;
  reauthenticatedAt: Date;
  revokedAt: Date | null;
  revokedReason: EndReason | null;
  revokedBy: string | null;
  meta: string | null;
}

const PUBLIC_COLUMNS = [
  'id',
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
] as const satisfies readonly (keyof Row)[];

const COLUMNS = [...PUBLIC_COLUMNS, 'secretHash'] as const;
const DEFAULT_PRUNE_BATCH_ROWS = 500;
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
 * @typeParam Person - an object of the `personColumns` asked for.
 */
export function prismaSessionStore<Meta = unknown, PersonColumn extends string = never>(
  options: PrismaSessionStoreOptions<PersonColumn>,
): Required<SessionStore<Meta, Record<PersonColumn, string>>> {
  type Person = Record<PersonColumn, string>;
  const { client, provider, personColumns = [] } = options;
  const pruneBatchRows = options.pruneBatchRows ?? DEFAULT_PRUNE_BATCH_ROWS;

  // "?" stays the way to write a parameter below; PostgreSQL counts them.
  const statement = (sql: string) => {
    let count = 0;
    return provider === 'sqlite' ? sql : sql.replace(/\?/g, () => `$${(count += 1)}`);
  };
  const query = <Rows>(sql: string, ...values: unknown[]) =>
    client.$queryRawUnsafe<Rows>(sql, ...values);
  const execute = (sql: string, ...values: unknown[]) => client.$executeRawUnsafe(sql, ...values);

  const insert = statement(
    `INSERT INTO "Session" (${COLUMNS.map((column) => `"${column}"`).join(', ')})
     VALUES (${COLUMNS.map(() => '?').join(', ')})`,
  );
  const fetchOne = statement(
    personColumns.length > 0
      ? `SELECT ${quoted(COLUMNS)}, ${personColumns.map((column) => `u."${column}" AS "person.${column}"`).join(', ')}
         FROM "Session" s JOIN "User" u ON u."id" = s."userId" WHERE s."id" = ?`
      : `SELECT ${quoted(COLUMNS)} FROM "Session" s WHERE s."id" = ?`,
  );
  // A touch moves time forward only, and never past an end that has come.
  const updateExpiry = statement(
    `UPDATE "Session" SET "expiresAt" = ?, "lastSeenAt" = ?
     WHERE "id" = ? AND "revokedAt" IS NULL AND "lastSeenAt" < ? AND "expiresAt" > ?`,
  );
  const deleteOne = statement(`DELETE FROM "Session" WHERE "id" = ?`);
  const end = `UPDATE "Session" SET "revokedAt" = ?, "revokedReason" = ?, "revokedBy" = ?
     WHERE "revokedAt" IS NULL AND "expiresAt" > ?`;
  const revokeOne = statement(`${end} AND "id" = ?`);
  const revokeOneOfUser = statement(`${end} AND "id" = ? AND "userId" = ?`);
  const revokeAllOfUser = statement(`${end} AND "userId" = ? RETURNING "id"`);
  const revokeOthersOfUser = statement(`${end} AND "userId" = ? AND "id" <> ? RETURNING "id"`);
  const trim = statement(
    `${end} AND "id" IN (
       SELECT "id" FROM "Session"
       WHERE "userId" = ? AND "revokedAt" IS NULL AND "expiresAt" > ? AND "id" <> ?
       ORDER BY "lastSeenAt" DESC, "id" DESC LIMIT ${NO_LIMIT} OFFSET ?
     ) RETURNING "id"`,
  );
  const renew = statement(
    `UPDATE "Session"
     SET "secretHash" = ?, "reauthenticatedAt" = ?, "lastSeenAt" = ?, "expiresAt" = ?
     WHERE "id" = ? AND "secretHash" = ? AND "revokedAt" IS NULL AND "expiresAt" > ?`,
  );
  const name = statement(`UPDATE "Session" SET "label" = ? WHERE "id" = ? AND "userId" = ?`);
  const liveOfUser = (after: boolean) =>
    `SELECT ${quoted(PUBLIC_COLUMNS)} FROM "Session" s
     WHERE s."userId" = ? AND s."revokedAt" IS NULL AND s."expiresAt" > ?
     ${after ? `AND (s."lastSeenAt" < ? OR (s."lastSeenAt" = ? AND s."id" < ?))` : ''}
     ORDER BY s."lastSeenAt" DESC, s."id" DESC LIMIT ?`;
  const endedOfUser = `SELECT ${quoted(PUBLIC_COLUMNS)} FROM "Session" s
     WHERE s."userId" = ? AND (s."revokedAt" IS NOT NULL OR s."expiresAt" <= ?)
     ORDER BY CASE WHEN s."revokedAt" IS NULL THEN s."expiresAt" ELSE s."revokedAt" END DESC, s."id" DESC
     LIMIT ?`;
  const liveAndEnded = (after: boolean) =>
    statement(
      `SELECT * FROM (${liveOfUser(after)}) AS live UNION ALL SELECT * FROM (${endedOfUser}) AS ended`,
    );
  const listAll = statement(
    `SELECT ${quoted(PUBLIC_COLUMNS)} FROM "Session" s WHERE s."id" > ? ORDER BY s."id" LIMIT ?`,
  );
  const pruneBatches = ['expiresAt', 'revokedAt'].map((column) =>
    statement(
      `DELETE FROM "Session" WHERE "id" IN (
         SELECT "id" FROM "Session" WHERE "${column}" < ? LIMIT ?)`,
    ),
  );

  const ids = (rows: { id: string }[]) => rows.map(({ id }) => id);
  const endingValues = ({ at, reason, by }: Ending) => [at, reason, by, at];

  return {
    async saveSession(session) {
      const row: Row = { ...session, meta: toJson(session.meta) };
      await execute(insert, ...COLUMNS.map((column) => row[column]));
    },

    async fetchSession(id) {
      const [row] = await query<Row[]>(fetchOne, id);
      if (!row) return null;
      const stored: StoredSession<Meta, Person> = {
        record: { ...toSession<Meta>(row), secretHash: row.secretHash },
        person: personColumns.length > 0 ? personOf(row, personColumns) : null,
      };
      return stored;
    },

    async updateSessionExpiry(id, expiresAt, lastSeenAt) {
      return (await execute(updateExpiry, expiresAt, lastSeenAt, id, lastSeenAt, lastSeenAt)) > 0;
    },

    async deleteSession(id) {
      await execute(deleteOne, id);
    },

    async revokeSession(id, ending, userId) {
      const changed =
        userId === undefined
          ? await execute(revokeOne, ...endingValues(ending), id)
          : await execute(revokeOneOfUser, ...endingValues(ending), id, userId);
      return changed > 0;
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
      const rows =
        endedLimit > 0
          ? await query<Row[]>(liveAndEnded(after !== null), ...live, userId, now, endedLimit)
          : await query<Row[]>(statement(liveOfUser(after !== null)), ...live);
      return rows.map((row) => toSession<Meta>(row));
    },

    async deleteSessionsForUser(userId, exceptId, ending) {
      const rows =
        exceptId === null
          ? await query<Row[]>(revokeAllOfUser, ...endingValues(ending), userId)
          : await query<Row[]>(revokeOthersOfUser, ...endingValues(ending), userId, exceptId);
      return ids(rows);
    },

    async trimSessionsForUser(userId, keep, exceptId, ending) {
      const scope = [userId, ending.at, exceptId, Math.max(0, keep - 1)];
      return ids(await query<Row[]>(trim, ...endingValues(ending), ...scope));
    },

    async deleteAllExpiredSessions(endedBefore) {
      let deleted = 0;
      for (const batch of pruneBatches) {
        for (let rows = pruneBatchRows; rows === pruneBatchRows; deleted += rows) {
          rows = await execute(batch, endedBefore, pruneBatchRows);
        }
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

function toSession<Meta>(row: Row): Session<Meta> {
  const { secretHash: _kept, meta, ...rest } = pickColumns(row);
  return { ...rest, meta: meta === null ? null : (JSON.parse(meta) as Meta) };
}

// The person's columns travel in the same row; they are no part of the session.
function pickColumns(row: Row): Row {
  return Object.fromEntries(COLUMNS.map((column) => [column, row[column]])) as unknown as Row;
}

function personOf<Column extends string>(
  row: object,
  columns: readonly Column[],
): Record<Column, string> {
  const values = row as Record<string, string>;
  return Object.fromEntries(
    columns.map((column) => [column, values[`person.${column}`]]),
  ) as Record<Column, string>;
}

function toJson(meta: SessionRecord['meta']): string | null {
  return meta === null ? null : JSON.stringify(meta);
}
