import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import type { DatabaseProvider } from '../../app/database/address.server.ts';
import { query, startPostgres, type Postgres } from '../fixtures/postgres.ts';

export const PROVIDERS = ['sqlite', 'postgresql'] as const satisfies DatabaseProvider[];

/** An empty database for one test, and a folder for its files. */
export interface EmptyDatabase {
  url: string;
  folder: string;
  /** Runs SQL on a separate connection, without the application. */
  query<Row = Record<string, unknown>>(sql: string): Promise<Row[]>;
  /** Returns the names of all tables. */
  tables(): Promise<string[]>;
}

/** Creates empty databases of either kind. Starts PostgreSQL for the first one that needs it. */
export class EmptyDatabases {
  #postgres: Postgres | null = null;
  readonly #folders: string[] = [];

  async postgres(): Promise<Postgres> {
    this.#postgres ??= await startPostgres();
    return this.#postgres;
  }

  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-db-'));
    this.#folders.push(folder);
    return folder;
  }

  async make(provider: DatabaseProvider): Promise<EmptyDatabase> {
    const folder = this.folder();
    if (provider === 'postgresql') {
      const url = await (await this.postgres()).createDatabase();
      const run = <Row>(sql: string) => query<Row>(url, sql);
      return { url, folder, query: run, tables: () => tablesOf(run, POSTGRES_TABLES) };
    }
    const file = join(folder, 'test.db');
    const run = <Row>(sql: string) => Promise.resolve(querySqlite(file, sql) as Row[]);
    return { url: `file:${file}`, folder, query: run, tables: () => tablesOf(run, SQLITE_TABLES) };
  }

  async close(): Promise<void> {
    await this.#postgres?.close();
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}

const SQLITE_TABLES = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name`;
const POSTGRES_TABLES = `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename COLLATE "C"`;

async function tablesOf(run: (sql: string) => Promise<{ name: string }[]>, sql: string) {
  return (await run(sql)).map(({ name }) => name);
}

function querySqlite(file: string, sql: string): unknown[] {
  const db = new BetterSqlite3(file);
  // Statements of tests must not cascade.
  db.pragma('foreign_keys = OFF');
  try {
    if (/^\s*(SELECT|PRAGMA)/i.test(sql)) return db.prepare(sql).all();
    db.exec(sql);
    return [];
  } finally {
    db.close();
  }
}

/** Writes migration files, given by name, and returns their folder. */
export function writeMigrations(folder: string, scripts: Record<string, string>): string {
  const migrations = join(folder, 'migrations');
  for (const [name, sql] of Object.entries(scripts)) {
    mkdirSync(join(migrations, name), { recursive: true });
    writeFileSync(join(migrations, name, 'migration.sql'), sql);
  }
  return migrations;
}

/** Returns a log that collects its lines. */
export function createTestLog() {
  const lines: { level: 'info' | 'warn'; fields: object; message: string }[] = [];
  return {
    lines,
    info: (fields: object, message: string) => void lines.push({ level: 'info', fields, message }),
    warn: (fields: object, message: string) => void lines.push({ level: 'warn', fields, message }),
  };
}

/** Returns the error with which a promise is rejected. Throws if it is fulfilled. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('The promise was expected to be rejected, but was fulfilled.');
}
