import { createHash } from 'node:crypto';
import type BetterSqlite3 from 'better-sqlite3';
import type pg from 'pg';
import type { RowReader } from '#app/sessions/stores/prisma.ts';
import { BUSY_WAIT_MS, LOCK_WITHIN_MS, retryWhileBusy } from './sqlite-busy.server.ts';
import { utcTypes } from './connections.server.ts';

type OnQuery = ((sql: string) => void) | undefined;

interface OpenRowReader extends RowReader {
  close(): void;
}

/**
 * Opens a reader of a SQLite file with its own connection. With write-ahead logging, a writer never
 * blocks it, and each read sees all earlier commits of every connection.
 */
export async function openSqliteRowReader(file: string, onQuery: OnQuery): Promise<OpenRowReader> {
  const { default: Driver } = await import('better-sqlite3');
  const db = new Driver(file, { readonly: true, fileMustExist: true, timeout: BUSY_WAIT_MS });
  return {
    prepare(sql) {
      let statement: BetterSqlite3.Statement<[string], unknown[]> | undefined;
      return async (value) => {
        onQuery?.(sql);
        const read = () => {
          // Prepared at the first read: missing tables are then an outage, not a failed start.
          statement ??= db.prepare<[string], unknown[]>(sql).raw();
          return statement.get(value) ?? null;
        };
        return retryWhileBusy(read, performance.now() + LOCK_WITHIN_MS);
      };
    },
    close: () => void db.close(),
  };
}

/** Creates a reader of PostgreSQL with named statements. Each connection prepares a statement once. */
export async function createPostgresRowReader(pool: pg.Pool, onQuery: OnQuery): Promise<RowReader> {
  const types = await utcTypes();
  return {
    prepare(text) {
      // The same name in every process: a pooler may move a connection between processes.
      const name = `row_${createHash('sha256').update(text).digest('base64url').slice(0, 20)}`;
      return async (value) => {
        onQuery?.(text);
        const { rows } = await pool.query<unknown[]>({
          name,
          text,
          values: [value],
          rowMode: 'array',
          types,
        });
        return rows[0] ?? null;
      };
    },
  };
}
