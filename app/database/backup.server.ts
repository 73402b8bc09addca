import { closeSync, existsSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from './connections.server.ts';
import { runPostgresProgram } from './postgres-programs.server.ts';
import { parseDatabaseUrl, type DatabaseAddress } from './address.server.ts';
import { createPrivateFolder } from '#app/config/private-folder.server.ts';
import { StartupError } from '#app/config/startup-error.ts';

const OWNER_ONLY = 0o600;
const WAIT_FOR_LOCK_MS = 30_000;

/** How the file of a backup ends, by what is in it. */
export const BACKUP_ENDING = { sqlite: '.db', postgresql: '.dump' } as const;

/**
 * Writes all of the database into a new file, as it is at one moment, while it is in use. Only this
 * user can read the file.
 *
 * @returns its size in bytes.
 * @throws {StartupError} one sentence; there is no file then. One that is there already is never touched.
 */
export async function backUpDatabase(databaseUrl: string, file: string): Promise<number> {
  const address = parseDatabaseUrl(databaseUrl);
  makeNewFile(file);
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

function makeNewFile(file: string): void {
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

// Not the backup API of SQLite: that begins anew whenever somebody writes. And what VACUUM writes has
// no free pages, in which erased rows could still be read.
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

/** Else letters become small ones, and "*" stands for anything. */
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
