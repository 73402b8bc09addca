import pg from 'pg';
import type { GrownDatabase, OpenSessions } from './grown-database.ts';
import { operations, type OperationName } from './session-operations.ts';

/** The operations that only read, because the others cannot be repeated. */
const READS = ['cold look-up', 'list page'] satisfies OperationName[];
const USERS = 20;

interface Plan {
  Plan: { 'Shared Hit Blocks': number; 'Shared Read Blocks': number };
}

/**
 * Returns the pages of 8 KiB that the statements of each reading operation touch on PostgreSQL: the maximum
 * over some users.
 */
export async function pagesRead(
  database: GrownDatabase,
  open: OpenSessions,
): Promise<Record<string, number>> {
  const client = new pg.Client({ connectionString: database.databaseUrl });
  await client.connect();
  try {
    const pages: Record<string, number> = {};
    for (const name of READS) {
      pages[name] = 0;
      for (let count = 0; count < USERS; count += 1) {
        open.takeStatements();
        await operations[name](database, (count * 7919) % database.users)(
          open.sessions,
          new Date(),
        );
        for (const { sql, values } of open.takeStatements()) {
          const parameters = values.map((value) =>
            value instanceof Date ? value.toISOString() : value,
          );
          const { rows } = await client.query<{ 'QUERY PLAN': Plan[] }>(
            `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
            parameters,
          );
          const { Plan: plan } = rows[0]!['QUERY PLAN'][0]!;
          const touched = plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
          pages[name] = Math.max(pages[name]!, touched);
        }
      }
    }
    return pages;
  } finally {
    await client.end();
  }
}
