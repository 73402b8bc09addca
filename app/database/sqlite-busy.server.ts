import { setTimeout as sleep } from 'node:timers/promises';

/** How long SQLite itself waits for a lock of another process. This blocks the thread. */
export const BUSY_WAIT_MS = 10;
/** The pause before a statement retries; the thread is free meanwhile. */
const RETRY_MS = 20;
/** How long a statement waits in total, in the write queue and for a lock. */
export const LOCK_WITHIN_MS = 4500;

/** True if another process holds a lock that the statement needs. The statement changed nothing. */
function isBusy(error: unknown): boolean {
  const { code, cause } = error as { code?: unknown; cause?: { originalCode?: unknown } };
  return /^SQLITE_BUSY/.test(String(cause?.originalCode ?? code));
}

/** Returns the error that the adapter throws for a locked file; see `isDatabaseUnavailable`. */
export function createBusyError(): Error {
  const originalMessage = 'database is locked';
  const cause = { kind: 'SocketTimeout', originalCode: 'SQLITE_BUSY', originalMessage };
  const error = new Error(originalMessage, { cause });
  // Prisma recognises a driver's error by this name.
  error.name = 'DriverAdapterError';
  return error;
}

/** Lets one writer in at a time, in the order in which they called `enter`. */
export class WriteQueue {
  readonly #waiting: (() => void)[] = [];
  #isTaken = false;

  /**
   * Resolves when it is the caller's turn, with a function that ends the turn.
   *
   * @throws {@link createBusyError} at `giveUpAt`, a time of `performance.now()`.
   */
  async enter(giveUpAt: number): Promise<() => void> {
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
      const startTurn = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(startTurn), 1);
        reject(createBusyError());
      }, giveUpAt - performance.now());
      this.#waiting.push(startTurn);
    });
  }
}

/** Calls `run`, and retries while the file is locked. @throws the last error of `run` after `giveUpAt`. */
export async function retryWhileBusy<Answer>(
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
