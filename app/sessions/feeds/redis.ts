import { randomUUID } from 'node:crypto';
import type { RevocationFeed } from '../revocation-feed.ts';
import { LEASE_MS } from './lease.ts';
import { leasedFeed, type LeasedFeedOptions } from './leased.ts';

/** A connection that hears what is published. It must not come back by itself: what it missed, nobody tells it. */
export interface RedisSubscription {
  subscribe(channel: string, listener: (text: string) => void): Promise<unknown>;
  /** Called when the connection broke, or may have; any number of times. */
  onLost(listener: () => void): void;
  close(): Promise<unknown>;
}

export interface RedisFeedOptions extends Omit<LeasedFeedOptions, 'transport' | 'publish'> {
  /** Sends one command over a connection that comes back by itself. */
  send(command: string[]): Promise<unknown>;
  /** Opens a connection for what is published. */
  listen(): Promise<RedisSubscription>;
  /** That of the `redisSessionStore`. Default `latchkey:`. */
  prefix?: string;
}

/**
 * Tells all, then says who holds a lease. Where the mark is gone, Redis was emptied, leases and all: it is
 * set again, and for one lease's time nobody knows who may still answer from memory. The same holds
 * after a link broke: a Redis that starts again may have lost its last second.
 */
const BEGIN_ROUND = `
local leases, news, text, leaseMs, isInDoubt = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3] == '1'
if redis.call('SETNX', leases .. ':mark', '1') == 1 or isInDoubt then
  redis.call('SET', leases .. ':doubt', '1', 'PX', leaseMs)
end
redis.call('PUBLISH', news, text)
return { math.max(0, redis.call('PTTL', leases .. ':doubt')), redis.call('HKEYS', leases) }
`;

/**
 * The news of a `redisSessionStore`: its scripts publish in the same step in which they write, and
 * every node subscribes. Redis hands messages over in that order. Leases are fields of a hash; see
 * {@link leasedFeed}. What a hand changes by other commands is published by nobody.
 */
export function redisFeed(options: RedisFeedOptions): RevocationFeed {
  const { prefix = 'latchkey:', ...rest } = options;
  const send = (command: string[]) => options.send(command);
  const { leaseMs = LEASE_MS } = rest;
  const ownAddress = `${prefix}node:${randomUUID()}`;
  const [leases, news] = [`${prefix}leases`, `${prefix}news`];
  let isInDoubt = false;
  const publish = (channel: string, text: string) => send(['PUBLISH', channel, text]);
  return leasedFeed({
    ...rest,
    // The scripts of the store do.
    publish: () => undefined,
    transport: {
      ownAddress,
      sayToSelf: (text) => publish(ownAddress, text),
      async beginRound(text) {
        const given = [text, String(leaseMs), isInDoubt ? '1' : '0'];
        const script = ['EVAL', BEGIN_ROUND, '2', leases, news, ...given];
        const [unknownForMs, leaseIds] = (await send(script)) as [number, string[]];
        return { leaseIds, unknownForMs };
      },
      takeAway: (ids) => send(['HDEL', leases, ...ids]),
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
            if (before.length > 0) await send(['HDEL', leases, ...before]);
            await send(['HSET', leases, leaseId, '1']);
          },
          holds: async (leaseId) => (await send(['HEXISTS', leases, leaseId])) === 1,
          giveBack: (leaseId) => send(['HDEL', leases, leaseId]),
          close: () => subscription.close(),
        };
      },
    },
  });
}
