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

/** A node: its news, what its log said, and when its link was up or down. */
async function openNode() {
  const warnings: string[] = [];
  const feed = redisNews({
    send: (command) => client.sendCommand(command),
    listen: () =>
      listenWithRedis(createClient({ url: redis.url, socket: { reconnectStrategy: false } })),
    log: { info: () => undefined, warn: (message: string) => void warnings.push(message) },
  });
  feeds.push(feed);
  const heard: SessionEvent[] = [];
  const links: boolean[] = [];
  feed.subscribe((news) => heard.push(news));
  feed.onLink((isUp) => links.push(isUp));
  await expect.poll(() => feed.isLinked()).toBe(true);
  return { feed, heard, links, warnings };
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

test('a node hears that another node ended a session', async () => {
  const { heard } = await openNode();
  const elsewhere = sessionsOver();
  const { session } = await elsewhere.start(aUser('ann'), NOW);
  await elsewhere.revoke(session.id, { reason: 'signed-out' }, NOW);
  await expect.poll(() => heard).toContainEqual({ kind: 'ended', id: session.id, userId: 'ann' });
});

test('a sign-out returns while Redis delivers no news, and the session is refused at once', async () => {
  const { feed } = await openNode();
  await feed.close();
  const here = sessionsOver(feed);
  const { session, token } = await here.start(aUser('bob'), NOW);
  await here.revoke(session.id, { reason: 'signed-out' }, NOW);
  expect((await sessionsOver().resume(token, NOW)).state).not.toBe('live');
});

test('a node whose link broke says so once, and hears news again when Redis is back', async () => {
  const { feed, heard, links, warnings } = await openNode();
  await redis.stop();
  await expect.poll(() => feed.isLinked()).toBe(false);
  await redis.start();
  await expect.poll(() => feed.isLinked()).toBe(true);
  expect(links).toEqual([true, false, true]);
  expect(warnings).toHaveLength(1);
  const { session } = await sessionsOver().start(aUser('cem'), NOW);
  await expect.poll(() => heard.map(({ id }) => id)).toContain(session.id);
});
