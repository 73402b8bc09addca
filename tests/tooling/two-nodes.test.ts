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

/** Returns a browser for another node with the same session cookie. */
const at = async (node: TestApplication, { browser }: Pick<TestUser, 'browser'>) => {
  const copy = openBrowser(node);
  const token = await browser.sessionToken();
  await copy.jar.setCookie(`session=${token}`, node.origin);
  return copy;
};
const countRowReads = (node: TestApplication, work: () => Promise<unknown>) => {
  const earlier = node.statements.length;
  return work().then(
    () => node.statements.slice(earlier).filter((sql) => /FROM "Session" s JOIN/.test(sql)).length,
  );
};

describe('two nodes with one PostgreSQL', () => {
  test('each request reads its session row once, and a node refuses a session that ended on another', async () => {
    const user = await signUp(one);
    const phone = await signIn(one, user);
    const phoneThere = await at(other, { browser: phone });
    for (let count = 0; count < 3; count += 1) {
      expect(await countRowReads(other, () => phoneThere.get(PAGE))).toBe(1);
    }
    const phoneId = await sessionIdOf(phone);
    const ended = await user.browser.post(`/settings/sessions/${phoneId}/sign-out`, {});
    expect(ended.status).toBe(302);
    expect((await phoneThere.get(PAGE)).location).toMatch(/^\/login/);
  });

  test('no node accepts any of a thousand sessions after it was revoked on a random node', async () => {
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
    let accepted = 0;
    const endOne = async () => {
      const now = one.clock.now();
      const [a, b] = random(2) === 0 ? nodes : [...nodes].reverse();
      const started = await a!.application.sessions.start({ userId }, now);
      const resumeAt = (node: TestApplication) =>
        node.application.sessions.resume(started.token, now);
      // Both nodes know the session, and one resumes it during the revocation.
      expect((await resumeAt(a!)).state).toBe('live');
      expect((await resumeAt(b!)).state).toBe('live');
      const during = resumeAt(b!);
      await a!.application.sessions.revoke(started.session.id, { reason: 'signed-out' }, now);
      if ((await resumeAt(b!)).state === 'live') accepted += 1;
      if ((await resumeAt(a!)).state === 'live') accepted += 1;
      await during;
    };
    for (let count = 0; count < REVOCATIONS; count += 10) {
      await Promise.all(Array.from({ length: 10 }, endOne));
    }
    expect(accepted).toBe(0);
  });

  test("a revoked session's page on another node gets the reason, and the user's other pages an update", async () => {
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

  test('both nodes refuse a session that a cascading DELETE by hand removed', async () => {
    const user = await signUp(one);
    const there = await at(other, user);
    expect((await there.get(PAGE)).status).toBe(200);
    one.sql('DELETE FROM "User" WHERE email = ?', user.email);
    expect((await there.get(PAGE)).status).toBe(302);
    expect((await user.browser.get(PAGE)).status).toBe(302);
  });

  test('a changed name is on the next page of both nodes', async () => {
    const user = await signUp(one);
    const there = await at(other, user);
    await there.get(PAGE);
    await user.browser.post(PAGE, { name: 'Augusta King' });
    expect((await user.browser.get('/')).text).toContain('Augusta King');
    expect((await there.get('/')).text).toContain('Augusta King');
  });

  test('the other node refuses the old token after it was renewed', async () => {
    const user = await signUp(one);
    const there = await at(other, user);
    expect((await there.get(PAGE)).status).toBe(200);
    await user.browser.post('/settings/password', { newPassword: 'a new good password' });
    expect((await there.get(PAGE)).status).toBe(302);
    expect((await user.browser.get(PAGE)).status).toBe(200);
  });

  test('a node that loses its feed connection logs it and reconnects by itself', async () => {
    const user = await signUp(one);
    const there = await at(other, user);
    const { feed } = other.application;
    const states: boolean[] = [];
    const stop = feed.onLink((isUp) => states.push(isUp));
    one.sql(
      `SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity
       WHERE pid <> pg_backend_pid() AND datname = current_database() AND query LIKE 'LISTEN %'`,
    );
    await expect.poll(() => states).toEqual([false, true]);
    stop();
    expect(feed.isLinked()).toBe(true);
    const page = await listen(other, there);
    await user.browser.post('/logout', {});
    await page.until('event: ended');
    await page.ended;
    const messages = other.logged.map(({ msg }) => msg);
    expect(messages.some((msg) => msg.startsWith('the news of sessions are cut off'))).toBe(true);
    expect(messages).toContain('the news of sessions arrive again');
  });

  test('a sign-out waits for no other node', async () => {
    const user = await signUp(one);
    // The lease of a killed node with a session cache.
    one.sql(`INSERT INTO "CacheLease" ("id") VALUES ('of-a-killed-node')`);
    const earlier = one.statements.length;
    expect((await user.browser.post('/logout', {})).status).toBe(302);
    expect(one.statements.slice(earlier).filter((sql) => sql.includes('CacheLease'))).toEqual([]);
    expect(one.sql(`SELECT "id" FROM "CacheLease"`)).toEqual([{ id: 'of-a-killed-node' }]);
    one.sql(`DELETE FROM "CacheLease"`);
  });
});

describe('two nodes with SESSION_CACHE=leased', () => {
  test('nodes with a leased cache read no row for a cached session, and both refuse it once it has ended', async () => {
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
      expect(await countRowReads(far, () => there.get(PAGE))).toBe(0);
      expect((await user.browser.post('/logout', {})).status).toBe(302);
      expect((await there.get(PAGE)).location).toMatch(/^\/login/);
    } finally {
      await far.close();
      await near.close();
    }
  });
});
