import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { listen } from '../fixtures/event-stream.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { openBrowser, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { PATIENCE } from '../fixtures/patience.ts';

const REVOCATIONS = 1000;
const PAGE = '/settings/profile';

let postgres: Postgres;
let url: string;
let one: TestApplication;
let other: TestApplication;

beforeAll(async () => {
  postgres = await startPostgres();
  url = await postgres.createDatabase();
  one = await startApplication({ env: { DATABASE_URL: url } });
  other = await startApplication({ env: { DATABASE_URL: url }, clock: one.clock });
  for (const { application } of [one, other]) {
    await vi.waitUntil(() => application.feed.isLinked(), PATIENCE);
  }
});
afterAll(async () => {
  await one.close();
  await other.close();
  await postgres.close();
});

/** The same browser, at another node. */
const at = async (node: TestApplication, { browser }: Pick<TestUser, 'browser'>) => {
  const there = openBrowser(node);
  const token = await browser.sessionToken();
  await there.jar.setCookie(`session=${token}`, node.origin);
  return there;
};
const rowReads = (node: TestApplication, work: () => Promise<unknown>) => {
  const cut = node.statements.length;
  return work().then(
    () => node.statements.slice(cut).filter((sql) => /FROM "Session" s JOIN/.test(sql)).length,
  );
};

describe('two nodes over one PostgreSQL', () => {
  test('each request reads its row once, and a session that ends on one node is refused by the other', async () => {
    const user = await signUp(one);
    const phone = await signIn(one, user);
    const phoneThere = await at(other, { browser: phone });
    for (let count = 0; count < 3; count += 1) {
      expect(await rowReads(other, () => phoneThere.get(PAGE))).toBe(1);
    }
    const phoneId = await sessionIdOf(phone);
    const ended = await user.browser.post(`/settings/sessions/${phoneId}/sign-out`, {});
    expect(ended.status).toBe(302);
    expect((await phoneThere.get(PAGE)).location).toMatch(/^\/login/);
  });

  test('of a thousand sessions that are ended at random, none is answered for again anywhere', async () => {
    const user = await signUp(one);
    const [{ id: userId }] = one.sql<{ id: string }>(
      'SELECT id FROM "User" WHERE email = ?',
      user.email,
    ) as [{ id: string }];
    const nodes = [one, other];
    const seed = Date.now() % 1_000_000;
    process.stdout.write(`seed ${seed}\n`);
    let state = seed;
    const random = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return state % below;
    };
    let answered = 0;
    const endOne = async () => {
      const now = one.clock.now();
      const [a, b] = random(2) === 0 ? nodes : [...nodes].reverse();
      const started = await a!.application.sessions.start({ userId }, now);
      const resumeAt = (node: TestApplication) =>
        node.application.sessions.resume(started.token, now);
      // Known to both, and still asked for while it ends.
      expect((await resumeAt(a!)).state).toBe('live');
      expect((await resumeAt(b!)).state).toBe('live');
      const during = resumeAt(b!);
      await a!.application.sessions.revoke(started.session.id, { reason: 'signed-out' }, now);
      if ((await resumeAt(b!)).state === 'live') answered += 1;
      if ((await resumeAt(a!)).state === 'live') answered += 1;
      await during;
    };
    for (let count = 0; count < REVOCATIONS; count += 10) {
      await Promise.all(Array.from({ length: 10 }, endOne));
    }
    expect(answered).toBe(0);
  });

  test('an open page on the other node is told why it ended, and one of the same person that it changed', async () => {
    const user = await signUp(one);
    const phone = await signIn(one, user);
    const [phoneThere, ownThere] = [await at(other, { browser: phone }), await at(other, user)];
    const ended = await listen(other, phoneThere);
    const changed = await listen(other, ownThere);
    await user.browser.post('/settings/sessions/others/sign-out', {});
    await ended.until('event: ended\ndata: {"reason":"signed-out-elsewhere"}');
    await ended.ended;
    await changed.until('event: sessions');
    expect(changed.received()).not.toContain('event: ended');
    changed.hangUp();
  });

  test('what a hand or a cascade deletes counts on both', async () => {
    const user = await signUp(one);
    const there = await at(other, user);
    expect((await there.get(PAGE)).status).toBe(200);
    one.sql('DELETE FROM "User" WHERE email = ?', user.email);
    expect((await there.get(PAGE)).status).toBe(302);
    expect((await user.browser.get(PAGE)).status).toBe(302);
  });

  test('a new name is on the next page of either', async () => {
    const user = await signUp(one);
    const there = await at(other, user);
    await there.get(PAGE);
    await user.browser.post(PAGE, { name: 'Augusta King' });
    expect((await user.browser.get('/')).text).toContain('Augusta King');
    expect((await there.get('/')).text).toContain('Augusta King');
  });

  test('a renewed token kills the old one on the other node', async () => {
    const user = await signUp(one);
    const there = await at(other, user);
    expect((await there.get(PAGE)).status).toBe(200);
    await user.browser.post('/settings/password', { newPassword: 'a new good password' });
    expect((await there.get(PAGE)).status).toBe(302);
    expect((await user.browser.get(PAGE)).status).toBe(200);
  });

  test('a node that is cut off from the news says so, is ready all the same, and is back by itself', async () => {
    const user = await signUp(one);
    const there = await at(other, user);
    const { feed } = other.application;
    const heard: boolean[] = [];
    const stop = feed.onLink((isUp) => heard.push(isUp));
    one.sql(
      `SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity
       WHERE pid <> pg_backend_pid() AND datname = current_database() AND query LIKE 'LISTEN %'`,
    );
    await expect.poll(() => heard).toEqual([false, true]);
    stop();
    expect(feed.isLinked()).toBe(true);
    const page = await listen(other, there);
    await user.browser.post('/logout', {});
    await page.until('event: ended');
    await page.ended;
    const said = other.logged.map(({ msg }) => msg);
    expect(said.some((msg) => msg.startsWith('the news of sessions are cut off'))).toBe(true);
    expect(said).toContain('the news of sessions arrive again');
  });

  test('a sign-out asks no other node and waits for none', async () => {
    const user = await signUp(one);
    // Of a node with a memory that was killed.
    one.sql(`INSERT INTO "CacheLease" ("id") VALUES ('of-a-killed-node')`);
    const cut = one.statements.length;
    expect((await user.browser.post('/logout', {})).status).toBe(302);
    expect(one.statements.slice(cut).filter((sql) => sql.includes('CacheLease'))).toEqual([]);
    expect(one.sql(`SELECT "id" FROM "CacheLease"`)).toEqual([{ id: 'of-a-killed-node' }]);
    one.sql(`DELETE FROM "CacheLease"`);
  });
});

describe('two nodes with SESSION_CACHE=leased', () => {
  test('answer a known session from memory, and both refuse it once it has ended', async () => {
    const env = { DATABASE_URL: await postgres.createDatabase(), SESSION_CACHE: 'leased' };
    const near = await startApplication({ env });
    const far = await startApplication({ env, clock: near.clock });
    try {
      for (const { application } of [near, far]) {
        await vi.waitUntil(() => application.feed.isLinked(), PATIENCE);
      }
      const user = await signUp(near);
      const there = await at(far, user);
      expect((await there.get(PAGE)).status).toBe(200);
      expect(await rowReads(far, () => there.get(PAGE))).toBe(0);
      expect((await user.browser.post('/logout', {})).status).toBe(302);
      expect((await there.get(PAGE)).location).toMatch(/^\/login/);
    } finally {
      await far.close();
      await near.close();
    }
  });
});
