import { Redis as Ioredis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll } from 'vitest';
import { openDatabase } from '../../app/database/database.server.ts';
import { PrismaSessions, RedisSessions } from '../../app/sessions/session-classes.ts';
import { sharedPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { newSqliteAddress, removeSqlite } from './open-store.ts';
import {
  describeSessionClass,
  rules,
  type Meta,
  type Variant,
} from './session-classes-contract.ts';

const sqlite = newSqliteAddress();
const postgres = await sharedPostgres();
const redisServer = await startRedis();
const redis = createClient({ url: redisServer.url });
const ioredis = new Ioredis(redisServer.url, { lazyConnect: true });
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  await redis.connect();
  await ioredis.connect();
});
afterAll(async () => {
  redis.destroy();
  ioredis.disconnect();
  for (const close of closing) await close();
  removeSqlite(sqlite);
  await redisServer.close();
});

const onPrisma = async (databaseUrl: string): Promise<Variant> => {
  const log = { info: () => undefined, warn: () => undefined };
  const database = await openDatabase({ databaseUrl, log });
  const { client, provider } = database;
  closing.push(() => database.close());
  for (const id of ['ann', 'bob']) {
    await client.user.create({ data: { id, email: `${id}@example.com`, name: id } });
  }
  return new PrismaSessions<string, Meta>({ client, provider, ...rules });
};

describeSessionClass('RedisSessions over redis', () => {
  return new RedisSessions<string, Meta>({ redis, prefix: 'one:', ...rules });
});
describeSessionClass('RedisSessions over ioredis', () => {
  return new RedisSessions<string, Meta>({ redis: ioredis, prefix: 'two:', ...rules });
});
describeSessionClass('PrismaSessions on SQLite', () => onPrisma(sqlite.url));
describeSessionClass('PrismaSessions on PostgreSQL', async () =>
  onPrisma(await postgres.createDatabase()),
);
