import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '#app/config/startup-error.ts';

/** How long a server that is being replaced may take to stop. */
const WAIT_MS = 3000;
const RETRY_MS = 50;

/**
 * Makes this process the only server of a SQLite file, because a server notices the changes of other
 * processes too late. Holds a system lock on a file next to the database, which ends with the process.
 * Commands, which use the file only for a short time, do not take the lock.
 *
 * @returns a function that releases the lock.
 * @throws {StartupError} if another server holds the lock.
 */
export async function acquireServerLock(file: string): Promise<() => void> {
  const { default: Driver } = await import('better-sqlite3');
  const db = new Driver(`${file}.server`, { timeout: 0 });
  const giveUpAt = performance.now() + WAIT_MS;
  for (;;) {
    try {
      db.exec('BEGIN EXCLUSIVE');
      return () => db.close();
    } catch (error) {
      const isTaken = (error as { code?: string }).code === 'SQLITE_BUSY';
      if (isTaken && performance.now() < giveUpAt) {
        await sleep(RETRY_MS);
        continue;
      }
      db.close();
      if (!isTaken) throw error;
      throw new StartupError(
        `Another Latchkey server uses the database file ${file}; stop that one, or use PostgreSQL for several.`,
      );
    }
  }
}
