/** Runs one task after the other wherever they have a key in common. */
export type Turns = <Answer>(key: string, task: () => Promise<Answer>) => Promise<Answer>;

/** For storage without conditional writes: what reads and then writes must not be interleaved. */
export function createKeyedQueue(): Turns {
  const lastOf = new Map<string, Promise<unknown>>();
  return (key, task) => {
    const before = lastOf.get(key) ?? Promise.resolve();
    const answer = before.then(task, task);
    lastOf.set(key, answer);
    const forget = () => {
      if (lastOf.get(key) === answer) lastOf.delete(key);
    };
    answer.then(forget, forget);
    return answer;
  };
}
