import { randomUUID } from 'node:crypto';
import type { NewsFeed } from '../session-feed.ts';
import { newsFeed, type NewsFeedOptions } from './news.ts';
import type { RedisSubscription } from './redis-subscription.ts';

export { listenWithIoredis, listenWithRedis } from './redis-subscription.ts';
export type { RedisSubscription } from './redis-subscription.ts';

export interface RedisNewsOptions extends Omit<NewsFeedOptions, 'transport'> {
  /** Sends one command over a connection that reconnects by itself. */
  send(command: string[]): Promise<unknown>;
  /** Opens a connection for what is published. */
  listen(): Promise<RedisSubscription>;
  /** That of the `redisSessionStore`. Default `latchkey:`. */
  prefix?: string;
}

/**
 * The news of a `redisSessionStore`, for open pages. The store's scripts publish in the same step in which
 * they write, and every node subscribes; see {@link newsFeed}. What other commands change is not published.
 */
export function redisNews(options: RedisNewsOptions): NewsFeed {
  const { prefix = 'latchkey:', ...rest } = options;
  const ownAddress = `${prefix}node:${randomUUID()}`;
  return newsFeed({
    ...rest,
    transport: {
      sayToSelf: (text) => options.send(['PUBLISH', ownAddress, text]),
      async open(heard, lost) {
        const subscription = await options.listen();
        subscription.onLost(() => lost('the connection failed'));
        try {
          await subscription.subscribe(`${prefix}news`, heard);
          await subscription.subscribe(ownAddress, heard);
        } catch (error) {
          subscription.close().catch(() => undefined);
          throw error;
        }
        return { close: () => subscription.close() };
      },
    },
  });
}
