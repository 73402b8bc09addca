import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type BetterSqlite3 from 'better-sqlite3';
import type pg from 'pg';
import { quoteName, type DatabaseAddress } from './address.server.ts';
import { createPrivateFolder } from '#app/config/private-folder.server.ts';
import { StartupError } from '#app/config/startup-error.ts';

type PostgresAddress = Extract<DatabaseAddress, { provider: 'postgresql' }>;

const OWNER_ONLY = 0o600;
const RETRY_MS = 50;
/** How long a server may take to accept a connection. */
const CONNECT_WITHIN_MS = 5000;

export interface PostgresLimits {
  /** How long the server may take to accept the connection. Default five seconds. */
  connectWithinMs?: number;
  /** How long it may take to answer a statement. Left out: as long as it takes. */
  answerWithinMs?: number;
}

/**
 * Opens a SQLite file with the driver itself. A file that is missing is made, for its owner alone,
 * and so is its folder; write-ahead logging is switched on for good.
 *
 * @param waitMs how long to wait for a lock that another process holds.
 * @throws {StartupError} when it cannot be opened, written or is not a database.
 */
export async function openSqliteFile(
  file: string,
  { waitMs }: { waitMs: number },
): Promise<BetterSqlite3.Database> {
  makeFile(file);
  const { default: Driver } = await import('better-sqlite3');
  let db: BetterSqlite3.Database | undefined;
  try {
    db = new Driver(file, { timeout: waitMs });
    // Reads the header: opening alone does not look at the file.
    db.prepare('SELECT count(*) FROM sqlite_master').get();
    await switchToWriteAheadLog(db, file, waitMs);
    return db;
  } catch (error) {
    db?.close();
    throw sqliteStartupError(error, file);
  }
}

function makeFile(file: string): void {
  const folder = dirname(file);
  try {
    createPrivateFolder(folder);
  } catch (error) {
    throw new StartupError(
      `The folder ${folder} of the database file cannot be made (${codeOf(error)}); make its parent a writable folder, or name another file in DATABASE_URL.`,
      { cause: error },
    );
  }
  try {
    // An empty file is an empty database. SQLite gives its mode to the files that it puts beside it.
    closeSync(openSync(file, 'ax', OWNER_ONLY));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    throw new StartupError(
      `The database file ${file} cannot be made (${codeOf(error)}); make its folder writable, or name another file in DATABASE_URL.`,
      { cause: error },
    );
  }
}

// The switch needs the file for itself for a moment, and SQLite does not always wait for it.
async function switchToWriteAheadLog(
  db: BetterSqlite3.Database,
  file: string,
  waitMs: number,
): Promise<void> {
  const giveUpAt = Date.now() + waitMs;
  for (;;) {
    try {
      const mode = db.pragma('journal_mode = WAL', { simple: true });
      if (mode === 'wal') return;
      throw new StartupError(
        `The database file ${file} cannot use write-ahead logging; put it on a local disk.`,
      );
    } catch (error) {
      if (codeOf(error) !== 'SQLITE_BUSY' || Date.now() > giveUpAt) throw error;
      await sleep(RETRY_MS);
    }
  }
}

/** What a person can do about an error of the SQLite driver. */
export function sqliteStartupError(error: unknown, file: string): StartupError {
  if (error instanceof StartupError) return error;
  const code = codeOf(error);
  const say = (sentence: string) =>
    new StartupError(`The database file ${file} ${sentence}`, { cause: error });
  if (code === 'SQLITE_NOTADB') {
    return say(
      'is not a SQLite database; move it out of the way, or name another file in DATABASE_URL.',
    );
  }
  if (/^SQLITE_CORRUPT/.test(code)) return say('is damaged; restore it from a backup.');
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return say('is locked by another program; end that program and start again.');
  }
  if (/^SQLITE_(CANTOPEN|READONLY|PERM)/.test(code)) {
    return say(
      `cannot be opened for writing (${code}); check the permissions of the file and of its folder, or name another file in DATABASE_URL.`,
    );
  }
  return say(`cannot be used: ${messageOf(error)}.`);
}

/**
 * Connects one PostgreSQL client, with the schema of the address in front of its search path. Its
 * statements may take as long as they take.
 *
 * @throws {StartupError} when the server is not there, refuses, or has no such database.
 */
export async function connectToPostgres(
  address: PostgresAddress,
  { connectWithinMs = CONNECT_WITHIN_MS, answerWithinMs }: PostgresLimits = {},
): Promise<pg.Client> {
  const { default: driver } = await import('pg');
  let client: pg.Client;
  try {
    client = new driver.Client({
      connectionString: address.connectionString,
      connectionTimeoutMillis: connectWithinMs,
      query_timeout: answerWithinMs,
      keepAlive: true,
      application_name: 'latchkey',
    });
  } catch {
    // Not even as a cause: the driver's error may quote the URL.
    throw new StartupError('DATABASE_URL is not a URL that the PostgreSQL driver can use.');
  }
  // A connection that ends on its own says so here and in the query under way; the latter counts.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw postgresStartupError(error, client);
  }
  // A pooler may hand over a connection on which requests had a limit.
  await client.query(`SET search_path TO ${quoteName(address.schema)}; SET statement_timeout = 0`);
  return client;
}

const TIMESTAMP_WITHOUT_ZONE = 1114;

/** How to read values: times are kept without a zone, and are UTC; the driver would take them for local time. */
export async function utcTypes(): Promise<pg.CustomTypesConfig> {
  const { default: driver } = await import('pg');
  const parserOf = driver.types.getTypeParser;
  return {
    getTypeParser: (oid, format) =>
      (oid as number) === TIMESTAMP_WITHOUT_ZONE
        ? (value: string) => new Date(`${value.replace(' ', 'T')}Z`)
        : (parserOf(oid, format) as unknown),
  };
}

function postgresStartupError(error: unknown, client: pg.Client): StartupError {
  const code = codeOf(error);
  const server = `${client.host}:${client.port}`;
  const said = messageOf(error);
  const say = (sentence: string) => new StartupError(sentence, { cause: error });
  if (/^E[A-Z_]+$/.test(code) || /timeout/.test(said)) {
    const reason = code === '' ? `within ${CONNECT_WITHIN_MS / 1000} s` : `(${code})`;
    return say(
      `No PostgreSQL server answers at ${server} ${reason}; start it, or correct host and port in DATABASE_URL.`,
    );
  }
  if (/password must be a string/.test(said)) {
    return say(
      `PostgreSQL at ${server} asks for a password, and DATABASE_URL gives none; add it behind the user's name.`,
    );
  }
  if (/^28/.test(code)) {
    return say(
      `PostgreSQL at ${server} refuses the user "${client.user}" (${said}); correct user or password in DATABASE_URL.`,
    );
  }
  if (code === '3D000') {
    return say(
      `PostgreSQL at ${server} has no database "${client.database}"; make it (CREATE DATABASE), or correct its name in DATABASE_URL.`,
    );
  }
  if (code === '57P03') {
    return say(`PostgreSQL at ${server} is not ready yet (${said}); start again in a moment.`);
  }
  return say(
    `PostgreSQL at ${server} cannot be used (${said}); check the server and DATABASE_URL.`,
  );
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** What the database itself says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
