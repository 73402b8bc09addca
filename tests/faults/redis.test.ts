import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createClient } from 'redis';
import { Sessions } from '../../app/sessions/sessions.ts';
import { redisSessionStore } from '../../app/sessions/stores/redis.ts';
import { startRedis, type Redis } from '../fixtures/redis.ts';
import { startFreezingProxy, type FreezingProxy } from './freezing-proxy.ts';
import { RedisNode } from './redis-node.ts';
import { wait, createWork } from './work-under-fault.ts';

let redis: Redis;
let one: RedisNode;
/** Connects to Redis through `network`, which can fail. */
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

test('without a fault no node accepts a revoked session and no request fails', async () => {
  const result = await during(() => wait(500));
  expect(result.unavailable).toBe(0);
});

test('a node that is killed and started again accepts no revoked session', async () => {
  await during(async () => {
    await wait(200);
    await other.kill();
    await wait(200);
    await other.start();
    await wait(200);
  });
});

test('an outage of Redis signs no user out, and all nodes recover after it', async () => {
  const result = await during(async () => {
    await wait(200);
    await redis.stop();
    await wait(500);
    await redis.start();
    await Promise.all([one.untilReady(), other.untilReady()]);
    await wait(200);
  });
  expect(result.unavailable).toBeGreaterThan(0);
});

test('a FLUSHALL in Redis brings no revoked session back', async () => {
  await during(async ({ doubtLive }) => {
    for (let times = 0; times < 3; times += 1) {
      await wait(200);
      doubtLive();
      await redis.flush();
      doubtLive();
      await wait(200);
    }
  });
});

test('a node that was paused during a revocation refuses the session in its first response', async () => {
  await during(async () => {
    const target = (await signIn())!;
    expect(await other.checkToken(target.token)).toBe('live');
    other.pause();
    expect(await one.revoke(target)).toBe(true);
    const answers = Promise.all(Array.from({ length: 5 }, () => other.checkToken(target.token)));
    await wait(200);
    other.resume();
    // Some requests may fail: the resumed node may close idle connections at the same time.
    expect(await answers).not.toContain('live');
    expect(await answers).toContain('refused');
  });
});

describe('with a leased cache', () => {
  let near: RedisNode;
  let far: RedisNode;
  beforeAll(async () => {
    near = new RedisNode(redis.url, 'leased');
    far = new RedisNode(`redis://127.0.0.1:${network.port}`, 'leased');
    await Promise.all([near.start(), far.start()]);
  });
  afterAll(() => Promise.all([near.stop(), far.stop()]));

  test('a node that unknowingly gets no feed events refuses a session once its revocation returned', async () => {
    const target = (await signIn())!;
    for (let times = 0; times < 2; times += 1)
      expect(await far.checkToken(target.token)).toBe('live');
    expect(network.freeze('subscribe')).toBe(1);
    expect(await near.revoke(target)).toBe(true);
    expect(await far.checkToken(target.token)).toBe('refused');
    await far.untilReady();
  });

  test('a node accepts no revoked session if Redis is emptied while the node is cut off', async () => {
    const target = (await signIn())!;
    for (let times = 0; times < 2; times += 1)
      expect(await far.checkToken(target.token)).toBe('live');
    // The node's lease and its feed are lost at the same time, as if Redis restarted behind a broken network.
    network.freezeAll();
    await redis.flush();
    expect(await near.revoke(target)).toBe(true);
    expect(await far.checkToken(target.token)).not.toBe('live');
    network.heal();
  });
});
