import type { DatabaseProvider } from '#app/database/address.server.ts';

/** Where a statement finds the account: by what was typed, or by what is known. */
type ByColumn = Record<'email' | 'id', string>;

export interface ActivityStatements {
  /**
   * Writes a failed attempt down: one statement, so that it does for an e-mail that nobody has just
   * what it does for one that is known, up to finding no row. The first time within an hour it
   * inserts, after that it counts. Once an account has its fill of such entries for a day, what more
   * devices do counts in one entry an hour.
   *
   * Values: a day ago, entries a day, the start of the entry's id (twice), of that for the rest; time,
   * user agent, address, country, detail, device key; the account.
   */
  record: ByColumn;
  /** The person, and the entries of failed attempts since then. Values: since, the account. */
  recent: ByColumn;
  /**
   * Takes the one notice that an account gets in a while: answers a row for the first who asks, and
   * none until it ran out. Values: what is taken, until when, now.
   */
  takeNotice: string;
  /** Removes some entries that are older. Values: than what, how many. */
  prune: string;
}

/** Written by hand, because each has to be one statement whatever it meets. */
export function activityStatements(provider: DatabaseProvider): ActivityStatements {
  const isSqlite = provider === 'sqlite';
  // "?" stays the way to write a parameter below; PostgreSQL counts them.
  const statement = (sql: string) => {
    let count = 0;
    return isSqlite ? sql : sql.replace(/\?/g, () => `$${(count += 1)}`);
  };
  const countedUp = isSqlite
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
         "deviceKey" = excluded."deviceKey", "detail" = ${countedUp}
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
