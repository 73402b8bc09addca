export {
  leasedRedisFeed as redisFeed,
  type LeasedRedisFeedOptions as RedisFeedOptions,
} from '../leases/leased-redis.ts';
export type { RedisSubscription } from './redis-subscription.ts';
