import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from 'redis';
import { Sessions } from '../../app/sessions/sessions.ts';
import { redisSessionStore } from '../../app/sessions/stores/redis.ts';
import { startRedis, type Redis } from '../fixtures/redis.ts';
import { startFreezingProxy, type FreezingProxy } from './freezing-proxy.ts';
import { RedisNode } from './redis-node.ts';
import { aWhile, createWork } from './work-under-fault.ts';

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
  nodes: () => [one, other],
  sessions: () => sessions,
  userId: 'user-1',
});

test('without a fault no ended session is let in and no request fails', async () => {
  const seen = await during(() => aWhile(500));
  expect(seen.unavailable).toBe(0);
});

test('a node that is killed and started again lets no ended session in', async () => {
  await during(async () => {
    await aWhile(200);
    await other.kill();
    await aWhile(200);
    await other.start();
    await aWhile(200);
  });
});

test('a Redis that stops signs no user out, and all nodes are back when it is', async () => {
  const seen = await during(async () => {
    await aWhile(200);
    await redis.stop();
    await aWhile(500);
    await redis.start();
    await Promise.all([one.untilReady(), other.untilReady()]);
    await aWhile(200);
  });
  expect(seen.unavailable).toBeGreaterThan(0);
});

test('a Redis that is emptied brings no ended session back', async () => {
  await during(async ({ doubtLive }) => {
    for (let times = 0; times < 3; times += 1) {
      await aWhile(200);
      doubtLive();
      await redis.flush();
      doubtLive();
      await aWhile(200);
    }
  });
});

test('a node that was paused across an end refuses the session at its first answer', async () => {
  await during(async () => {
    const target = (await signIn())!;
    expect(await other.ask(target.token)).toBe('live');
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

describe('under leases', () => {
  let near: RedisNode;
  let far: RedisNode;
  beforeAll(async () => {
    near = new RedisNode(redis.url, 'leased');
    far = new RedisNode(`redis://127.0.0.1:${network.port}`, 'leased');
    await Promise.all([near.start(), far.start()]);
  });
  afterAll(() => Promise.all([near.stop(), far.stop()]));

  test('a node that hears nothing, and does not know it, refuses a session once its end returned', async () => {
    const target = (await signIn())!;
    for (let times = 0; times < 2; times += 1) expect(await far.ask(target.token)).toBe('live');
    expect(network.freeze('subscribe')).toBe(1);
    expect(await near.revoke(target)).toBe(true);
    expect(await far.ask(target.token)).toBe('refused');
    await far.untilReady();
  });

  test('a Redis that is emptied while a node hears nothing lets no ended session in', async () => {
    const target = (await signIn())!;
    for (let times = 0; times < 2; times += 1) expect(await far.ask(target.token)).toBe('live');
    // Its leases and its news are lost at one time, as when Redis starts anew behind a broken network.
    network.freezeAll();
    await redis.flush();
    expect(await near.revoke(target)).toBe(true);
    expect(await far.ask(target.token)).not.toBe('live');
    network.heal();
  });
});
