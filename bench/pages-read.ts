import pg from 'pg';
import type { GrownDatabase, OpenSessions } from './grown-database.ts';
import { operations, type OperationName } from './session-operations.ts';

/** Those that only read: the others cannot be done again. */
const READS = ['cold look-up', 'list page'] satisfies OperationName[];
const PEOPLE = 20;

interface Plan {
  Plan: { 'Shared Hit Blocks': number; 'Shared Read Blocks': number };
}

/** Pages of 8 KiB that the statement of each reading operation touches on PostgreSQL, the most of some people's. */
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
      for (let count = 0; count < PEOPLE; count += 1) {
        open.takeStatements();
        await operations[name](database, (count * 7919) % database.users)(
          open.sessions,
          new Date(),
        );
        for (const { sql, values } of open.takeStatements()) {
          const given = values.map((value) =>
            value instanceof Date ? value.toISOString() : value,
          );
          const { rows } = await client.query<{ 'QUERY PLAN': Plan[] }>(
            `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`,
            given,
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
