import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '#app/config/startup-error.ts';

/** A server that is being replaced may take as long to stop. */
const WAIT_MS = 3000;
const RETRY_MS = 50;

/**
 * Makes this process the one server of a SQLite file: what a second one wrote, this one would hear of
 * too late. Held by a lock of the system on a file beside it, which ends with the process, however it
 * ends. Commands that read and write the file for a moment do not take it.
 *
 * @returns lets go of it.
 * @throws {StartupError} when another server has it.
 */
export async function takeServerLock(file: string): Promise<() => void> {
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
