import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOG_ERROR, startApplication, type TestApplication } from '../fixtures/application.ts';
import { BrowserLike } from '../fixtures/browser-like.ts';
import { openBrowser, PASSWORD, signIn, signUp } from '../fixtures/users.ts';
import { startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { startRedis, type Redis } from '../fixtures/redis.ts';

// Nodes of one application share their keys, otherwise a user could not move between nodes.
const KEYS = {
  ENCRYPTION_KEYS: `test:${randomBytes(32).toString('base64')}`,
  PASSWORD_PEPPER: randomBytes(32).toString('base64'),
};
const LIMITS = { PASSWORD_TRIES_PER_ACCOUNT: '10', TRUSTED_PROXIES: '1' };

const guess = (application: TestApplication, email: string, password = 'not it') =>
  new BrowserLike(application.origin).post(
    '/login',
    { email, password },
    { headers: { 'X-Forwarded-For': '198.51.100.7' } },
  );

describe.each(['PostgreSQL', 'Redis'] as const)('two nodes that count in %s', (store) => {
  let postgres: Postgres;
  let redis: Redis | null = null;
  let both: [TestApplication, TestApplication];

  beforeAll(async () => {
    postgres = await startPostgres();
    if (store === 'Redis') redis = await startRedis();
    const env = {
      ...KEYS,
      ...LIMITS,
      DATABASE_URL: await postgres.createDatabase(),
      ...(redis ? { REDIS_URL: redis.url } : {}),
    };
    both = [await startApplication({ env }), await startApplication({ env })];
  });
  afterAll(async () => {
    for (const application of both) await application.close();
    await redis?.close();
    await postgres.close();
  });

  test('of fifty concurrent wrong passwords sent to two nodes ten are checked', async () => {
    const { email } = await signUp(both[0]);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, turn) => guess(both[turn % 2 === 0 ? 0 : 1], email)),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 400)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(40);
    expect((await guess(both[0], email, PASSWORD)).status).toBe(429);
    expect((await guess(both[1], email, PASSWORD)).status).toBe(429);
  });

  test('a correct password refunds its attempt on both nodes', async () => {
    const user = await signUp(both[0]);
    for (let turn = 0; turn < 12; turn += 1) {
      expect((await guess(both[turn % 2 === 0 ? 0 : 1], user.email, PASSWORD)).status).toBe(302);
    }
  });

  test('deleting an account deletes its rate limit counters', async () => {
    const before = await keysOfAccounts();
    const user = await signUp(both[0]);
    for (let times = 0; times < 3; times += 1) await guess(both[1], user.email);
    const { browser } = user;
    expect((await keysOfAccounts()).length).toBeGreaterThan(before.length);
    const fields = { email: user.email };
    expect((await browser.post('/settings/data/delete', fields)).status).toBe(302);
    expect(await keysOfAccounts()).toEqual(before);
  });

  const keysOfAccounts = async () => {
    const keys = redis
      ? await redis.keys()
      : both[0].sql<{ key: string }>('SELECT key FROM "RateLimit"').map(({ key }) => key);
    return keys.filter((key) => key.includes('account:')).sort();
  };
});

describe('counters in a Redis that is stopped', () => {
  let redis: Redis;
  let application: TestApplication;
  const errors = () => application.logged.filter(({ level }) => level >= LOG_ERROR);

  beforeAll(async () => {
    redis = await startRedis();
    application = await startApplication({ env: { ...LIMITS, REDIS_URL: redis.url } });
  });
  afterAll(async () => {
    await application.close();
    await redis.close();
  });

  test('while Redis is stopped no user can sign in and none is signed out, and it recovers', async () => {
    const user = await signUp(application);
    await guess(application, user.email);
    const deleted = await signUp(application);
    const logStart = errors().length;
    await redis.stop();
    for (const path of ['/login', '/login.data', '/signup', '/signup.data']) {
      const visitor = openBrowser(application);
      const answer = await visitor.post(path, {
        ...user,
        browser: '',
        email: `x${user.email}`,
      });
      expect(answer.status, path).toBe(503);
      expect(answer.headers['retry-after'], path).toBe('10');
      expect(await visitor.sessionToken(), path).toBeNull();
    }
    const visitor = openBrowser(application);
    const fields = { email: user.email, password: PASSWORD };
    expect((await visitor.post('/login', fields)).status).toBe(503);
    expect(await visitor.sessionToken()).toBeNull();
    // An erasure does not wait for Redis: its keys are deleted when Redis is available again.
    const deletion = await deleted.browser.post('/settings/data/delete', { email: deleted.email });
    expect(deletion.location).toMatch(/^\/erased\//);
    // Requests of a signed-in user need no counter.
    for (const path of ['/', '/settings/sessions', '/settings/profile', '/settings/password']) {
      expect((await user.browser.get(path)).status, path).toBe(200);
    }
    const outages = errors().slice(logStart);
    expect(outages.filter(({ msg }) => msg.startsWith('Redis is not available'))).toHaveLength(1);
    expect(outages.filter(({ msg }) => msg.startsWith('a dependency is down'))).toHaveLength(5);
    expect(outages.filter(({ msg }) => msg.startsWith('an erasure is not finished'))).toHaveLength(
      1,
    );

    await redis.start();
    await expect
      .poll(async () => (await openBrowser(application).post('/login', fields)).status, {
        timeout: 20_000,
      })
      .toBe(302);
    expect((await user.browser.get('/settings/profile')).status).toBe(200);
    expect(application.logged.map(({ msg }) => msg)).toContain('Redis is available again');
    expect(await application.application.erasures.finishPending()).toBe(1);
    expect(application.sql('SELECT id FROM "ErasureReceipt" WHERE pending IS NOT NULL')).toEqual(
      [],
    );
    const another = { ...fields, email: `another-${user.email}`, name: 'Another' };
    expect((await openBrowser(application).post('/signup', another)).status).toBe(302);
  });

  test('a node started without its Redis serves pages and can be stopped', async () => {
    const gone = await startRedis();
    await gone.close();
    const node = await startApplication({ env: { REDIS_URL: gone.url } });
    const visitor = openBrowser(node);
    expect((await visitor.get('/')).status).toBe(200);
    expect((await visitor.get('/login')).status).toBe(200);
    const answer = await visitor.post('/login', { email: 'a@example.com', password: PASSWORD });
    expect(answer.status).toBe(503);
    await node.close();
  });
});

describe('counters in a PostgreSQL without the table RateLimit', () => {
  let postgres: Postgres;
  let application: TestApplication;
  beforeAll(async () => {
    postgres = await startPostgres();
    application = await startApplication({
      env: { ...LIMITS, DATABASE_URL: await postgres.createDatabase() },
    });
  });
  afterAll(async () => {
    await application.close();
    await postgres.close();
  });

  test('without the table RateLimit no user can sign in and none is signed out', async () => {
    const user = await signUp(application);
    application.sql('ALTER TABLE "RateLimit" RENAME TO "RateLimitAway"');
    const fields = { email: user.email, password: PASSWORD };
    const answer = await openBrowser(application).post('/login', fields);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('10');
    expect((await user.browser.get('/settings/profile')).status).toBe(200);
    application.sql('ALTER TABLE "RateLimitAway" RENAME TO "RateLimit"');
    await signIn(application, user);
  });
});
