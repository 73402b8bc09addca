/** Runs the tasks of one key one after the other. */
export type KeyedQueue = <Answer>(key: string, task: () => Promise<Answer>) => Promise<Answer>;

/**
 * Returns a queue per key, for storage without conditional writes: two tasks that read and then write
 * must not interleave.
 */
export function createKeyedQueue(): KeyedQueue {
  const lastByKey = new Map<string, Promise<unknown>>();
  return (key, task) => {
    const previous = lastByKey.get(key) ?? Promise.resolve();
    const result = previous.then(task, task);
    lastByKey.set(key, result);
    const cleanUp = () => {
      if (lastByKey.get(key) === result) lastByKey.delete(key);
    };
    result.then(cleanUp, cleanUp);
    return result;
  };
}
