import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { sessionIdOf, userIdOf } from '../fixtures/ids.ts';
import { openBrowser, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { dataPathOf } from './every-route.ts';

const MINUTE_MS = 60_000;
const PAGE = '/settings/sessions';

let application: TestApplication;
let user: TestUser;
let phoneId: string;
beforeAll(async () => {
  application = await startApplication({ env: { SESSIONS_PER_USER: '2000' } });
  user = await signUp(application);
  const phone = await signIn(application, user);
  phoneId = await sessionIdOf(phone);
});
afterAll(() => application.close());

/** Returns the statements that `act` runs, without those of rate limits, mail and the feed check. */
const statementsOf = async (act: () => Promise<unknown>): Promise<string[]> => {
  const before = application.statements.length;
  await act();
  return (
    application.statements
      .slice(before)
      .filter((sql) => !sql.includes('"RateLimit"'))
      .filter((sql) => !/\bOutgoingMail\b/.test(sql))
      // Every node checks its own LISTEN connection periodically.
      .filter((sql) => !/pg_notify/.test(sql))
  );
};
const sessionLookUps = (statements: string[]) =>
  statements.filter((sql) => /^SELECT .*"secretHash".*WHERE s\."id"/s.test(sql));
const touches = (statements: string[]) =>
  statements.filter((sql) => /^UPDATE "Session" SET "expiresAt"/.test(sql));

const pages = () => [
  '/',
  '/settings/profile',
  '/settings/password',
  '/settings/data',
  '/settings/data/delete',
  '/settings/security',
  '/settings/activity',
  '/settings/passkeys',
  '/settings/two-factor',
  '/settings/connections',
  '/settings/email',
  '/settings/passkeys/new',
  PAGE,
  `${PAGE}/${phoneId}/name`,
  `${PAGE}/${phoneId}/sign-out`,
  `${PAGE}/others/sign-out`,
  '/nothing/here',
];

/**
 * One statement for the session and two for the page. The security page reads four tables. The pages
 * of one session show the list as well, and look up that session in addition.
 */
const maxStatementsOf = (path: string) =>
  path.startsWith('/settings/security') || path.includes(phoneId) ? 4 : 3;
const lookUpCountOf = (path: string) => (path.includes(phoneId) ? 2 : 1);

test('the statements of a request are captured', async () => {
  expect(await statementsOf(() => user.browser.get('/'))).toHaveLength(1);
});

test('a page of a signed-in user runs at most three statements, a few pages four', async () => {
  for (const page of pages()) {
    for (const path of [page, dataPathOf(page)]) {
      const statements = await statementsOf(() => user.browser.get(path));
      expect(statements.length, `${path}\n${statements.join('\n')}`).toBeLessThanOrEqual(
        maxStatementsOf(path),
      );
      expect(sessionLookUps(statements), path).toHaveLength(lookUpCountOf(path));
      expect(touches(statements), path).toEqual([]);
    }
  }
});

test('updating lastSeenAt adds one statement, once a minute', async () => {
  for (const path of pages()) {
    const statements = await statementsOf(() => user.browser.get(path));
    application.clock.advance(MINUTE_MS);
    const due = await statementsOf(() => user.browser.get(path));
    expect(touches(due), path).toHaveLength(1);
    expect(due.length, path).toBe(statements.length + 1);
    expect(due.length, `${path}\n${due.join('\n')}`).toBeLessThanOrEqual(maxStatementsOf(path) + 1);
  }
});

test('pages for visitors without a session run no statement', async () => {
  const visitor = openBrowser(application);
  for (const path of ['/', '/login', '/signup', '/settings/sessions', '/nothing/here']) {
    expect(await statementsOf(() => visitor.get(path)), path).toEqual([]);
  }
});

test('files and cross-site forms run no statement', async () => {
  expect(await statementsOf(() => user.browser.get('/favicon.svg'))).toEqual([]);
  const elsewhere = { headers: { Origin: 'https://evil.example' } };
  expect(await statementsOf(() => user.browser.post('/logout', {}, elsewhere))).toEqual([]);
});

test.each([0, 1, 100, 1500])(
  'signing out all other devices is one UPDATE with %i devices',
  async (count) => {
    const owner = await signUp(application);
    const userId = userIdOf(application, owner);
    application.sql(
      `WITH RECURSIVE counter(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counter WHERE n < ?)
       INSERT INTO Session (id, secretHash, userId, userAgent, ipAddress, remember, createdAt,
         lastSeenAt, expiresAt, reauthenticatedAt)
       SELECT 'made-' || ? || n, 'x', ?, '', '', TRUE, ?, ?, ?, ? FROM counter WHERE n > 0`,
      ...[count, userId, userId],
      ...Array<number>(2).fill(application.clock.now().getTime()),
      ...Array<number>(2).fill(application.clock.now().getTime() + MINUTE_MS),
    );
    let location: string | null = null;
    const statements = await statementsOf(async () => {
      ({ location } = await owner.browser.post(`${PAGE}/others/sign-out`, {}));
    });
    expect(location).toBe(PAGE);
    expect(sessionLookUps(statements)).toHaveLength(1);
    const writes = statements.filter((sql) => /\b(UPDATE|INSERT|DELETE)\b/.test(sql));
    // One ends the sessions. If any ended, a second one records it in the activity.
    expect(writes).toHaveLength(count === 0 ? 1 : 2);
    expect(statements).toHaveLength(count === 0 ? 2 : 3);
    const live = application.sql(
      'SELECT id FROM Session WHERE userId = ? AND revokedAt IS NULL',
      userId,
    );
    expect(live).toHaveLength(1);
  },
);

test('the sessions page runs the same statements for a thousand sessions as for one', async () => {
  const alone = await signUp(application);
  const one = await statementsOf(() => alone.browser.get(PAGE));
  const userId = userIdOf(application, alone);
  for (let count = 0; count < 1000; count += 1) {
    await application.application.sessions.start({ userId }, application.clock.now());
  }
  const many = await statementsOf(() => alone.browser.get(PAGE));
  const ofList = (statements: string[]) =>
    // Two statements run concurrently, in any order.
    statements.filter((sql) => !sessionLookUps(statements).includes(sql)).sort();
  expect(ofList(many)).toEqual(ofList(one));
});

describe('a sign-in', () => {
  const signInWith = (email: string, password: string) => () =>
    openBrowser(application).post('/login', { email, password });

  /** Returns the statements without those of the mail worker, which runs after the answer. */
  const statementsOfAnswer = async (act: () => Promise<unknown>) => {
    await application.mailWorker?.idle();
    const statements = await statementsOf(act);
    return statements.filter((sql) => sql.startsWith('INSERT') || !sql.includes('OutgoingMail'));
  };

  test('a failed sign-in runs the same statements for a wrong password and an unknown e-mail', async () => {
    const wrong = await statementsOfAnswer(signInWith(user.email, 'not this one'));
    const unknown = await statementsOfAnswer(signInWith('nobody@example.com', 'not this one'));
    expect(unknown).toEqual(wrong);
    expect(wrong.length).toBeLessThanOrEqual(8);
  });

  test('a failed sign-in in a signed-in browser runs the same statements for any e-mail', async () => {
    const browser = await signIn(application, await signUp(application));
    const wrong = await statementsOfAnswer(() =>
      browser.post('/login.data', { email: user.email, password: 'not this one' }),
    );
    const unknown = await statementsOfAnswer(() =>
      browser.post('/login.data', { email: 'nobody@example.com', password: 'not this one' }),
    );
    expect(unknown).toEqual(wrong);
  });
});
