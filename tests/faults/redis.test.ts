import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createClient } from 'redis';
import { Sessions } from '../../app/sessions/sessions.ts';
import { redisSessionStore } from '../../app/sessions/stores/redis.ts';
import { startRedis, type Redis } from '../fixtures/redis.ts';
import { startFreezingProxy, type FreezingProxy } from './freezing-proxy.ts';
import { RedisNode } from './redis-node.ts';
import { aWhile, createWork } from './work-under-fault.ts';

const A_WHILE_MS = 1500;

let redis: Redis;
let one: RedisNode;
/** It reaches Redis by a network that can be broken. */
let other: RedisNode;
let network: FreezingProxy;
let client: ReturnType<typeof createClient>;
let sessions: Sessions;

beforeAll(async () => {
  redis = await startRedis({ keeps: true });
  client = createClient({ url: redis.url, socket: { reconnectStrategy: () => 50 } });
  client.on('error', () => undefined);
  await client.connect();
  const store = redisSessionStore({ redis: client, timeoutMs: 500 });
  sessions = new Sessions({ store, maxPerUser: 1_000_000 });
  network = await startFreezingProxy(redis.port);
  one = new RedisNode(redis.url);
  other = new RedisNode(`redis://127.0.0.1:${network.port}`);
  await one.start();
  await other.start();
});
afterAll(async () => {
  await one.stop();
  await other.stop();
  await network.close();
  client.destroy();
  await redis.close();
});
afterEach(async () => {
  await one.untilReady();
  await other.untilReady();
});

const { signIn, during } = createWork('Redis', {
  ...{ nodes: () => [one, other], sessions: () => sessions, userId: 'somebody' },
});

test('nothing goes wrong: nobody is let in after their end, and nothing is unavailable', async () => {
  const seen = await during(() => aWhile(A_WHILE_MS));
  expect(seen.unavailable).toBe(0);
});

test('a node is killed, and started again', async () => {
  await during(async () => {
    await aWhile(500);
    await other.kill();
    await aWhile(3000);
    await other.start();
    await aWhile(500);
  });
});

test('Redis is gone and back', async () => {
  const seen = await during(async () => {
    await aWhile(500);
    await redis.stop();
    await aWhile(A_WHILE_MS);
    await redis.start();
    await Promise.all([one.untilReady(), other.untilReady()]);
    await aWhile(A_WHILE_MS);
  });
  expect(seen.unavailable).toBeGreaterThan(0);
});

test('Redis is emptied: nothing that was ended comes back', async () => {
  await during(async ({ doubtLive }) => {
    for (let times = 0; times < 3; times += 1) {
      await aWhile(500);
      doubtLive();
      await redis.flush();
      doubtLive();
      await aWhile(A_WHILE_MS);
    }
  });
});

test('a node is paused across an end: its first answer afterwards refuses', async () => {
  await during(async () => {
    const target = (await signIn())!;
    for (let times = 0; times < 2; times += 1) expect(await other.ask(target.token)).toBe('live');
    other.pause();
    expect(await one.revoke(target)).toBe(true);
    const answers = Promise.all(Array.from({ length: 5 }, () => other.ask(target.token)));
    await aWhile(200);
    other.resume();
    // A connection that was idle for too long may be closed at the same moment.
    expect(await answers).not.toContain('live');
    expect(await answers).toContain('refused');
  });
});

test('a node hears nothing any more, and does not know it: an end waits until it may not answer from memory', async () => {
  await during(async () => {
    const target = (await signIn())!;
    expect(await other.ask(target.token)).toBe('live');
    expect(network.freeze('subscribe')).toBe(1);
    expect(await other.ask(target.token)).toBe('live');
    const begun = performance.now();
    expect(await one.revoke(target)).toBe(true);
    expect(performance.now() - begun).toBeGreaterThan(1500);
    expect(await other.ask(target.token)).toBe('refused');
    await aWhile(500);
  });
});

test('Redis is emptied while a node hears nothing: an end waits for a lease that nobody knows of', async () => {
  const target = (await signIn())!;
  expect(await other.ask(target.token)).toBe('live');
  // Its leases and its news are lost at one time, as when Redis starts anew behind a broken network.
  expect(network.freeze('')).toBeGreaterThan(1);
  await redis.flush();
  const begun = performance.now();
  expect(await one.revoke(target)).toBe(true);
  expect(performance.now() - begun).toBeGreaterThan(1500);
  expect(await other.ask(target.token)).not.toBe('live');
});
