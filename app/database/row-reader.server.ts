import { createHash } from 'node:crypto';
import type BetterSqlite3 from 'better-sqlite3';
import type pg from 'pg';
import type { RowReader } from '#app/sessions/stores/prisma.ts';
import { BUSY_WAIT_MS, LOCK_WITHIN_MS, whenUnlocked } from './sqlite-busy.server.ts';
import { utcTypes } from './connections.server.ts';

type OnQuery = ((sql: string) => void) | undefined;

export interface OpenRowReader extends RowReader {
  close(): void;
}

/**
 * Reads rows of a SQLite file over a connection of its own. In write-ahead mode no writer keeps it
 * waiting, and each look-up sees what any connection committed before it.
 */
export async function openSqliteRows(file: string, onQuery: OnQuery): Promise<OpenRowReader> {
  const { default: Driver } = await import('better-sqlite3');
  const db = new Driver(file, { readonly: true, fileMustExist: true, timeout: BUSY_WAIT_MS });
  return {
    prepare(sql) {
      let statement: BetterSqlite3.Statement<[string], unknown[]> | undefined;
      return async (value) => {
        onQuery?.(sql);
        const read = () => {
          // At the first look-up: a database whose tables are away is an outage, and no failed start.
          statement ??= db.prepare<[string], unknown[]>(sql).raw();
          return statement.get(value) ?? null;
        };
        return whenUnlocked(read, performance.now() + LOCK_WITHIN_MS);
      };
    },
    close: () => void db.close(),
  };
}

/** Reads rows of PostgreSQL by named statements, which each connection of the pool prepares once. */
export async function postgresRows(pool: pg.Pool, onQuery: OnQuery): Promise<RowReader> {
  const types = await utcTypes();
  return {
    prepare(text) {
      // The same in every process: a pooler may hand a connection from one to another.
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
