import { closeSync, existsSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from './connections.server.ts';
import { runPostgresProgram } from './postgres-programs.server.ts';
import { parseDatabaseUrl, type DatabaseAddress } from './address.server.ts';
import { createPrivateFolder } from '#app/config/private-folder.server.ts';
import { StartupError } from '#app/config/startup-error.ts';

const OWNER_ONLY = 0o600;
const WAIT_FOR_LOCK_MS = 30_000;

/** File extensions of backups. */
export const BACKUP_ENDING = { sqlite: '.db', postgresql: '.dump' } as const;

/**
 * Writes a consistent copy of the database to a new file, while the database is in use. Only this
 * system user can read the file.
 *
 * @returns the size of the file in bytes.
 * @throws {StartupError} one sentence. The new file is then removed; an existing file is never touched.
 */
export async function backUpDatabase(databaseUrl: string, file: string): Promise<number> {
  const address = parseDatabaseUrl(databaseUrl);
  createNewFile(file);
  try {
    await (address.provider === 'sqlite'
      ? copySqlite(address.file, file)
      : dumpPostgres(address, file));
    syncFile(file);
    return statSync(file).size;
  } catch (error) {
    rmSync(file, { force: true });
    rmSync(`${file}-journal`, { force: true });
    if (error instanceof StartupError) throw error;
    throw new StartupError(`The backup could not be made: ${messageOf(error)}.`, { cause: error });
  }
}

function createNewFile(file: string): void {
  try {
    createPrivateFolder(dirname(file));
    closeSync(openSync(file, 'wx', OWNER_ONLY));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartupError(
      code === 'EEXIST'
        ? `The file ${file} is there already, and is left as it is; name another one.`
        : `The file ${file} cannot be made (${code}); name one in a folder that can be written.`,
      { cause: error },
    );
  }
}

// Not SQLite's backup API, which starts over after every write. VACUUM also leaves out free pages, in
// which erased rows could still be read.
async function copySqlite(from: string, to: string): Promise<void> {
  if (!existsSync(from)) {
    throw new StartupError(`There is no database ${from}; correct DATABASE_URL.`);
  }
  const { default: Driver } = await import('better-sqlite3');
  const db = new Driver(from, { fileMustExist: true, timeout: WAIT_FOR_LOCK_MS });
  try {
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
}

async function dumpPostgres(
  address: Extract<DatabaseAddress, { provider: 'postgresql' }>,
  file: string,
): Promise<void> {
  const format = ['--format=custom', '--no-owner', '--no-privileges'];
  const what = ['--schema', quotePattern(address.schema), '--file', file];
  await runPostgresProgram('pg_dump', [...format, ...what], address);
}

/** Quotes a schema for pg_dump, which else folds it to lower case and reads "*" as a wildcard. */
function quotePattern(schema: string): string {
  return `"${schema.replaceAll('"', '""')}"`;
}

function syncFile(file: string): void {
  const opened = openSync(file, 'r+');
  try {
    fsyncSync(opened);
  } finally {
    closeSync(opened);
  }
}
