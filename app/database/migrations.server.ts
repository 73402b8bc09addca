import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type BetterSqlite3 from 'better-sqlite3';
import type pg from 'pg';
import {
  connectToPostgres,
  messageOf,
  openSqliteFile,
  sqliteStartupError,
} from './connections.server.ts';
import {
  parseDatabaseUrl,
  quoteName,
  type DatabaseAddress,
  type DatabaseProvider,
} from './address.server.ts';
import { StartupError } from '#app/config/startup-error.ts';

/** The log methods that migrations use. */
export interface MigrationsLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

interface MigrationsOptions {
  databaseUrl: string;
  /** Holds a folder for each migration. Default: `prisma/{provider}/migrations` of the current directory. */
  migrationsFolder?: string;
  log: MigrationsLog;
}

/** A migration prevented the start. The message names the migration and says what to do. */
export class MigrationError extends StartupError {
  override name = 'MigrationError';
  constructor(
    readonly migration: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

/** The columns of `_prisma_migrations` that are used here. */
interface MigrationRecord {
  name: string;
  checksum: string;
  isFinished: boolean;
}

/** The id of Prisma's lock, so that `migrate deploy` and a starting server never run at the same time. */
const ADVISORY_LOCK = 72_707_369;
const WAIT_FOR_LOCK_MS = 30_000;

const SQLITE_TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)`;

const POSTGRES_TABLE = `CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    id                      VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum                VARCHAR(64) NOT NULL,
    finished_at             TIMESTAMPTZ,
    migration_name          VARCHAR(255) NOT NULL,
    logs                    TEXT,
    rolled_back_at          TIMESTAMPTZ,
    started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count     INTEGER NOT NULL DEFAULT 0
)`;

// Ignores rows that `prisma migrate resolve` marked as rolled back.
const READ_RECORDS = `SELECT "migration_name" AS "name", "checksum", "finished_at" IS NOT NULL AS "finished"
  FROM "_prisma_migrations" WHERE "rolled_back_at" IS NULL ORDER BY "started_at"`;

const INSERT_RECORD = `INSERT INTO "_prisma_migrations"
  ("id", "checksum", "migration_name", "started_at", "finished_at", "applied_steps_count")`;

/**
 * Applies the migrations that the database does not have yet, in order of name, each in its own
 * transaction. Records them as Prisma does, so that Prisma's `migrate deploy` and `migrate status`
 * agree. Only one process applies migrations at a time; other processes wait until they are applied.
 * A migration script must not begin or end transactions.
 *
 * @returns the names of the migrations that it applied; empty if there were none.
 * @throws {MigrationError} if a migration fails (it is rolled back completely), was edited after it
 *   was applied, or was interrupted halfway.
 * @throws {StartupError} if the database or the folder cannot be used.
 */
export async function applyMigrations(options: MigrationsOptions): Promise<string[]> {
  const { databaseUrl, log } = options;
  const address = parseDatabaseUrl(databaseUrl);
  const folder = options.migrationsFolder ?? defaultFolder(address.provider);
  const migrations = readMigrations(folder);
  const applied = await (address.provider === 'sqlite'
    ? applyToSqlite(address.file, migrations, log)
    : applyToPostgres(address, migrations, log));
  if (applied.length > 0) log.info({ migrations: applied }, 'Migrations applied');
  return applied;
}

/** Returns the names of all migrations of this version of the application, in order. */
export function migrationNames(options: Omit<MigrationsOptions, 'log'>): string[] {
  const { provider } = parseDatabaseUrl(options.databaseUrl);
  const folder = options.migrationsFolder ?? defaultFolder(provider);
  return readMigrations(folder).map(({ name }) => name);
}

function defaultFolder(provider: DatabaseProvider): string {
  return resolve('prisma', provider, 'migrations');
}

function readMigrations(folder: string): Migration[] {
  let names: string[];
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    throw new StartupError(
      `The folder of migrations ${folder} cannot be read; start the server in the project's folder.`,
      { cause: error },
    );
  }
  return names.sort().map((name) => readMigration(folder, name));
}

function readMigration(folder: string, name: string): Migration {
  const file = join(folder, name, 'migration.sql');
  try {
    const sql = readFileSync(file, 'utf8');
    return { name, sql, checksum: checksumOf(sql) };
  } catch (error) {
    throw new MigrationError(
      name,
      `The migration ${name} has no readable file ${file}; restore it, or remove its folder.`,
      { cause: error },
    );
  }
}

function checksumOf(sql: string): string {
  return createHash('sha256').update(sql).digest('hex');
}

// Like Prisma, accepts both kinds of line endings: a checkout may convert them.
function matchesChecksum({ sql, checksum }: Migration, recorded: string): boolean {
  if (checksum === recorded) return true;
  const unix = sql.replaceAll('\r\n', '\n');
  return [unix, unix.replaceAll('\n', '\r\n')].some((text) => checksumOf(text) === recorded);
}

/**
 * Returns the migrations that are not recorded yet.
 *
 * @throws {MigrationError} if a migration did not finish, or was edited after it was applied.
 */
function findPending(records: MigrationRecord[], migrations: Migration[]): Migration[] {
  const halfDone = records.find((record) => !record.isFinished);
  if (halfDone) {
    throw new MigrationError(
      halfDone.name,
      `The migration ${halfDone.name} was begun by Prisma and did not finish; put the tables right, mark it with "npx prisma migrate resolve --rolled-back ${halfDone.name}" (or --applied), and start again.`,
    );
  }
  const recorded = new Map(records.map((record) => [record.name, record]));
  return migrations.filter((migration) => {
    const record = recorded.get(migration.name);
    if (record && !matchesChecksum(migration, record.checksum)) {
      throw new MigrationError(
        migration.name,
        `The migration ${migration.name} was edited after it was applied to this database; restore its migration.sql, and put the change into a new migration.`,
      );
    }
    return !record;
  });
}

// Not an error: an older version may restart during a roll-out, and newer tables work with both.
function warnAboutUnknown(
  records: MigrationRecord[],
  migrations: Migration[],
  log: MigrationsLog,
): void {
  const known = new Set(migrations.map(({ name }) => name));
  const unknown = records.map(({ name }) => name).filter((name) => !known.has(name));
  if (unknown.length > 0) {
    log.warn(
      { migrations: unknown },
      'The database has migrations that this version of the application does not know',
    );
  }
}

function toMigrationError({ name }: Migration, error: unknown): StartupError {
  if (error instanceof StartupError) return error;
  return new MigrationError(
    name,
    `The migration ${name} failed and was rolled back completely; fix it and start again. The database says: ${messageOf(error)}`,
    { cause: error },
  );
}

async function applyToSqlite(
  file: string,
  migrations: Migration[],
  log: MigrationsLog,
): Promise<string[]> {
  const db = await openSqliteFile(file, { waitMs: WAIT_FOR_LOCK_MS });
  try {
    // Prisma's scripts rebuild a table by dropping it, which would cascade. The pragma must be set here:
    // inside a transaction it does nothing, including in the scripts.
    db.pragma('foreign_keys = OFF');
    const records = readSqliteRecords(db);
    warnAboutUnknown(records, migrations, log);
    const pending = findPending(records, migrations);
    return pending.filter((migration) => applyOneToSqlite(db, migration)).map(({ name }) => name);
  } catch (error) {
    throw sqliteStartupError(error, file);
  } finally {
    db.close();
  }
}

/** Applies one migration. False if another process had applied it already. */
function applyOneToSqlite(db: BetterSqlite3.Database, migration: Migration): boolean {
  db.exec('BEGIN IMMEDIATE');
  try {
    const isPending = findPending(readSqliteRecords(db), [migration]).length > 0;
    if (isPending) {
      const startedAt = new Date();
      db.exec(SQLITE_TABLE);
      db.exec(migration.sql);
      requireForeignKeys(db);
      db.prepare(`${INSERT_RECORD} VALUES (?, ?, ?, ?, ?, 1)`).run(
        randomUUID(),
        migration.checksum,
        migration.name,
        sqliteTime(startedAt),
        sqliteTime(new Date()),
      );
    }
    db.exec('COMMIT');
    return isPending;
  } catch (error) {
    // After some errors, such as a full disk, SQLite has already rolled back.
    if (db.inTransaction) db.exec('ROLLBACK');
    throw toMigrationError(migration, error);
  }
}

function requireForeignKeys(db: BetterSqlite3.Database): void {
  const [orphan] = db.pragma('foreign_key_check') as { table: string; parent: string }[];
  if (orphan) {
    throw new Error(`rows of "${orphan.table}" refer to rows of "${orphan.parent}" that are gone`);
  }
}

function readSqliteRecords(db: BetterSqlite3.Database): MigrationRecord[] {
  const table = db
    .prepare(`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_prisma_migrations'`)
    .get();
  if (!table) return [];
  const rows = db.prepare(READ_RECORDS).all() as {
    name: string;
    checksum: string;
    finished: number;
  }[];
  return rows.map(({ finished, ...row }) => ({ ...row, isFinished: finished === 1 }));
}

/** Formats a time as Prisma stores it in SQLite. */
function sqliteTime(time: Date): string {
  return time.toISOString().replace('Z', '+00:00');
}

async function applyToPostgres(
  address: Extract<DatabaseAddress, { provider: 'postgresql' }>,
  migrations: Migration[],
  log: MigrationsLog,
): Promise<string[]> {
  const client = await connectToPostgres(address);
  try {
    // A session-level lock: PostgreSQL releases it when the connection ends for any reason.
    await client.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK]);
    const records = await readPostgresRecords(client);
    warnAboutUnknown(records, migrations, log);
    const pending = findPending(records, migrations);
    if (pending.length > 0) {
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteName(address.schema)}`);
    }
    for (const migration of pending) {
      await applyOneToPostgres(client, migration);
    }
    return pending.map(({ name }) => name);
  } catch (error) {
    if (error instanceof StartupError) throw error;
    throw new StartupError(
      `The migrations could not be read from PostgreSQL (${messageOf(error)}); check the privileges of the user in DATABASE_URL.`,
      { cause: error },
    );
  } finally {
    // An error here must not hide an earlier one.
    await client.end().catch(() => undefined);
  }
}

async function applyOneToPostgres(client: pg.Client, migration: Migration): Promise<void> {
  const startedAt = new Date();
  await client.query('BEGIN');
  try {
    await client.query(POSTGRES_TABLE);
    await client.query(migration.sql);
    await client.query(`${INSERT_RECORD} VALUES ($1, $2, $3, $4, $5, 1)`, [
      randomUUID(),
      migration.checksum,
      migration.name,
      startedAt,
      new Date(),
    ]);
    await client.query('COMMIT');
  } catch (error) {
    // If the connection is lost, the server has already rolled back.
    await client.query('ROLLBACK').catch(() => undefined);
    throw toMigrationError(migration, error);
  }
}

async function readPostgresRecords(client: pg.Client): Promise<MigrationRecord[]> {
  const table = await client.query<{ found: boolean }>(
    `SELECT to_regclass('"_prisma_migrations"') IS NOT NULL AS "found"`,
  );
  if (!table.rows[0]?.found) return [];
  const { rows } = await client.query<{ name: string; checksum: string; finished: boolean }>(
    READ_RECORDS,
  );
  return rows.map(({ finished, ...row }) => ({ ...row, isFinished: finished }));
}
