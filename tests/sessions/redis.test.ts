import { afterAll } from 'vitest';
import { startRedis } from '../fixtures/redis.ts';
import { describeStoreContract } from './store-contract.ts';

const redis = await startRedis();

afterAll(() => redis.close());

for (const kind of ['redis', 'ioredis'] as const) {
  describeStoreContract(`Redis, through the package ${kind}`, {
    address: () => ({ kind, url: redis.url }),
    isSharedByNodes: true,
  });
}
