import { RateLimiterMemory, type RateLimiterAbstract } from 'rate-limiter-flexible';

/** How often something may happen before its window is over. A window begins with the first time. */
export interface Limit {
  points: number;
  durationSeconds: number;
}

/** One limit, and a counter under it for every key. Throws when the store is down. */
export type Counter = Pick<RateLimiterAbstract, 'consume' | 'reward'>;

/**
 * Where counters are kept. Keys are made by `rate-limits.server.ts`; those of an account begin with
 * `account:<digest>:`.
 */
export interface CounterStore {
  counter(limit: Limit): Counter;
  /** Deletes every counter whose key begins with this; it ends in a colon. */
  forget(accountPrefix: string): Promise<void>;
  /** Deletes what has run out and would not go by itself. Answers how many. */
  prune(): Promise<number>;
}

/** Counters of this process. With several processes each counts for itself. */
export function createMemoryCounters(): CounterStore {
  const limiters: RateLimiterMemory[] = [];
  return {
    counter({ points, durationSeconds }) {
      const limiter = new RateLimiterMemory({ keyPrefix: '', points, duration: durationSeconds });
      limiters.push(limiter);
      return limiter;
    },
    async forget(accountPrefix) {
      for (const limiter of limiters) {
        for (const { key } of limiter.dump().storage) {
          if (String(key).startsWith(accountPrefix)) await limiter.delete(key);
        }
      }
    },
    prune: () => Promise.resolve(0),
  };
}
