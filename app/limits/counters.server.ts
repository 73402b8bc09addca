import { RateLimiterMemory, type RateLimiterAbstract } from 'rate-limiter-flexible';

/** How often something may happen within a window. A window begins with the first event. */
interface Limit {
  points: number;
  durationSeconds: number;
}

/** The counters of one limit, one for every key. Throws if the store is down. */
export type Counter = Pick<RateLimiterAbstract, 'consume' | 'reward'>;

/**
 * A store of counters. `rate-limits.server.ts` makes the keys; those of an account begin with
 * `account:<digest>:`.
 */
export interface CounterStore {
  counter(limit: Limit): Counter;
  /** Deletes every counter whose key begins with this prefix, which ends in a colon. */
  forget(accountPrefix: string): Promise<void>;
  /** Deletes expired counters, if the store does not do so itself. Returns how many. */
  prune(): Promise<number>;
}

/** Counters in memory. With several processes, each counts for itself. */
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
