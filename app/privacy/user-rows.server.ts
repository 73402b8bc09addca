import type { Database } from '#app/database/database.server.ts';
import { personalModels } from './data-map/data-map.ts';

/** How many rows a user has, by table. */
export type RowCounts = Record<string, number>;

// From the data map, so that a new table with data of users cannot be forgotten here.
const tablesBy = (whose: 'id' | 'userId-or-email' | undefined) =>
  personalModels.filter(({ model }) => model.whose === whose).map(({ name }) => name);
const OWNED = tablesBy(undefined);
const OWNED_OR_ADDRESSED = tablesBy('userId-or-email');

/** Counts a user's rows by table, in one statement. Returns `{}` if the user does not exist. */
export async function countUserRows(
  db: Pick<Database['client'], '$queryRawUnsafe'>,
  provider: Database['provider'],
  userId: string,
): Promise<RowCounts> {
  const owned = OWNED.map(
    (table) => `(SELECT count(*) FROM "${table}" WHERE "userId" = u."id") AS "${table}"`,
  );
  const addressed = OWNED_OR_ADDRESSED.map(
    (table) =>
      `(SELECT count(*) FROM "${table}" WHERE "userId" = u."id" OR "email" = u."email") AS "${table}"`,
  );
  const [row] = await db.$queryRawUnsafe<Record<string, number | bigint>[]>(
    `SELECT 1 AS "User", ${[...owned, ...addressed].join(', ')}
     FROM "User" AS u WHERE u."id" = ${provider === 'sqlite' ? '?' : '$1'}`,
    userId,
  );
  return Object.fromEntries(
    Object.entries(row ?? {}).map(([table, count]) => [table, Number(count)]),
  );
}
