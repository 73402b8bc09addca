import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import Driver from 'better-sqlite3';
import pg from 'pg';

export type Provider = 'sqlite' | 'postgresql';

/** The differences in SQL between the two databases. */
interface Dialect {
  /** Returns SQL for the rows of one column "n", from `from` to below `to`. */
  series(from: number, to: number): string;
  /** Returns SQL for {@link digestOf} of a text. */
  digest(text: string): string;
  /** Returns SQL for a time from milliseconds since 1970. */
  time(ms: string): string;
}

/** Fills tables directly: without triggers, foreign keys and durability. */
export interface Filler extends Dialect {
  /** Inserts one row for each n. The value of each column is SQL in which `n` is that number. */
  insert(table: string, rows: Rows, columns: Record<string, string>): Promise<void>;
  /** Returns the number of rows of a table. */
  count(table: string): Promise<number>;
  /** Collects statistics, writes everything to disk, and closes the database. */
  close(): Promise<void>;
}

export interface Rows {
  from: number;
  to: number;
  /** Called from time to time with the number of inserted rows. */
  onProgress?: (done: number) => void;
}

const BATCH_ROWS = 250_000;

/** Returns 22 characters of base64url that look as random as an id. The database can compute them too. */
export const digestOf = (text: string): string =>
  createHash('md5').update(text).digest('base64url');

/** Opens a database that has its tables already. No other connection may be open. */
export async function openFiller(databaseUrl: string): Promise<Filler> {
  return databaseUrl.startsWith('file:')
    ? fillSqlite(databaseUrl.slice('file:'.length))
    : fillPostgres(databaseUrl);
}

function fillSqlite(file: string): Filler {
  const db = new Driver(file);
  db.exec(`
    PRAGMA journal_mode = DELETE;
    PRAGMA journal_mode = OFF;
    PRAGMA synchronous = OFF;
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA foreign_keys = OFF;
    PRAGMA cache_size = -2000000;
  `);
  db.function('latchkey_digest', { deterministic: true }, (text) => digestOf(String(text)));
  const dialect: Dialect = {
    series: (from, to) =>
      `(WITH RECURSIVE series(n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM series WHERE n + 1 < ${to})
        SELECT n FROM series) AS series`,
    digest: (text) => `latchkey_digest(${text})`,
    time: (ms) => `(${ms})`,
  };
  const run = async (sql: string) => void db.exec(sql);
  return {
    ...dialect,
    insert: inserter(dialect, run),
    count: async (table) =>
      (db.prepare(`SELECT count(*) AS n FROM "${table}"`).get() as { n: number }).n,
    async close() {
      db.close();
      // Pending writes to the disk would disturb the measurement.
      execFileSync('sync');
    },
  };
}

/** Fast settings while filling, which `close` resets. */
const FILLING_SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  max_wal_size: '4GB',
};

async function fillPostgres(url: string): Promise<Filler> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const run = async (sql: string) => void (await client.query(sql));
  for (const [name, value] of Object.entries(FILLING_SETTINGS)) {
    await run(`ALTER SYSTEM SET ${name} = '${value}'`);
  }
  await run('SELECT pg_reload_conf()');
  await run('SET session_replication_role = replica');
  const dialect: Dialect = {
    series: (from, to) => `generate_series(${from}::bigint, ${to - 1}::bigint) AS series(n)`,
    digest: (text) => `translate(encode(decode(md5(${text}), 'hex'), 'base64'), '+/=', '-_')`,
    time: (ms) => `(to_timestamp((${ms}) / 1000.0) AT TIME ZONE 'UTC')`,
  };
  return {
    ...dialect,
    insert: inserter(dialect, run),
    async count(table) {
      const { rows } = await client.query<{ n: string }>(`SELECT count(*) AS n FROM "${table}"`);
      return Number(rows[0]!.n);
    },
    async close() {
      // Autovacuum would do it later.
      await run('VACUUM ANALYZE');
      for (const name of Object.keys(FILLING_SETTINGS)) await run(`ALTER SYSTEM RESET ${name}`);
      await run('SELECT pg_reload_conf()');
      await run('CHECKPOINT');
      await client.end();
      execFileSync('sync');
    },
  };
}

function inserter({ series }: Dialect, run: (sql: string) => Promise<void>): Filler['insert'] {
  return async (table, { from, to, onProgress }, columns) => {
    const names = Object.keys(columns).map((name) => `"${name}"`);
    for (let at = from; at < to; at += BATCH_ROWS) {
      const end = Math.min(to, at + BATCH_ROWS);
      await run(
        `INSERT INTO "${table}" (${names.join(', ')})
         SELECT ${Object.values(columns).join(', ')} FROM ${series(at, end)}`,
      );
      onProgress?.(end - from);
    }
  };
}
