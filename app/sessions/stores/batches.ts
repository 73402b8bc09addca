import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

export interface BatchLimits {
  /** What one batch may take, in milliseconds, as the number of rows is adapted to it. */
  targetMs: number;
  /** Rows that one batch never exceeds. */
  mostRows: number;
  /**
   * Awaited after some 200 rows at a time, and none of the batch's time: on SQLite, a checkpoint that
   * another thread makes. Default: nothing; a commit now and then makes one itself, and takes as long.
   */
  checkpoint?: () => Promise<void>;
}

/**
 * For a table. On SQLite nobody else is answered meanwhile, and a request may meet more than one batch.
 * PostgreSQL works elsewhere; what counts there is for how long rows are locked.
 */
export const BATCH_TARGET_MS = { sqlite: 2, postgresql: 10 } as const;

/** Small enough for the slowest disk; the pace is found from there. */
const FIRST_BATCH_ROWS = 50;
/**
 * A row of an old session lies on three pages or four that no other of the same batch does, and a commit
 * that finds 1,000 in SQLite's log makes a checkpoint itself. More often would wait for the disk more often.
 */
const CHECKPOINT_ROWS = 200;

/**
 * Deletes batch by batch until a batch comes back short, and sizes each by how long the last one
 * took, so that none holds a lock for long whatever the machine. Between two batches it waits as
 * long as the last one took: other work of this process runs, and another process that waits for
 * the lock (SQLite's waiters poll) finds it free half of the time.
 *
 * @param deleteBatch deletes up to `rows` rows and answers how many; fewer than asked for means
 *   that there is no more to do.
 * @returns how many rows were deleted in all.
 */
export async function deleteInBatches(
  deleteBatch: (rows: number) => Promise<number>,
  { targetMs, mostRows, checkpoint }: BatchLimits,
): Promise<number> {
  let deleted = 0;
  let checkpointAt = CHECKPOINT_ROWS;
  for (let rows = Math.min(FIRST_BATCH_ROWS, mostRows); ;) {
    const startedAtMs = performance.now();
    const gone = await deleteBatch(rows);
    const tookMs = performance.now() - startedAtMs;
    deleted += gone;
    if (gone < rows) return deleted;
    // At most twice as many as before: one lucky batch says little about the next.
    const pace = Math.min(2, targetMs / tookMs);
    rows = Math.max(1, Math.min(mostRows, Math.floor(rows * pace)));
    if (deleted >= checkpointAt) {
      await checkpoint?.();
      checkpointAt = deleted + CHECKPOINT_ROWS;
    }
    await pause(tookMs);
  }
}
