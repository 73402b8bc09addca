import { setImmediate as nextTurn } from 'node:timers/promises';
import { BUSY_WAIT_MS } from './sqlite-busy.server.ts';
import { connectToPostgres, utcTypes } from './connections.server.ts';
import type { DatabaseAddress } from './address.server.ts';

/** A value as a driver hands it over. Times are a Date from PostgreSQL, and milliseconds from SQLite. */
export type StoredValue = string | number | bigint | boolean | Buffer | Date | null;
export type StoredRow = Record<string, StoredValue>;

/** A database as it stood at one moment, whatever is written meanwhile. One question at a time. */
export interface Snapshot {
  /**
   * The rows of a SELECT, in pages: of however many there are, only a few are in memory. Between two
   * pages everything else gets its turn.
   *
   * @param sql with `?` for every value.
   */
  pages(sql: string, values: string[]): AsyncGenerator<StoredRow[]>;
  /** Lets go of it. Harmless when that was done before; whatever is being read then fails. */
  close(): Promise<void>;
}

export interface Snapshots {
  /**
   * A snapshot of this moment; null when as many as may be are open.
   *
   * @throws when the database is down.
   */
  open(): Promise<Snapshot | null>;
  closeAll(): Promise<void>;
}

/** Few: each page is made in one go, and everybody else waits that long. */
const ROWS_A_PAGE = 100;
/** Each holds a connection. Whoever comes then is asked to come again. */
const AT_ONCE = 8;
/** PostgreSQL ends a snapshot that nobody reads from, even if this process cannot. */
const UNREAD_FOR_AT_MOST = '10min';
/** A page of rows takes milliseconds: a server that says nothing for so long is gone. */
const POSTGRES_LIMITS = { connectWithinMs: 2000, answerWithinMs: 2500 };

/**
 * Snapshots on connections of their own: Prisma has one connection to a SQLite file, where a
 * transaction would keep everybody else waiting, and a few to PostgreSQL, which slow readers would
 * use up.
 */
export function createSnapshots(address: DatabaseAddress): Snapshots {
  const open = new Set<Snapshot>();
  let opening = 0;
  return {
    async open() {
      if (open.size + opening >= AT_ONCE) return null;
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
    // The transaction sees what there was at its first look (WAL mode); it keeps no writer waiting.
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
        // Else the rest of the rows would seem not to exist.
        if (!db.open) throw new Error('The database connection is not open');
      }
      if (page.length > 0) yield page;
    },
    async close() {
      // It cannot be closed in the middle of a statement.
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
    await client.query(`SET LOCAL idle_in_transaction_session_timeout = '${UNREAD_FOR_AT_MOST}'`);
    // As in SQLite: the first look is the one that counts.
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
        // Also when whoever reads has seen enough. What failed cannot be closed, and need not be.
        await client.query('CLOSE reading').catch(() => undefined);
      }
    },
    close: () => client.end(),
  };
}
