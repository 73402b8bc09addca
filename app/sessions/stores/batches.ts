import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

export interface BatchLimits {
  /** The duration to aim for per batch, in milliseconds. The number of rows adapts to it. */
  targetMs: number;
  /** Maximum number of rows per batch. */
  mostRows: number;
  /**
   * Awaited after about every 200 rows and not counted as time of the batch. For SQLite: a checkpoint by
   * another thread. Default: none, so that a commit now and then makes a checkpoint and takes longer.
   */
  checkpoint?: () => Promise<void>;
}

/**
 * Batch durations for a table. SQLite blocks this process meanwhile, and a request may wait for more
 * than one batch. PostgreSQL does not block it, but a batch locks rows for that long.
 */
export const BATCH_TARGET_MS = { sqlite: 2, postgresql: 10 } as const;

/** Small enough for the slowest disk. The batch size adapts from there. */
const FIRST_BATCH_ROWS = 50;
/**
 * Deleting an old row changes three or four pages that no other row of the batch shares, and a commit
 * that finds 1,000 pages in SQLite's log makes a checkpoint itself. Checkpointing more often than needed
 * would wait for the disk more often.
 */
const CHECKPOINT_ROWS = 200;

/**
 * Deletes rows in batches until a batch is not full. Sizes each batch by the duration of the last one,
 * so that no batch holds a lock for long on any machine. Between two batches it waits as long as the
 * last one took: this process does other work, and another process that waits for the lock (SQLite's
 * waiters poll) finds it free half of the time.
 *
 * @param deleteBatch deletes up to `rows` rows and returns how many. Fewer than `rows` ends the loop.
 * @returns the total number of deleted rows.
 */
export async function deleteInBatches(
  deleteBatch: (rows: number) => Promise<number>,
  { targetMs, mostRows, checkpoint }: BatchLimits,
): Promise<number> {
  let deleted = 0;
  let checkpointAt = CHECKPOINT_ROWS;
  for (let rows = Math.min(FIRST_BATCH_ROWS, mostRows); ;) {
    const startedAtMs = performance.now();
    const batchDeleted = await deleteBatch(rows);
    const tookMs = performance.now() - startedAtMs;
    deleted += batchDeleted;
    if (batchDeleted < rows) return deleted;
    // At most double the size, because one fast batch says little about the next.
    const growth = Math.min(2, targetMs / tookMs);
    rows = Math.max(1, Math.min(mostRows, Math.floor(rows * growth)));
    if (deleted >= checkpointAt) {
      await checkpoint?.();
      checkpointAt = deleted + CHECKPOINT_ROWS;
    }
    await pause(tookMs);
  }
}
