import type { DatabaseProvider } from '#app/database/address.server.ts';

/** A statement for each way to find the account: by the typed e-mail, or by its id. */
type ByColumn = Record<'email' | 'id', string>;

interface ActivityStatements {
  /**
   * Records a failed attempt in one statement, so that an unknown e-mail costs the same as a known one,
   * except that no row is found. The first attempt of a device within an hour inserts an entry, later
   * ones increment its count. Once an account has its maximum of such entries for a day, the attempts of
   * further devices share one entry per hour.
   *
   * Values: a day ago; entries per day; the prefix of the entry's id (twice); the prefix of the shared
   * entry's id; time; user agent; address; country; detail; device key; the account.
   */
  record: ByColumn;
  /** Selects the user, and the entries of failed attempts since a time. Values: the time; the account. */
  recent: ByColumn;
  /**
   * Claims the one notice that an account gets within a period: returns a row to the first caller, and
   * none until the claim expires. Values: the key of the claim; when it expires; now.
   */
  takeNotice: string;
  /** Deletes a batch of old entries. Values: older than; at most how many. */
  prune: string;
}

/** Returns the statements of a database. Written in SQL, because each must be one atomic statement. */
export function activityStatements(provider: DatabaseProvider): ActivityStatements {
  const isSqlite = provider === 'sqlite';
  // The texts below write a parameter as "?"; PostgreSQL numbers them.
  const statement = (sql: string) => {
    let count = 0;
    return isSqlite ? sql : sql.replace(/\?/g, () => `$${(count += 1)}`);
  };
  const incrementedCount = isSqlite
    ? `json_set("Activity"."detail", '$.count', json_extract("Activity"."detail", '$.count') + 1)`
    : `jsonb_set("Activity"."detail"::jsonb, '{count}',
         to_jsonb(("Activity"."detail"::jsonb ->> 'count')::integer + 1))::text`;
  const recordBy = (column: string) =>
    statement(
      `INSERT INTO "Activity" ("id", "userId", "kind", "at", "userAgent", "ipAddress", "country",
         "detail", "deviceKey")
       SELECT CASE WHEN (
             SELECT count(*) FROM "Activity" AS other
             WHERE other."userId" = u."id" AND other."kind" = 'sign-in-failed' AND other."at" > ?
           ) < ? OR EXISTS (SELECT 1 FROM "Activity" AS own WHERE own."id" = ? || u."id")
         THEN ? || u."id" ELSE ? || u."id" END,
         u."id", 'sign-in-failed', ?, ?, ?, ?, ?, ?
       FROM "User" AS u WHERE u."${column}" = ?
       ON CONFLICT ("id") DO UPDATE SET "at" = excluded."at", "userAgent" = excluded."userAgent",
         "ipAddress" = excluded."ipAddress", "country" = excluded."country",
         "deviceKey" = excluded."deviceKey", "detail" = ${incrementedCount}
       RETURNING "userId"`,
    );
  const recentBy = (column: string) =>
    statement(
      `SELECT u."id", u."name", u."email", a."detail" FROM "Activity" AS a
       JOIN "User" AS u ON u."id" = a."userId"
       WHERE a."kind" = 'sign-in-failed' AND a."at" > ? AND u."${column}" = ?`,
    );
  return {
    record: { email: recordBy('email'), id: recordBy('id') },
    recent: { email: recentBy('email'), id: recentBy('id') },
    takeNotice: statement(
      `INSERT INTO "Spent" ("digest", "expiresAt") VALUES (?, ?)
       ON CONFLICT ("digest") DO UPDATE SET "expiresAt" = excluded."expiresAt"
         WHERE "Spent"."expiresAt" <= ?
       RETURNING "digest"`,
    ),
    prune: statement(
      `DELETE FROM "Activity" WHERE "id" IN (
         SELECT "id" FROM "Activity" WHERE "at" < ? ORDER BY "at" LIMIT ?
         ${isSqlite ? '' : 'FOR UPDATE SKIP LOCKED'})`,
    ),
  };
}
