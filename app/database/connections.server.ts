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

interface PostgresLimits {
  /** How long the server may take to accept the connection. Default: five seconds. */
  connectWithinMs?: number;
  /** How long the server may take to answer a statement. Default: no limit. */
  answerWithinMs?: number;
}

/**
 * Opens a SQLite file with the driver, without Prisma. Creates the file and its folder if they are
 * missing, accessible to this system user only, and switches the file to write-ahead logging.
 *
 * @param waitMs how long to wait for a lock that another process holds.
 * @throws {StartupError} if the file cannot be opened or written, or is not a database.
 */
export async function openSqliteFile(
  file: string,
  { waitMs }: { waitMs: number },
): Promise<BetterSqlite3.Database> {
  createFile(file);
  const { default: Driver } = await import('better-sqlite3');
  let db: BetterSqlite3.Database | undefined;
  try {
    db = new Driver(file, { timeout: waitMs });
    // Opening does not read the file yet; this reads its header.
    db.prepare('SELECT count(*) FROM sqlite_master').get();
    await switchToWriteAheadLog(db, file, waitMs);
    return db;
  } catch (error) {
    db?.close();
    throw sqliteStartupError(error, file);
  }
}

function createFile(file: string): void {
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
    // An empty file is an empty database. SQLite creates its -wal and -shm files with the same mode.
    closeSync(openSync(file, 'ax', OWNER_ONLY));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    throw new StartupError(
      `The database file ${file} cannot be made (${codeOf(error)}); make its folder writable, or name another file in DATABASE_URL.`,
      { cause: error },
    );
  }
}

// The switch needs a short exclusive lock, and SQLite does not always wait for it.
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

/** Returns a StartupError that tells the operator how to fix an error of the SQLite driver. */
export function sqliteStartupError(error: unknown, file: string): StartupError {
  if (error instanceof StartupError) return error;
  const code = codeOf(error);
  const startupError = (sentence: string) =>
    new StartupError(`The database file ${file} ${sentence}`, { cause: error });
  if (code === 'SQLITE_NOTADB') {
    return startupError(
      'is not a SQLite database; move it elsewhere, or name another file in DATABASE_URL.',
    );
  }
  if (/^SQLITE_CORRUPT/.test(code)) return startupError('is damaged; restore it from a backup.');
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return startupError('is locked by another program; end that program and start again.');
  }
  if (/^SQLITE_(CANTOPEN|READONLY|PERM)/.test(code)) {
    return startupError(
      `cannot be opened for writing (${code}); check the permissions of the file and of its folder, or name another file in DATABASE_URL.`,
    );
  }
  return startupError(`cannot be used: ${messageOf(error)}.`);
}

/**
 * Connects one PostgreSQL client whose search path is the schema of the address. The server sets no
 * time limit on its statements.
 *
 * @throws {StartupError} if the server does not answer, refuses the user, or has no such database.
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
    // Without `cause`: the driver's error may quote the URL.
    throw new StartupError('DATABASE_URL is not a URL that the PostgreSQL driver can use.');
  }
  // A lost connection emits this event and fails the running query; the failed query is enough.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw postgresStartupError(error, client);
  }
  // A pooler may hand out a connection that still has the statement timeout of requests.
  await client.query(`SET search_path TO ${quoteName(address.schema)}; SET statement_timeout = 0`);
  return client;
}

const TIMESTAMP_WITHOUT_ZONE = 1114;

/** Returns type parsers that read timestamps without a zone as UTC. The driver would read local time. */
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
  const startupError = (sentence: string) => new StartupError(sentence, { cause: error });
  if (/^E[A-Z_]+$/.test(code) || /timeout/.test(said)) {
    const reason = code === '' ? `within ${CONNECT_WITHIN_MS / 1000} s` : `(${code})`;
    return startupError(
      `No PostgreSQL server answers at ${server} ${reason}; start it, or correct host and port in DATABASE_URL.`,
    );
  }
  if (/password must be a string/.test(said)) {
    return startupError(
      `PostgreSQL at ${server} asks for a password, and DATABASE_URL gives none; add it after the user's name.`,
    );
  }
  if (/^28/.test(code)) {
    return startupError(
      `PostgreSQL at ${server} refuses the user "${client.user}" (${said}); correct user or password in DATABASE_URL.`,
    );
  }
  if (code === '3D000') {
    return startupError(
      `PostgreSQL at ${server} has no database "${client.database}"; make it (CREATE DATABASE), or correct its name in DATABASE_URL.`,
    );
  }
  if (code === '57P03') {
    return startupError(
      `PostgreSQL at ${server} is not ready yet (${said}); start again in a moment.`,
    );
  }
  return startupError(
    `PostgreSQL at ${server} cannot be used (${said}); check the server and DATABASE_URL.`,
  );
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

/** Returns the message of an error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
