import { createClient } from 'redis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { listenWithRedis, redisNews } from '#app/sessions/feeds/redis.ts';
import type { NewsFeed, SessionEvent } from '#app/sessions/session-feed.ts';
import { Sessions } from '#app/sessions/sessions.ts';
import { redisSessionStore } from '#app/sessions/stores/redis.ts';
import { startRedis, type Redis } from '../../fixtures/redis.ts';

const NOW = new Date('2026-11-21T12:00:00.000Z');
const RECONNECT_AFTER_MS = 25;

let redis: Redis;
let client: ReturnType<typeof createClient>;
let feeds: NewsFeed[] = [];

beforeAll(async () => {
  redis = await startRedis();
  client = createClient({
    url: redis.url,
    socket: { reconnectStrategy: () => RECONNECT_AFTER_MS },
  });
  client.on('error', () => undefined);
  await client.connect();
});
afterEach(async () => {
  await Promise.all(feeds.map((feed) => feed.close()));
  feeds = [];
});
afterAll(async () => {
  client.destroy();
  await redis.close();
});

/** Opens a node, and records its events, its warnings and the reports of its link. */
async function openNode() {
  const warnings: string[] = [];
  const feed = redisNews({
    send: (command) => client.sendCommand(command),
    listen: () =>
      listenWithRedis(createClient({ url: redis.url, socket: { reconnectStrategy: false } })),
    log: { info: () => undefined, warn: (message: string) => void warnings.push(message) },
  });
  feeds.push(feed);
  const events: SessionEvent[] = [];
  const links: boolean[] = [];
  feed.subscribe((event) => events.push(event));
  feed.onLink((isUp) => links.push(isUp));
  await expect.poll(() => feed.isLinked()).toBe(true);
  return { feed, events, links, warnings };
}

const sessionsOver = (feed?: NewsFeed) =>
  new Sessions({ store: redisSessionStore({ redis: client }), ...(feed && { feed }) });

const aUser = (userId: string) => ({
  userId,
  userAgent: 'Agent',
  ipAddress: '192.0.2.1',
  remember: false,
  meta: null,
});

test('a node receives the event that another node ended a session', async () => {
  const { events } = await openNode();
  const elsewhere = sessionsOver();
  const { session } = await elsewhere.start(aUser('ann'), NOW);
  await elsewhere.revoke(session.id, { reason: 'signed-out' }, NOW);
  await expect.poll(() => events).toContainEqual({ kind: 'ended', id: session.id, userId: 'ann' });
});

test('a sign-out succeeds while Redis delivers no events, and applies at once', async () => {
  const { feed } = await openNode();
  await feed.close();
  const here = sessionsOver(feed);
  const { session, token } = await here.start(aUser('bob'), NOW);
  await here.revoke(session.id, { reason: 'signed-out' }, NOW);
  expect((await sessionsOver().resume(token, NOW)).state).not.toBe('live');
});

test('a node logs a broken link once, and receives events again after Redis is back', async () => {
  const { feed, events, links, warnings } = await openNode();
  await redis.stop();
  await expect.poll(() => feed.isLinked()).toBe(false);
  await redis.start();
  await expect.poll(() => feed.isLinked()).toBe(true);
  expect(links).toEqual([true, false, true]);
  expect(warnings).toHaveLength(1);
  const { session } = await sessionsOver().start(aUser('cem'), NOW);
  await expect.poll(() => events.map(({ id }) => id)).toContain(session.id);
});
