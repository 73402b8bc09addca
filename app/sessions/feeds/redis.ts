import { randomUUID } from 'node:crypto';
import type { NewsFeed } from '../session-feed.ts';
import { newsFeed, type NewsFeedOptions } from './news.ts';
import type { RedisSubscription } from './redis-subscription.ts';

export { listenWithIoredis, listenWithRedis } from './redis-subscription.ts';
export type { RedisSubscription } from './redis-subscription.ts';

export interface RedisNewsOptions extends Omit<NewsFeedOptions, 'transport'> {
  /** Sends one command over a connection that reconnects by itself. */
  send(command: string[]): Promise<unknown>;
  /** Opens a connection that receives published messages. */
  listen(): Promise<RedisSubscription>;
  /** The prefix of the `redisSessionStore`. Default `latchkey:`. */
  prefix?: string;
}

/**
 * Returns a feed of a `redisSessionStore`, for open pages. The store's scripts write and publish
 * atomically, and every node subscribes. See {@link newsFeed}. Changes by other commands are not
 * published.
 */
export function redisNews(options: RedisNewsOptions): NewsFeed {
  const { prefix = 'latchkey:', ...rest } = options;
  const ownAddress = `${prefix}node:${randomUUID()}`;
  return newsFeed({
    ...rest,
    transport: {
      sendToSelf: (text) => options.send(['PUBLISH', ownAddress, text]),
      async open(onMessage, onLost) {
        const subscription = await options.listen();
        subscription.onLost(() => onLost('the connection failed'));
        try {
          await subscription.subscribe(`${prefix}news`, onMessage);
          await subscription.subscribe(ownAddress, onMessage);
        } catch (error) {
          subscription.close().catch(() => undefined);
          throw error;
        }
        return { close: () => subscription.close() };
      },
    },
  });
}
