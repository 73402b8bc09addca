import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
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
  phoneId = (await phone.sessionToken())!.split('.')[0]!;
});
afterAll(() => application.close());

/** What goes to the database while something is done; mail is sent besides, whenever that may be. */
const statementsOf = async (act: () => Promise<unknown>): Promise<string[]> => {
  const cut = application.statements.length;
  await act();
  return (
    application.statements
      .slice(cut)
      .filter((sql) => !sql.includes('"RateLimit"'))
      .filter((sql) => !/\bOutgoingMail\b/.test(sql))
      // A node looks now and then whether it hears itself.
      .filter((sql) => !/pg_notify/.test(sql))
  );
};
const onSession = (statements: string[]) =>
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
 * One for the session and two for what the page shows; the one of all ways in looks into four tables. A
 * question about a session stands on the list of all, and looks up its own one as well.
 */
const mostOf = (path: string) =>
  path.startsWith('/settings/security') || path.includes(phoneId) ? 4 : 3;
const lookUpsOf = (path: string) => (path.includes(phoneId) ? 2 : 1);

test('statements are seen here at all', async () => {
  expect(await statementsOf(() => user.browser.get('/'))).toHaveLength(1);
});

test('a page for somebody signed in takes three statements at the most, one of them for the session', async () => {
  for (const page of pages()) {
    for (const path of [page, dataPathOf(page)]) {
      const statements = await statementsOf(() => user.browser.get(path));
      expect(statements.length, `${path}\n${statements.join('\n')}`).toBeLessThanOrEqual(
        mostOf(path),
      );
      expect(onSession(statements), path).toHaveLength(lookUpsOf(path));
      expect(touches(statements), path).toEqual([]);
    }
  }
});

test('and no more than one besides, once a minute, when activity is written down', async () => {
  for (const path of pages()) {
    const statements = await statementsOf(() => user.browser.get(path));
    application.clock.advance(MINUTE_MS);
    const due = await statementsOf(() => user.browser.get(path));
    expect(touches(due), path).toHaveLength(1);
    expect(due.length, path).toBe(statements.length + 1);
    expect(due.length, `${path}\n${due.join('\n')}`).toBeLessThanOrEqual(mostOf(path) + 1);
  }
});

test('a visitor takes none', async () => {
  const visitor = openBrowser(application);
  for (const path of ['/', '/login', '/signup', '/settings/sessions', '/nothing/here']) {
    expect(await statementsOf(() => visitor.get(path)), path).toEqual([]);
  }
});

test('neither does a file, or a form from elsewhere', async () => {
  expect(await statementsOf(() => user.browser.get('/favicon.svg'))).toEqual([]);
  const elsewhere = { headers: { Origin: 'https://evil.example' } };
  expect(await statementsOf(() => user.browser.post('/logout', {}, elsewhere))).toEqual([]);
});

test.each([0, 1, 100, 1500])(
  'signing out everywhere else is one statement, at %i devices as well',
  async (count) => {
    const owner = await signUp(application);
    const [user] = application.sql<{ id: string }>(
      'SELECT id FROM User WHERE email = ?',
      owner.email,
    );
    application.sql(
      `WITH RECURSIVE counter(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counter WHERE n < ?)
       INSERT INTO Session (id, secretHash, userId, userAgent, ipAddress, remember, createdAt,
         lastSeenAt, expiresAt, reauthenticatedAt)
       SELECT 'made-' || ? || n, 'x', ?, '', '', TRUE, ?, ?, ?, ? FROM counter WHERE n > 0`,
      ...[count, user!.id, user!.id],
      ...Array<number>(2).fill(application.clock.now().getTime()),
      ...Array<number>(2).fill(application.clock.now().getTime() + MINUTE_MS),
    );
    let location: string | null = null;
    const statements = await statementsOf(async () => {
      ({ location } = await owner.browser.post(`${PAGE}/others/sign-out`, {}));
    });
    expect(location).toBe(PAGE);
    expect(onSession(statements)).toHaveLength(1);
    const writes = statements.filter((sql) => /\b(UPDATE|INSERT|DELETE)\b/.test(sql));
    // One that ends them, and one for the log where there were any.
    expect(writes).toHaveLength(count === 0 ? 1 : 2);
    expect(statements).toHaveLength(count === 0 ? 2 : 3);
    const live = application.sql(
      'SELECT id FROM Session WHERE userId = ? AND revokedAt IS NULL',
      user!.id,
    );
    expect(live).toHaveLength(1);
  },
);

test('the list takes as many statements at a thousand sessions as at one', async () => {
  const alone = await signUp(application);
  const one = await statementsOf(() => alone.browser.get(PAGE));
  const [user] = application.sql<{ id: string }>(
    'SELECT id FROM User WHERE email = ?',
    alone.email,
  );
  for (let count = 0; count < 1000; count += 1) {
    await application.application.sessions.start({ userId: user!.id }, application.clock.now());
  }
  const many = await statementsOf(() => alone.browser.get(PAGE));
  const ofList = (statements: string[]) =>
    // Two of them go at once, and either may be there first.
    statements.filter((sql) => !onSession(statements).includes(sql)).sort();
  expect(ofList(many)).toEqual(ofList(one));
});

describe('a sign-in', () => {
  const signInWith = (email: string, password: string) => () =>
    openBrowser(application).post('/login', { email, password });

  /** Without what the mail worker does, which comes after the answer. */
  const answerOf = async (act: () => Promise<unknown>) => {
    await application.mailWorker?.idle();
    const statements = await statementsOf(act);
    return statements.filter((sql) => sql.startsWith('INSERT') || !sql.includes('OutgoingMail'));
  };

  test('costs the same statements for a wrong password and for an e-mail that nobody has', async () => {
    const wrong = await answerOf(signInWith(user.email, 'not this one'));
    const unknown = await answerOf(signInWith('nobody@example.com', 'not this one'));
    expect(unknown).toEqual(wrong);
    expect(wrong.length).toBeLessThanOrEqual(8);
  });

  test('costs as much when somebody else is signed in in that browser', async () => {
    const browser = await signIn(application, await signUp(application));
    const wrong = await answerOf(() =>
      browser.post('/login.data', { email: user.email, password: 'not this one' }),
    );
    const unknown = await answerOf(() =>
      browser.post('/login.data', { email: 'nobody@example.com', password: 'not this one' }),
    );
    expect(unknown).toEqual(wrong);
  });
});
