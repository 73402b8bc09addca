import { randomUUID } from 'node:crypto';
import type { RedisSubscription } from '../feeds/redis-subscription.ts';
import type { SessionFeed } from '../session-feed.ts';
import { LEASE_MS } from './lease-time.ts';
import { leasedFeed, type LeasedFeedOptions } from './leased-feed.ts';
import type { LeasesFound } from './transport.ts';

export interface LeasedRedisFeedOptions extends Omit<LeasedFeedOptions, 'transport' | 'publish'> {
  /** Sends one command over a connection that reconnects by itself. */
  send(command: string[]): Promise<unknown>;
  /** Opens a connection that receives published messages. */
  listen(): Promise<RedisSubscription>;
  /** The prefix of the `redisSessionStore`. Default `latchkey:`. */
  prefix?: string;
}

/**
 * Sets a barrier if one is given, sends a message to all nodes, then returns the leases. If the mark is
 * missing, Redis has lost its data, also the leases: the script sets the mark again, and for the time of
 * one lease, nodes may answer from their caches under leases that cannot be read. The same applies after a
 * link broke, because a Redis that restarted may have lost its last second of writes.
 */
const BEGIN = `
local leases, barriers, news, text, barrier = KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[2]
if redis.call('SETNX', leases .. ':mark', '1') == 1 or ARGV[4] == '1' then
  redis.call('SET', leases .. ':doubt', '1', 'PX', ARGV[3])
end
if barrier ~= '' then redis.call('SADD', barriers, barrier) end
redis.call('PUBLISH', news, text)
return { math.max(0, redis.call('PTTL', leases .. ':doubt')), redis.call('HKEYS', leases) }
`;
const LIFT = `
local wasUp = redis.call('SREM', KEYS[2], ARGV[1])
if wasUp == 1 then
  for index = 2, #ARGV do redis.call('HDEL', KEYS[1], ARGV[index]) end
end
return wasUp
`;
const CHECK = `
return { redis.call('HEXISTS', KEYS[1], ARGV[1]), redis.call('SMEMBERS', KEYS[2]) }
`;
const RENAME = `
local wasThere = redis.call('HDEL', KEYS[1], ARGV[1])
if wasThere == 1 then redis.call('HSET', KEYS[1], ARGV[2], '1') end
return wasThere
`;

/**
 * Returns a feed with leases of a `redisSessionStore`; see {@link leasedFeed}. The store's scripts write
 * and publish atomically, and every node subscribes. Redis delivers messages in the order of the writes.
 * Leases are fields of a hash, and barriers are members of a set. Changes by other commands are not
 * published.
 */
export function leasedRedisFeed(options: LeasedRedisFeedOptions): SessionFeed {
  const { prefix = 'latchkey:', ...rest } = options;
  const send = (command: string[]) => options.send(command);
  const { leaseMs = LEASE_MS } = rest;
  const ownAddress = `${prefix}node:${randomUUID()}`;
  const [leases, barriers, news] = [`${prefix}leases`, `${prefix}barriers`, `${prefix}news`];
  let isInDoubt = false;
  const publish = (channel: string, text: string) => send(['PUBLISH', channel, text]);
  const run = (script: string, ...values: string[]) =>
    send(['EVAL', script, '3', leases, barriers, news, ...values]);
  const begin = async (text: string, barrier: string): Promise<LeasesFound> => {
    const found = await run(BEGIN, text, barrier, String(leaseMs), isInDoubt ? '1' : '0');
    const [unknownForMs, leaseIds] = found as [number, string[]];
    return { leaseIds, unknownForMs };
  };
  const remove = async (ids: readonly string[]) => {
    if (ids.length > 0) await send(['HDEL', leases, ...ids]);
  };
  const check = async (leaseId: string) => {
    const [count, found] = (await run(CHECK, leaseId)) as [number, string[]];
    return { isThere: count === 1, barriers: found };
  };
  return leasedFeed({
    ...rest,
    // The scripts of the store publish.
    publish: () => undefined,
    transport: {
      ownAddress,
      sendToSelf: (text) => publish(ownAddress, text),
      ask: (text) => begin(text, ''),
      raise: (barrier, text) => begin(text, barrier),
      lift: async (barrier, deadLeaseIds) => (await run(LIFT, barrier, ...deadLeaseIds)) === 1,
      release: remove,
      async open(onMessage, onLost) {
        const subscription = await options.listen();
        subscription.onLost(() => {
          isInDoubt = true;
          onLost('the connection failed');
        });
        try {
          await subscription.subscribe(news, onMessage);
          await subscription.subscribe(ownAddress, onMessage);
          if (isInDoubt) await send(['SET', `${leases}:doubt`, '1', 'PX', String(leaseMs)]);
          isInDoubt = false;
        } catch (error) {
          subscription.close().catch(() => undefined);
          throw error;
        }
        return {
          send: publish,
          async take(leaseId, before) {
            await remove(before);
            await send(['HSET', leases, leaseId, '1']);
            return (await check(leaseId)).barriers;
          },
          check,
          rename: async (from, to) => (await run(RENAME, from, to)) === 1,
          close: () => subscription.close(),
        };
      },
    },
  });
}
