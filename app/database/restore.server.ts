import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import type pg from 'pg';

import { connectToPostgres, messageOf } from './connections.server.ts';
import { runPostgresProgram } from './postgres-programs.server.ts';
import { parseDatabaseUrl, quoteName, type DatabaseAddress } from './address.server.ts';
import { StartupError } from '#app/config/startup-error.ts';

type SqliteAddress = Extract<DatabaseAddress, { provider: 'sqlite' }>;
type PostgresAddress = Extract<DatabaseAddress, { provider: 'postgresql' }>;

/** An erasure receipt from the replaced database. */
interface KeptReceipt {
  id: string;
  erasedAt: Date;
  counts: string;
  subjectDigest: string;
}

export interface Replaced {
  /** Where the replaced database is now; `null`: there was none. */
  aside: string | null;
  /** The receipts of the replaced database; `null`: they cannot be read. */
  receipts: KeptReceipt[] | null;
}

interface RestoreOptions {
  databaseUrl: string;
  /** The backup. */
  file: string;
  now: Date;
  /**
   * Migrates the restored database and repeats the erasures since the backup. On SQLite it gets the URL
   * of a draft file, which replaces the database afterwards.
   */
  bringUpToDate: (databaseUrl: string, replaced: Replaced) => Promise<void>;
}

const OWNER_ONLY = 0o600;
const SQLITE_MAGIC = 'SQLite format 3\0';
const POSTGRES_MAGIC = 'PGDMP';
const RECEIPTS = 'SELECT "id", "erasedAt", "counts", "subjectDigest" FROM';

/**
 * Checks that the file is a backup of this kind of database, and that the database is not in use.
 *
 * @throws {StartupError} one sentence that says why the backup cannot be restored. Changes nothing.
 */
export async function checkRestore(options: Omit<RestoreOptions, 'bringUpToDate'>): Promise<void> {
  const address = parseDatabaseUrl(options.databaseUrl);
  checkKind(options.file, address.provider);
  if (address.provider === 'sqlite') {
    await checkSqliteFile(options.file);
    if (existsSync(address.file)) await readReplacedSqlite(address.file);
  } else {
    await checkDump(options.file, address);
    const client = await connectToPostgres(address);
    try {
      await requireUnused(client);
    } finally {
      await client.end();
    }
  }
}

/**
 * Replaces the database with a backup, and keeps the replaced database under another name.
 *
 * @throws {StartupError} one sentence; the database is then unchanged.
 */
export async function restoreDatabase(options: RestoreOptions): Promise<Replaced> {
  await checkRestore(options);
  const address = parseDatabaseUrl(options.databaseUrl);
  return address.provider === 'sqlite'
    ? restoreSqlite(address, options)
    : restorePostgres(address, options);
}

/** Returns a time as "20261121-120000": it sorts by time, and is valid in names of files and schemas. */
function stampOf(now: Date): string {
  return now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
}

function checkKind(file: string, provider: DatabaseAddress['provider']): void {
  const head = readHead(file);
  const isSqlite = head.startsWith(SQLITE_MAGIC);
  const isPostgres = head.startsWith(POSTGRES_MAGIC);
  if (provider === 'sqlite' ? isSqlite : isPostgres) return;
  const wanted = provider === 'sqlite' ? 'SQLite' : 'PostgreSQL';
  const found = isSqlite ? 'SQLite' : isPostgres ? 'PostgreSQL' : null;
  throw new StartupError(
    found
      ? `${file} is a ${found} backup, and DATABASE_URL names a ${wanted} database; restore it to one of its own kind.`
      : `${file} is no backup of ${wanted}: it is damaged, or another kind of file.`,
  );
}

function readHead(file: string): string {
  try {
    const opened = openSync(file, 'r');
    try {
      const head = Buffer.alloc(SQLITE_MAGIC.length);
      readSync(opened, head);
      return head.toString('latin1');
    } finally {
      closeSync(opened);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartupError(`The backup ${file} cannot be read (${code}); name another file.`, {
      cause: error,
    });
  }
}

async function checkSqliteFile(file: string): Promise<void> {
  const { default: Driver } = await import('better-sqlite3');
  let result: unknown;
  let tables = 0;
  try {
    const db = new Driver(file, { readonly: true, fileMustExist: true });
    try {
      result = db.pragma('integrity_check(1)', { simple: true });
      tables = db.prepare(`SELECT 1 FROM sqlite_master WHERE name = 'User'`).all().length;
    } finally {
      db.close();
    }
  } catch (error) {
    result = messageOf(error);
  }
  if (result !== 'ok') {
    throw new StartupError(`The backup ${file} is damaged (${String(result)}); take another one.`);
  }
  if (tables === 0) throw new StartupError(`${file} is a database, but not one of Latchkey.`);
}

/**
 * Returns the erasure receipts, and merges the write-ahead log into the file, so that the file is
 * complete. `null` if the database is damaged.
 */
async function readReplacedSqlite(file: string): Promise<KeptReceipt[] | null> {
  const { default: Driver } = await import('better-sqlite3');
  try {
    const db = new Driver(file, { fileMustExist: true, timeout: 0 });
    try {
      // Turning write-ahead logging off fails if another connection, such as a server's, is open.
      db.pragma('journal_mode = DELETE');
      const has = db.prepare(`SELECT 1 FROM sqlite_master WHERE name = 'ErasureReceipt'`).all();
      if (has.length === 0) return [];
      const rows = db.prepare(`${RECEIPTS} "ErasureReceipt"`).all() as (Omit<
        KeptReceipt,
        'erasedAt'
      > & { erasedAt: number })[];
      return rows.map((row) => ({ ...row, erasedAt: new Date(row.erasedAt) }));
    } finally {
      db.close();
    }
  } catch (error) {
    const code = String((error as { code?: unknown }).code);
    if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
      throw new StartupError(
        `The database ${file} is in use; stop the server (and other programs that use it), and try again.`,
        { cause: error },
      );
    }
    // Not an error: damage may be the reason for the restore.
    if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) return null;
    throw new StartupError(`The database ${file} cannot be put aside: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

async function restoreSqlite(
  { file }: SqliteAddress,
  { file: backup, now, bringUpToDate }: RestoreOptions,
): Promise<Replaced> {
  const isThere = existsSync(file);
  const receipts = isThere ? await readReplacedSqlite(file) : [];
  const aside = isThere ? freeName(`${file}.replaced-${stampOf(now)}`) : null;
  const draft = `${file}.restoring`;
  removeSqlite(draft);
  try {
    copyFileSync(backup, draft);
    chmodSync(draft, OWNER_ONLY);
    await bringUpToDate(`file:${draft}`, { aside, receipts });
    await leaveWriteAheadLog(draft);
  } catch (error) {
    removeSqlite(draft);
    throw error;
  }
  if (aside !== null) {
    // A damaged database may still have its log, which must not be applied to the restored file.
    for (const ending of ['', '-wal', '-shm']) {
      if (existsSync(file + ending)) renameSync(file + ending, aside + ending);
    }
  }
  renameSync(draft, file);
  return { aside, receipts };
}

async function leaveWriteAheadLog(file: string): Promise<void> {
  const { default: Driver } = await import('better-sqlite3');
  const db = new Driver(file, { fileMustExist: true });
  db.pragma('journal_mode = DELETE');
  db.close();
}

function freeName(name: string): string {
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? name : `${name}-${count}`;
    if (!existsSync(candidate)) return candidate;
  }
}

function removeSqlite(file: string): void {
  for (const ending of ['', '-wal', '-shm', '-journal']) rmSync(file + ending, { force: true });
}

async function checkDump(file: string, { schema }: PostgresAddress): Promise<void> {
  const list = await runPostgresProgram('pg_restore', ['--list', file], null).catch(
    (error: unknown) => {
      if (/not found on PATH|unsupported version/.test(messageOf(error))) throw error;
      throw new StartupError(`The backup ${file} is damaged; take another one.`, { cause: error });
    },
  );
  if (!list.includes(` TABLE ${schema} User `)) {
    throw new StartupError(
      `${file} has no Latchkey tables in the schema "${schema}" that DATABASE_URL names.`,
    );
  }
  // The list is only the head of the file. This reads the rest, and discards it.
  await runPostgresProgram('pg_restore', ['--file', '/dev/null', file], null).catch(
    (error: unknown) => {
      throw new StartupError(`The backup ${file} is damaged; take another one.`, { cause: error });
    },
  );
}

async function requireUnused(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT coalesce(nullif(application_name, ''), 'no name') AS name FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
  );
  if (rows.length === 0) return;
  throw new StartupError(
    `The database is in use (by ${rows.map(({ name }) => name).join(', ')}); stop the server (and other programs that use it), and try again.`,
  );
}

// The replaced tables stay in the same database, in another schema: this needs no privilege to create
// databases, and renaming two schemas undoes it.
async function restorePostgres(
  address: PostgresAddress,
  { databaseUrl, file, now, bringUpToDate }: RestoreOptions,
): Promise<Replaced> {
  const client = await connectToPostgres(address);
  const aside = `${address.schema}_replaced_${stampOf(now).replace('-', '_')}`;
  try {
    await requireUnused(client);
    const found = await client.query<{ found: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1) AS found`,
      [address.schema],
    );
    const isThere = found.rows[0]?.found === true;
    const receipts = await readPostgresReceipts(client);
    await client.query('BEGIN');
    if (isThere) {
      await client.query(`ALTER SCHEMA ${quoteName(address.schema)} RENAME TO ${quoteName(aside)}`);
    }
    await client.query(`CREATE SCHEMA ${quoteName(address.schema)}`);
    await client.query('COMMIT');
    const replaced = { aside: isThere ? `schema ${aside}` : null, receipts };
    try {
      const how = ['--single-transaction', '--exit-on-error', '--no-owner', '--no-privileges'];
      const what = ['--schema', address.schema, file];
      await runPostgresProgram('pg_restore', [...how, ...what], address);
      await bringUpToDate(databaseUrl, replaced);
    } catch (error) {
      await client.query(`DROP SCHEMA ${quoteName(address.schema)} CASCADE`);
      if (isThere) {
        await client.query(
          `ALTER SCHEMA ${quoteName(aside)} RENAME TO ${quoteName(address.schema)}`,
        );
      }
      throw error;
    }
    return replaced;
  } catch (error) {
    if (error instanceof StartupError) throw error;
    throw new StartupError(
      `The backup was not restored, and the database is unchanged: ${messageOf(error)}.`,
      { cause: error },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function readPostgresReceipts(client: pg.Client): Promise<KeptReceipt[]> {
  const table = await client.query<{ found: boolean }>(
    `SELECT to_regclass('"ErasureReceipt"') IS NOT NULL AS found`,
  );
  if (table.rows[0]?.found !== true) return [];
  // Times are stored without a zone, in UTC.
  const { rows } = await client.query<Omit<KeptReceipt, 'erasedAt'> & { erasedAt: string }>(
    `SELECT "id", to_char("erasedAt", 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "erasedAt", "counts",
       "subjectDigest" FROM "ErasureReceipt"`,
  );
  return rows.map((row) => ({ ...row, erasedAt: new Date(row.erasedAt) }));
}
