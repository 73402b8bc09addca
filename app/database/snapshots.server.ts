import { setImmediate as nextTurn } from 'node:timers/promises';
import { BUSY_WAIT_MS } from './sqlite-busy.server.ts';
import { connectToPostgres, utcTypes } from './connections.server.ts';
import type { DatabaseAddress } from './address.server.ts';

/** A value as a driver returns it. Times are a Date from PostgreSQL, and milliseconds from SQLite. */
export type StoredValue = string | number | bigint | boolean | Buffer | Date | null;
export type StoredRow = Record<string, StoredValue>;

/** A consistent view of the database at one time, unaffected by later writes. One query at a time. */
export interface Snapshot {
  /**
   * Yields the rows of a SELECT in pages, so that only a few rows are in memory. Other work can run
   * between two pages.
   *
   * @param sql has a `?` for every value.
   */
  pages(sql: string, values: string[]): AsyncGenerator<StoredRow[]>;
  /** Closes the snapshot; a running read then fails. Closing twice is not an error. */
  close(): Promise<void>;
}

export interface Snapshots {
  /**
   * Opens a snapshot of the current state; `null` if the maximum number is open.
   *
   * @throws if the database is down.
   */
  open(): Promise<Snapshot | null>;
  closeAll(): Promise<void>;
}

/** Small, because reading one SQLite page blocks the thread and every other request. */
const ROWS_A_PAGE = 100;
/** The most open snapshots; each holds a connection. */
const MAX_OPEN = 8;
/** PostgreSQL ends a snapshot that is not read for this long, even if this process cannot. */
const MAX_UNREAD_TIME = '10min';
/** A page of rows takes milliseconds: a server that is silent for this long is down. */
const POSTGRES_LIMITS = { connectWithinMs: 2000, answerWithinMs: 2500 };

/**
 * Creates snapshots with their own connections. Prisma has only one connection to a SQLite file, on
 * which a transaction would block every other request, and a few to PostgreSQL, which slow readers
 * would use up.
 */
export function createSnapshots(address: DatabaseAddress): Snapshots {
  const open = new Set<Snapshot>();
  let opening = 0;
  return {
    async open() {
      if (open.size + opening >= MAX_OPEN) return null;
      opening += 1;
      try {
        const opened =
          address.provider === 'sqlite'
            ? await openSqlite(address.file)
            : await openPostgres(address);
        const snapshot: Snapshot = {
          ...opened,
          async close() {
            if (open.delete(snapshot)) await opened.close();
          },
        };
        open.add(snapshot);
        return snapshot;
      } finally {
        opening -= 1;
      }
    },
    async closeAll() {
      await Promise.all([...open].map((snapshot) => snapshot.close()));
    },
  };
}

async function openSqlite(file: string): Promise<Snapshot> {
  const { default: Driver } = await import('better-sqlite3');
  const db = new Driver(file, { readonly: true, fileMustExist: true, timeout: BUSY_WAIT_MS });
  let reading: IterableIterator<StoredRow> | null = null;
  try {
    // In WAL mode the transaction sees the state at its first read, and blocks no writer.
    db.exec('BEGIN');
    db.prepare('SELECT count(*) FROM sqlite_master').get();
  } catch (error) {
    db.close();
    throw error;
  }
  return {
    async *pages(sql, values) {
      reading = db.prepare<string[], StoredRow>(sql).iterate(...values);
      let page: StoredRow[] = [];
      for (const row of reading) {
        page.push(row);
        if (page.length < ROWS_A_PAGE) continue;
        yield page;
        page = [];
        await nextTurn();
        // Without this error, the read would end early as if there were no more rows.
        if (!db.open) throw new Error('The database connection is not open');
      }
      if (page.length > 0) yield page;
    },
    async close() {
      // A connection cannot be closed while a statement runs.
      reading?.return?.();
      db.close();
    },
  };
}

async function openPostgres(
  address: Extract<DatabaseAddress, { provider: 'postgresql' }>,
): Promise<Snapshot> {
  const client = await connectToPostgres(address, POSTGRES_LIMITS);
  const types = await utcTypes();
  try {
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(`SET LOCAL idle_in_transaction_session_timeout = '${MAX_UNREAD_TIME}'`);
    // The first read fixes the state that the snapshot sees, as in SQLite.
    await client.query('SELECT 1');
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  return {
    async *pages(sql, values) {
      let count = 0;
      const numbered = sql.replace(/\?/g, () => `$${(count += 1)}`);
      await client.query(`DECLARE reading NO SCROLL CURSOR FOR ${numbered}`, values);
      try {
        for (;;) {
          const text = `FETCH ${ROWS_A_PAGE} FROM reading`;
          const { rows } = await client.query<StoredRow>({ text, types });
          if (rows.length > 0) yield rows;
          if (rows.length < ROWS_A_PAGE) return;
        }
      } finally {
        // Also runs if the reader stops early. After a failure the cursor is gone already.
        await client.query('CLOSE reading').catch(() => undefined);
      }
    },
    close: () => client.end(),
  };
}
