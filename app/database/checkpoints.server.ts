import Piscina from 'piscina';
import type { CheckpointTask } from './checkpoint-worker.server.ts';
import type { DatabaseAddress } from './address.server.ts';

/** Brings what was written into the file of the database, where the thread that wrote it would have to. */
export interface Checkpoints {
  /** Resolves when what was committed before is there. Nobody has to wait for it. */
  checkpoint(): Promise<void>;
  close(): Promise<void>;
}

const IDLE_THREAD_MS = 10_000;

/**
 * SQLite's driver works in the thread that asks it. With every thousand pages in its log, a commit
 * copies them into the file and waits for the disk: for ten milliseconds or a hundred nobody is
 * answered. Whoever writes many rows in a row asks for that after each few instead: it is done in a
 * thread of its own, over a connection of its own, and the log stays short. (A checkpoint changes
 * nothing: it is no news to whoever watches the file. It waits for nobody, and holds up no writer.)
 *
 * PostgreSQL has processes for that.
 */
export function createCheckpoints(address: DatabaseAddress): Checkpoints {
  if (address.provider === 'postgresql') {
    return { checkpoint: () => Promise.resolve(), close: () => Promise.resolve() };
  }
  const { file } = address;
  const pool = new Piscina<CheckpointTask, void>({
    ...workerModule(),
    name: 'checkpoint',
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_THREAD_MS,
  });
  return {
    checkpoint: () => pool.run({ file }),
    close: () => pool.close({ force: true }),
  };
}

// Bundled, the worker lies beside the server; from the sources it needs a loader for TypeScript.
function workerModule(): { filename: string; execArgv?: string[] } {
  return import.meta.url.endsWith('.ts')
    ? {
        filename: new URL('./checkpoint-worker.server.ts', import.meta.url).href,
        execArgv: ['--import', 'tsx'],
      }
    : { filename: new URL('./checkpoint-worker.js', import.meta.url).href };
}
