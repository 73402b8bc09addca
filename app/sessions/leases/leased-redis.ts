import { randomUUID } from 'node:crypto';
import type { RedisSubscription } from '../feeds/redis-subscription.ts';
import type { SessionFeed } from '../session-feed.ts';
import { LEASE_MS } from './lease-time.ts';
import { leasedFeed, type LeasedFeedOptions } from './leased-feed.ts';
import type { LeasesFound } from './transport.ts';

export interface LeasedRedisFeedOptions extends Omit<LeasedFeedOptions, 'transport' | 'publish'> {
  /** Sends one command over a connection that comes back by itself. */
  send(command: string[]): Promise<unknown>;
  /** Opens a connection for what is published. */
  listen(): Promise<RedisSubscription>;
  /** That of the `redisSessionStore`. Default `latchkey:`. */
  prefix?: string;
}

/**
 * Sends a message to all nodes, after setting a barrier where there is to be one, then reads the leases. Where
 * the mark is gone, Redis was emptied, leases and all: it is set again, and for one lease's time nodes may
 * answer from memory without a lease that can be read. The same holds after a link broke: a Redis that
 * starts again may have lost its last second.
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
const LOOK = `
return { redis.call('HEXISTS', KEYS[1], ARGV[1]), redis.call('SMEMBERS', KEYS[2]) }
`;
const RENAME = `
local wasThere = redis.call('HDEL', KEYS[1], ARGV[1])
if wasThere == 1 then redis.call('HSET', KEYS[1], ARGV[2], '1') end
return wasThere
`;

/**
 * The news of a `redisSessionStore`, under leases; see {@link leasedFeed}. The store's scripts publish in the
 * same step in which they write, and every node subscribes. Redis hands messages over in that order.
 * Leases are fields of a hash, barriers members of a set. What other commands change is not published.
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
  const look = async (leaseId: string) => {
    const [count, found] = (await run(LOOK, leaseId)) as [number, string[]];
    return { isThere: count === 1, barriers: found };
  };
  return leasedFeed({
    ...rest,
    // The scripts of the store do.
    publish: () => undefined,
    transport: {
      ownAddress,
      sendToSelf: (text) => publish(ownAddress, text),
      ask: (text) => begin(text, ''),
      raise: (barrier, text) => begin(text, barrier),
      lift: async (barrier, deadLeaseIds) => (await run(LIFT, barrier, ...deadLeaseIds)) === 1,
      refund: remove,
      async open(heard, lost) {
        const subscription = await options.listen();
        subscription.onLost(() => {
          isInDoubt = true;
          lost('the connection failed');
        });
        try {
          await subscription.subscribe(news, heard);
          await subscription.subscribe(ownAddress, heard);
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
            return (await look(leaseId)).barriers;
          },
          look,
          rename: async (from, to) => (await run(RENAME, from, to)) === 1,
          close: () => subscription.close(),
        };
      },
    },
  });
}
