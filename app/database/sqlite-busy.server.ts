import { setTimeout as sleep } from 'node:timers/promises';

/** How long SQLite itself waits for a lock of another process. The thread waits with it. */
export const BUSY_WAIT_MS = 10;
/** After that, how soon it is asked again; others have the thread meanwhile. */
export const RETRY_MS = 20;
/** How long a statement waits for a lock and for its turn, in all. */
export const LOCK_WITHIN_MS = 4500;

/** True if another process holds a lock that the statement needs. Nothing of it was carried out. */
export function isBusy(error: unknown): boolean {
  const { code, cause } = error as { code?: unknown; cause?: { originalCode?: unknown } };
  return /^SQLITE_BUSY/.test(String(cause?.originalCode ?? code));
}

/** As the adapter says it of a lock: see `isDatabaseUnavailable`. */
export function busyError(): Error {
  const originalMessage = 'database is locked';
  const cause = { kind: 'SocketTimeout', originalCode: 'SQLITE_BUSY', originalMessage };
  const error = new Error(originalMessage, { cause });
  // By its name Prisma tells what a driver said from a mistake of the program.
  error.name = 'DriverAdapterError';
  return error;
}

/** One at a time, in the order in which they asked. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  /**
   * Resolves when it is the caller's turn, which lasts until it calls what it gets.
   *
   * @throws {@link busyError} at `giveUpAt`, a time of `performance.now()`.
   */
  async take(giveUpAt: number): Promise<() => void> {
    if (this.#isTaken) await this.#wait(giveUpAt);
    this.#isTaken = true;
    return () => {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#isTaken = false;
    };
  }

  #wait(giveUpAt: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const mine = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(mine), 1);
        reject(busyError());
      }, giveUpAt - performance.now());
      this.#waiting.push(mine);
    });
  }
}

/** Runs it, and again while the file is locked. @throws what it throws at `giveUpAt`. */
export async function whenUnlocked<Answer>(
  run: () => Answer | Promise<Answer>,
  giveUpAt: number,
): Promise<Answer> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAt) throw error;
    }
    await sleep(RETRY_MS);
  }
}
