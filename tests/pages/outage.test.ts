import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LOG_ERROR, startApplication, type TestApplication } from '../fixtures/application.ts';
import type { Answer, BrowserLike } from '../fixtures/browser-like.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { isSignedIn } from '../fixtures/signed-in.ts';
import {
  mailboxOf,
  openBrowser,
  PASSWORD,
  signIn,
  signUp,
  submitSignUp,
  type TestUser,
} from '../fixtures/users.ts';
import { startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { dataPathOf, everyRoute, goodFields, pathOf } from './every-route.ts';
import { fieldOnPage, textOf } from './form-on-page.ts';

const MINUTE_MS = 60_000;
const PAGES = [
  '/',
  '/settings/sessions',
  '/settings/profile',
  '/settings/password',
  '/settings/data',
  '/settings/data/delete',
  '/settings/sessions/others/sign-out',
  '/login',
  '/signup',
  '/settings/email',
  '/settings/security',
  '/settings/activity',
  '/settings/passkeys',
  '/settings/two-factor',
  '/settings/connections',
  '/confirm?redirectTo=%2Fsettings%2Fdata',
];
/** Actions that answer without reading the database. */
const NEEDS_NO_DATABASE = [
  'routes/theme',
  'routes/not-found',
  // Without a pending sign-in there is nothing to look up; see second-factor.test.ts.
  'routes/login/code',
  'routes/login/recovery-code',
  // Challenges are kept in cookies. Without a challenge cookie there is nothing to look up.
  'routes/login/passkey',
  'routes/login/passkey-options',
];
const actions = (await everyRoute()).filter(
  ({ id, hasAction }) => hasAction && !NEEDS_NO_DATABASE.includes(id),
);

let application: TestApplication;
let user: TestUser;
let phone: BrowserLike;
let phoneId: string;

const errorsSince = (logStart: number) =>
  application.logged.slice(logStart).filter(({ level }) => level >= LOG_ERROR);
const expectUnavailable = (answer: Answer, what: string) => {
  expect(answer.status, what).toBe(503);
  expect(answer.headers['retry-after'], what).toBe('10');
  expect(answer.headers['set-cookie'], what).toBeUndefined();
  expect(answer.headers['clear-site-data'], what).toBeUndefined();
  expect(answer.headers['cache-control'], what).toContain('no-store');
  expect(answer.location, what).toBeNull();
};

/** Requests a code of each kind in the user's browser, and enters one that permits a new password. */
async function requestEveryCode({ browser, email }: TestUser): Promise<void> {
  await browser.post('/forgot-password', { email });
  const { code } = await mailboxOf(application).nextMailTo(email, 'password-reset-code');
  await browser.post('/reset-password', { code: String(code) });
  await browser.post('/forgot-password', { email });
  await browser.post('/settings/email', { newEmail: `newer-${email}` });
  await browser.post('/signup', { email: `other-${email}`, name: 'Grace', password: PASSWORD });
}

/** Defines the tests that hold for every outage. `stop` begins the outage, `start` ends it. */
const testOutage = (stop: () => Promise<void> | void, start: () => Promise<void> | void) => {
  beforeEach(async () => {
    user = await signUp(application);
    phone = await signIn(application, user, { remember: true });
    phoneId = await sessionIdOf(phone);
    await user.browser.get('/');
  });
  afterEach(start);

  test('during an outage every page answers 503, logs an error and signs no user out', async () => {
    const tokens = [await user.browser.sessionToken(), await phone.sessionToken()];
    await stop();
    for (const path of PAGES) {
      const logStart = application.logged.length;
      const page = await user.browser.get(path);
      expectUnavailable(page, path);
      expect(textOf(page.text), path).toContain('We cannot reach our database right now');
      expect(textOf(page.text), path).not.toContain(user.name);
      expectUnavailable(await phone.get(dataPathOf(path)), dataPathOf(path));
      expect(errorsSince(logStart).length, path).toBeGreaterThanOrEqual(2);
    }
    await start();
    expect([await user.browser.sessionToken(), await phone.sessionToken()]).toEqual(tokens);
    expect(await isSignedIn(user.browser)).toBe(true);
    expect(await isSignedIn(phone)).toBe(true);
  });

  test('during an outage every form answers 503, changes nothing and signs no user out', async () => {
    await requestEveryCode(user);
    const token = await user.browser.sessionToken();
    await stop();
    for (const route of actions) {
      const path = pathOf(route, phoneId);
      const fields = goodFields(user)[route.id]!;
      expectUnavailable(await user.browser.post(path, fields), path);
      // The first sign-up may have written part of an account, so this one takes another address.
      const changed: Record<string, string> =
        route.id === 'routes/signup/page' ? { email: `another-${user.email}` } : {};
      const forScripts = await user.browser.post(dataPathOf(path), { ...fields, ...changed });
      expect(forScripts.status, dataPathOf(path)).toBe(503);
      expect(forScripts.headers['set-cookie'], dataPathOf(path)).toBeUndefined();
    }
    await start();
    expect(await user.browser.sessionToken()).toBe(token);
    const { text } = await user.browser.get('/settings/profile');
    expect(fieldOnPage(text, 'name').value).toBe(user.name);
    expect(await isSignedIn(phone)).toBe(true);
    await signIn(application, user);
  });

  test('a failed update of lastSeenAt signs no user out', async () => {
    application.clock.advance(MINUTE_MS);
    await stop();
    expectUnavailable(
      await user.browser.get('/settings/profile'),
      'a page whose request is due to update lastSeenAt',
    );
    await start();
    expect(await isSignedIn(user.browser)).toBe(true);
  });

  test('during an outage a visitor without a session still sees the public pages', async () => {
    await stop();
    const visitor = openBrowser(application);
    expect((await visitor.get('/')).status).toBe(200);
    expect((await visitor.get('/login')).status).toBe(200);
    expect((await visitor.get('/nothing/here')).status).toBe(404);
    expect((await visitor.get('/settings/profile')).location).toContain('/login');
    expect((await visitor.post('/theme', { theme: 'dark' })).status).toBe(302);
  });
};

describe('a database whose session table is missing', () => {
  beforeAll(async () => {
    application = await startApplication();
  });
  afterAll(() => application.close());

  let isRenamed = false;
  testOutage(
    () => {
      application.sql('ALTER TABLE "Session" RENAME TO "SessionAway"');
      isRenamed = true;
    },
    () => {
      if (isRenamed) application.sql('ALTER TABLE "SessionAway" RENAME TO "Session"');
      isRenamed = false;
    },
  );
});

describe('a database that fails in the middle of an operation', () => {
  beforeAll(async () => {
    application = await startApplication({
      env: { PASSWORD_TRIES_PER_ACCOUNT: '3', PASSWORD_TRIES_PER_NETWORK: '50' },
    });
  });
  afterAll(() => application.close());
  beforeEach(async () => {
    user = await signUp(application);
    await user.browser.get('/');
  });

  /** Runs `act` while the database refuses this kind of statement on this table. */
  const whileFailing = async (statement: string, table: string, act: () => Promise<void>) => {
    const isSqlite = application.databaseUrl.startsWith('file:');
    const trigger = `CREATE TRIGGER failing BEFORE ${statement} ON "${table}"`;
    if (isSqlite) {
      application.sql(`${trigger} BEGIN INSERT INTO gone VALUES (1); END`);
    } else {
      const body = `'BEGIN INSERT INTO gone VALUES (1); RETURN NEW; END'`;
      application.sql(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS ${body}`);
      application.sql(`${trigger} FOR EACH ROW EXECUTE FUNCTION fail()`);
    }
    try {
      await act();
    } finally {
      application.sql(isSqlite ? 'DROP TRIGGER failing' : 'DROP FUNCTION fail CASCADE');
    }
  };

  test.each([
    ['writing the new password', 'UPDATE', 'Password'],
    ['revoking the other sessions', 'UPDATE OF "revokedAt"', 'Session'],
    ['renewing the token of this session', 'UPDATE OF "secretHash"', 'Session'],
  ])(
    'a password change that fails while %s leaves the user signed in',
    async (_what, statement, table) => {
      await signIn(application, user);
      await whileFailing(statement, table, async () => {
        const answer = await user.browser.post('/settings/password', {
          newPassword: 'another password',
          signOutOthers: 'on',
        });
        expect(answer.status).toBe(503);
      });
      expect(await isSignedIn(user.browser)).toBe(true);
    },
  );

  test('a sign-in whose session cannot be written answers 503 and sets no cookie', async () => {
    const visitor = openBrowser(application);
    await whileFailing('INSERT', 'Session', async () => {
      const fields = { email: user.email, password: PASSWORD };
      expectUnavailable(await visitor.post('/login', fields), 'signing in');
    });
    expect(await visitor.sessionToken()).toBeNull();
  });

  test('a sign-up that fails halfway leaves no account and can be repeated', async () => {
    const fields = { email: 'half@example.com', name: 'Half', password: PASSWORD };
    const browser = openBrowser(application);
    await whileFailing('INSERT', 'Password', async () => {
      expectUnavailable(await submitSignUp(application, browser, fields), 'signing up');
    });
    expect(await browser.sessionToken()).toBeNull();
    expect(application.sql('SELECT id FROM "User" WHERE email = ?', fields.email)).toEqual([]);
    expect((await submitSignUp(application, browser, fields)).location).toBe('/');
    expect(await isSignedIn(browser)).toBe(true);
  });

  test.each([
    ['revoking the sessions', 'UPDATE OF "revokedAt"', 'Session'],
    ['writing the new password', 'UPDATE', 'Password'],
  ])('a password reset that fails while %s can be repeated', async (_what, statement, table) => {
    const browser = openBrowser(application);
    const { email } = user;
    const reset = async () => {
      await browser.post('/forgot-password', { email });
      const { code } = await mailboxOf(application).nextMailTo(email, 'password-reset-code');
      await browser.post('/reset-password', { code: String(code) });
      return browser.post('/reset-password/new', { newPassword: 'another password' });
    };
    await whileFailing(statement, table, async () => {
      expectUnavailable(await reset(), 'the reset');
    });
    expect(await browser.sessionToken()).toBeNull();
    await signIn(application, user);
    expect((await reset()).location).toBe('/settings/sessions');
    expect(await isSignedIn(user.browser)).toBe(false);
  });

  test('a password reset that fails to revoke the sessions can be submitted again unchanged', async () => {
    const browser = openBrowser(application);
    await browser.post('/forgot-password', { email: user.email });
    const { code } = await mailboxOf(application).nextMailTo(user.email, 'password-reset-code');
    await browser.post('/reset-password', { code: String(code) });
    const send = () => browser.post('/reset-password/new', { newPassword: 'another password' });
    await whileFailing('UPDATE OF "revokedAt"', 'Session', async () => {
      expectUnavailable(await send(), 'the reset');
    });
    expect((await send()).location).toBe('/settings/sessions');
    expect(await isSignedIn(user.browser)).toBe(false);
  });

  test('an account deletion that fails halfway deletes nothing', async () => {
    await whileFailing('DELETE', 'Session', async () => {
      const answer = await user.browser.post('/settings/data/delete', { email: user.email });
      expectUnavailable(answer, 'deleting');
    });
    expect(await isSignedIn(user.browser)).toBe(true);
    await signIn(application, user);
  });

  test('a sign-out that cannot be written answers 503 and the user stays signed in', async () => {
    await whileFailing('UPDATE OF "revokedAt"', 'Session', async () => {
      expectUnavailable(await user.browser.post('/logout', {}), 'signing out');
    });
    expect(await isSignedIn(user.browser)).toBe(true);
  });

  test('a data download that cannot be read answers 503 in place of an empty file', async () => {
    application.sql('ALTER TABLE "Password" RENAME TO "PasswordAway"');
    try {
      const answer = await user.browser.post('/settings/data/download', {});
      expectUnavailable(answer, 'the download');
      expect(answer.headers['content-disposition']).toBeUndefined();
    } finally {
      application.sql('ALTER TABLE "PasswordAway" RENAME TO "Password"');
    }
    expect(await isSignedIn(user.browser)).toBe(true);
  });

  test('passwords that could not be checked do not count as wrong attempts', async () => {
    const fields = { email: user.email, password: PASSWORD };
    application.sql('ALTER TABLE "Password" RENAME TO "PasswordAway"');
    try {
      for (let count = 0; count < 10; count += 1) {
        expectUnavailable(await openBrowser(application).post('/login', fields), 'signing in');
        const answer = await user.browser.post('/confirm', { password: PASSWORD });
        expectUnavailable(answer, 'confirming the password');
      }
    } finally {
      application.sql('ALTER TABLE "PasswordAway" RENAME TO "Password"');
    }
    expect((await openBrowser(application).post('/login', fields)).status).toBe(302);
    expect((await user.browser.post('/confirm', { password: PASSWORD })).location).toBe('/');
  });
});

describe('a PostgreSQL server that is stopped', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
    application = await startApplication({
      env: { DATABASE_URL: await postgres.createDatabase() },
    });
  });
  afterAll(async () => {
    await application.close();
    await postgres.close();
  });

  testOutage(
    () => postgres.stop(),
    () => postgres.start(),
  );

  test('a session id that PostgreSQL cannot store is answered 404', async () => {
    for (const id of ['%00', 'A%00', '%F0%9F%94%91', 'x'.repeat(5000)]) {
      const logStart = application.logged.length;
      const path = `/settings/sessions/${id}/name`;
      expect((await user.browser.get(path)).status).toBe(404);
      expect((await user.browser.post(path, { label: 'x' })).status).toBe(404);
      expect(errorsSince(logStart)).toEqual([]);
    }
  });
});
