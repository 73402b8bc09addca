import Piscina from 'piscina';
import type { CheckpointTask } from './checkpoint-worker.server.ts';
import type { DatabaseAddress } from './address.server.ts';

/** Runs SQLite checkpoints in a separate thread, so that the main thread does not have to. */
interface Checkpoints {
  /** Resolves when earlier commits are in the database file. Awaiting it is optional. */
  checkpoint(): Promise<void>;
  close(): Promise<void>;
}

const IDLE_THREAD_MS = 10_000;

/**
 * Creates the checkpoints of a database. SQLite's driver blocks the calling thread. At every thousand
 * pages in the write-ahead log, a commit copies them into the file and waits for the disk, which delays
 * every request by 10 to 100 ms. Code that writes many rows therefore asks for a checkpoint after every
 * few rows. It runs in its own thread over its own connection, and keeps the log short. A checkpoint
 * changes no data, so watchers of the file do not notice it, and it never blocks a writer.
 *
 * On PostgreSQL this does nothing: its own processes run checkpoints.
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

// In a build, the worker is next to the server bundle. In the sources, it needs a TypeScript loader.
function workerModule(): { filename: string; execArgv?: string[] } {
  return import.meta.url.endsWith('.ts')
    ? {
        filename: new URL('./checkpoint-worker.server.ts', import.meta.url).href,
        execArgv: ['--import', 'tsx'],
      }
    : { filename: new URL('./checkpoint-worker.js', import.meta.url).href };
}
