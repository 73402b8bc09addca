import { performance } from 'node:perf_hooks';
import { afterEach, expect, test, vi } from 'vitest';
import { deleteInBatches } from '../../app/sessions/stores/batches.ts';
import { createKeyedQueue } from '../../app/sessions/stores/keyed-queue.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Returns the batch sizes for deleting `rows` rows, with a fake clock that each row advances. */
async function sizesFor(rows: number, msPerRow: (batch: number) => number, mostRows = 400) {
  let nowMs = 0;
  let left = rows;
  const sizes: number[] = [];
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const deleted = await deleteInBatches(
    async (max) => {
      sizes.push(max);
      const batchDeleted = Math.min(max, left);
      left -= batchDeleted;
      nowMs += batchDeleted * msPerRow(sizes.length);
      return batchDeleted;
    },
    { targetMs: 2, mostRows },
  );
  return { deleted, sizes };
}

test('batches begin small and grow at most by double, up to the maximum', async () => {
  const { deleted, sizes } = await sizesFor(2000, () => 0.001);
  expect(deleted).toBe(2000);
  expect(sizes.slice(0, 5)).toEqual([50, 100, 200, 400, 400]);
});

test('batches that take too long shrink in proportion', async () => {
  const { deleted, sizes } = await sizesFor(120, (batch) => (batch < 3 ? 0.1 : 0.2));
  expect(deleted).toBe(120);
  expect(sizes.slice(0, 4)).toEqual([50, 20, 20, 10]);
});

test('a batch has at least one row and never more than the maximum', async () => {
  expect((await sizesFor(53, () => 5)).sizes.slice(0, 3)).toEqual([50, 1, 1]);
  expect((await sizesFor(30, () => 0.001, 10)).sizes).toEqual([10, 10, 10, 10]);
});

test('a checkpoint runs after every 200 rows and does not count as time of a batch', async () => {
  let nowMs = 0;
  let left = 1000;
  const steps: (number | string)[] = [];
  vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const deleteBatch = async (rows: number) => {
    const batchDeleted = Math.min(rows, left);
    left -= batchDeleted;
    nowMs += 1;
    steps.push(batchDeleted);
    return batchDeleted;
  };
  const checkpoint = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    nowMs += 1000;
    steps.push('checkpoint');
  };
  expect(await deleteInBatches(deleteBatch, { targetMs: 2, mostRows: 150, checkpoint })).toBe(1000);
  const each = [150, 150, 'checkpoint'];
  expect(steps).toEqual([50, 100, 150, 'checkpoint', ...each, ...each, 100]);
});

test('the process does other work between two batches', async () => {
  let otherWork = 0;
  const timer = setInterval(() => (otherWork += 1), 1);
  const seen: number[] = [];
  let left = 4;
  await deleteInBatches(
    async (max) => {
      seen.push(otherWork);
      for (const endMs = performance.now() + 5; performance.now() < endMs;);
      left -= 1;
      return left > 0 ? max : 0;
    },
    { targetMs: 5, mostRows: 10 },
  );
  clearInterval(timer);
  expect(new Set(seen).size).toBe(4);
});

test('tasks of one key run in order, one after the other, and tasks of another key run at once', async () => {
  const enqueue = createKeyedQueue();
  const running = new Map<string, number>();
  const done: string[] = [];
  const task = (key: string, name: string) => () => {
    running.set(key, (running.get(key) ?? 0) + 1);
    expect(running.get(key)).toBe(1);
    return new Promise<string>((resolve) =>
      setTimeout(() => {
        running.set(key, 0);
        done.push(name);
        resolve(name);
      }, 5),
    );
  };
  const first = enqueue('a', task('a', 'a1'));
  const second = enqueue('a', task('a', 'a2'));
  const other = enqueue('b', task('b', 'b1'));
  expect(await first).toBe('a1');
  // The queue has removed the first task, but not the second, which is running.
  const third = enqueue('a', task('a', 'a3'));
  expect(await Promise.all([second, third, other])).toEqual(['a2', 'a3', 'b1']);
  expect(done.filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
});

test('a task that fails does not block the next task of its key', async () => {
  const enqueue = createKeyedQueue();
  const failing = enqueue('a', () => Promise.reject(new Error('down')));
  const next = enqueue('a', async () => 'next');
  await expect(failing).rejects.toThrow('down');
  expect(await next).toBe('next');
});
