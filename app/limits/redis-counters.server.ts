import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { CounterStore } from './counters.server.ts';

/** What counters need of a Redis client. */
export interface RedisCommands {
  /** Returns the reply to one command. Rejects if Redis is down. */
  send(command: string[]): Promise<unknown>;
}

const PREFIX = 'latchkey:limits:';
const ACCOUNT_OF_KEY = new RegExp(`^${PREFIX}account:[^:]+:`);

/**
 * KEYS[1] is the counter, ARGV[1] the number to add, ARGV[2] the window in seconds. KEYS[2], for the
 * counter of an account, is the set of that account's counters, so that FORGET need not scan all keys.
 * The set expires with the last of them.
 */
const COUNT = `
redis.call('SET', KEYS[1], 0, 'EX', ARGV[2], 'NX')
local consumed = redis.call('INCRBY', KEYS[1], ARGV[1])
local ttl = redis.call('PTTL', KEYS[1])
if KEYS[2] then
  redis.call('SADD', KEYS[2], KEYS[1])
  if redis.call('PTTL', KEYS[2]) < ttl then redis.call('PEXPIRE', KEYS[2], ttl) end
end
return {consumed, ttl}`;

const FORGET = `
for _, key in ipairs(redis.call('SMEMBERS', KEYS[1])) do redis.call('DEL', key) end
return redis.call('DEL', KEYS[1])`;

interface EvalOptions {
  keys: string[];
  arguments: string[];
}

/** Counters in Redis 5 or later, shared by all processes. Expired ones are deleted by Redis. */
export function createRedisCounters(redis: RedisCommands): CounterStore {
  const runScript = (text: string, keys: string[], args: string[]) =>
    redis.send(['EVAL', text, String(keys.length), ...keys, ...args]);
  // The method of a client of the package `redis` that the limiter calls.
  const storeClient = {
    eval: (text: string, { keys: [key = ''], arguments: args }: EvalOptions) => {
      const account = ACCOUNT_OF_KEY.exec(key)?.[0];
      return runScript(text, account ? [key, account] : [key], args);
    },
  };
  return {
    counter: ({ points, durationSeconds }) =>
      new RateLimiterRedis({
        storeClient,
        useRedisPackage: true,
        customIncrTtlLuaScript: COUNT,
        // The limiter puts a colon between its prefix and the key.
        keyPrefix: PREFIX.slice(0, -1),
        points,
        duration: durationSeconds,
      }),
    async forget(accountPrefix) {
      await runScript(FORGET, [PREFIX + accountPrefix], []);
    },
    prune: () => Promise.resolve(0),
  };
}
