import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LOG_ERROR, startApplication, type TestApplication } from '../fixtures/application.ts';
import type { Answer, BrowserLike } from '../fixtures/browser-like.ts';
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
/** What does its work without the database. */
const NEEDS_NO_DATABASE = [
  'routes/theme',
  'routes/not-found',
  // Without a first step there is nothing to look up; see second-factor.test.ts.
  'routes/login/code',
  'routes/login/recovery-code',
  // Challenges are kept in cookies, and none is looked up for whoever holds none.
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

const errorsSince = (cut: number) =>
  application.logged.slice(cut).filter(({ level }) => level >= LOG_ERROR);
const expectUnavailable = (answer: Answer, what: string) => {
  expect(answer.status, what).toBe(503);
  expect(answer.headers['retry-after'], what).toBe('10');
  expect(answer.headers['set-cookie'], what).toBeUndefined();
  expect(answer.headers['clear-site-data'], what).toBeUndefined();
  expect(answer.headers['cache-control'], what).toContain('no-store');
  expect(answer.location, what).toBeNull();
};
const isSignedIn = async (browser: BrowserLike) =>
  (await browser.get('/settings/profile')).status === 200;

/** Has the person's browser wait for a code of each kind, and be about to choose a new password. */
async function waitForEveryCode({ browser, email }: TestUser): Promise<void> {
  await browser.post('/forgot-password', { email });
  const { code } = await mailboxOf(application).nextMailTo(email, 'password-reset-code');
  await browser.post('/reset-password', { code: String(code) });
  await browser.post('/forgot-password', { email });
  await browser.post('/settings/email', { newEmail: `newer-${email}` });
  await browser.post('/signup', { email: `other-${email}`, name: 'Grace', password: PASSWORD });
}

/** The promises of any outage, of which `stop` and `start` are the beginning and the end. */
const keepsThePromises = (stop: () => Promise<void> | void, start: () => Promise<void> | void) => {
  beforeEach(async () => {
    user = await signUp(application);
    phone = await signIn(application, user, { remember: true });
    phoneId = (await phone.sessionToken())!.split('.')[0]!;
    await user.browser.get('/');
  });
  afterEach(start);

  test('every page says so, is logged, and signs nobody out', async () => {
    const tokens = [await user.browser.sessionToken(), await phone.sessionToken()];
    await stop();
    for (const path of PAGES) {
      const cut = application.logged.length;
      const page = await user.browser.get(path);
      expectUnavailable(page, path);
      expect(textOf(page.text), path).toContain('We cannot reach our database right now');
      expect(textOf(page.text), path).not.toContain(user.name);
      expectUnavailable(await phone.get(dataPathOf(path)), dataPathOf(path));
      expect(errorsSince(cut).length, path).toBeGreaterThanOrEqual(2);
    }
    await start();
    expect([await user.browser.sessionToken(), await phone.sessionToken()]).toEqual(tokens);
    expect(await isSignedIn(user.browser)).toBe(true);
    expect(await isSignedIn(phone)).toBe(true);
  });

  test('every form says so, changes nothing, and signs nobody out', async () => {
    await waitForEveryCode(user);
    const token = await user.browser.sessionToken();
    await stop();
    for (const route of actions) {
      const path = pathOf(route, phoneId);
      const fields = goodFields(user)[route.id]!;
      expectUnavailable(await user.browser.post(path, fields), path);
      // Of a new account as much may have been written as could be.
      const again: Record<string, string> =
        route.id === 'routes/signup/page' ? { email: `another-${user.email}` } : {};
      const forScripts = await user.browser.post(dataPathOf(path), { ...fields, ...again });
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

  test('an activity that could not be written down is no reason to be signed out', async () => {
    application.clock.advance(MINUTE_MS);
    await stop();
    expectUnavailable(await user.browser.get('/settings/profile'), 'a page with the touch due');
    await start();
    expect(await isSignedIn(user.browser)).toBe(true);
  });

  test('whoever holds no session is shown what there is to see without one', async () => {
    await stop();
    const visitor = openBrowser(application);
    expect((await visitor.get('/')).status).toBe(200);
    expect((await visitor.get('/login')).status).toBe(200);
    expect((await visitor.get('/nothing/here')).status).toBe(404);
    expect((await visitor.get('/settings/profile')).location).toContain('/login');
    expect((await visitor.post('/theme', { theme: 'dark' })).status).toBe(302);
  });
};

describe('a database whose tables are gone', () => {
  beforeAll(async () => {
    application = await startApplication();
  });
  afterAll(() => application.close());

  let isGone = false;
  keepsThePromises(
    () => {
      application.sql('ALTER TABLE "Session" RENAME TO "SessionAway"');
      isGone = true;
    },
    () => {
      if (isGone) application.sql('ALTER TABLE "SessionAway" RENAME TO "Session"');
      isGone = false;
    },
  );
});

describe('a database that fails in the middle of what was begun', () => {
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

  /** Has this statement fail as it would if the database could not do it. */
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
    ['signing the others out', 'UPDATE OF "revokedAt"', 'Session'],
    ['giving this device its new token', 'UPDATE OF "secretHash"', 'Session'],
  ])('%s: whoever changed the password is still signed in', async (_what, statement, table) => {
    await signIn(application, user);
    await whileFailing(statement, table, async () => {
      const answer = await user.browser.post('/settings/password', {
        newPassword: 'another password',
        signOutOthers: 'on',
      });
      expect(answer.status).toBe(503);
    });
    expect(await isSignedIn(user.browser)).toBe(true);
  });

  test('a sign-in that cannot be written down is none', async () => {
    const visitor = openBrowser(application);
    await whileFailing('INSERT', 'Session', async () => {
      const fields = { email: user.email, password: PASSWORD };
      expectUnavailable(await visitor.post('/login', fields), 'signing in');
    });
    expect(await visitor.sessionToken()).toBeNull();
  });

  test('an account of which only half can be written is none', async () => {
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
    ['the sessions that end', 'UPDATE OF "revokedAt"', 'Session'],
    ['the new password', 'UPDATE', 'Password'],
  ])('%s: a reset that failed at it can be done again', async (_what, statement, table) => {
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

  test('a reset that could end no session can be sent again as it is', async () => {
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

  test('an account of which only half can be deleted is all there', async () => {
    await whileFailing('DELETE', 'Session', async () => {
      const answer = await user.browser.post('/settings/data/delete', { email: user.email });
      expectUnavailable(answer, 'deleting');
    });
    expect(await isSignedIn(user.browser)).toBe(true);
    await signIn(application, user);
  });

  test('a sign-out that cannot be written down is said to be none', async () => {
    await whileFailing('UPDATE OF "revokedAt"', 'Session', async () => {
      expectUnavailable(await user.browser.post('/logout', {}), 'signing out');
    });
    expect(await isSignedIn(user.browser)).toBe(true);
  });

  test('data that cannot be read is no empty file', async () => {
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

  test('passwords that nobody could look at count as no wrong ones', async () => {
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

  keepsThePromises(
    () => postgres.stop(),
    () => postgres.start(),
  );

  test('an id that PostgreSQL cannot even read is answered as missing', async () => {
    for (const id of ['%00', 'A%00', '%F0%9F%94%91', 'x'.repeat(5000)]) {
      const cut = application.logged.length;
      const path = `/settings/sessions/${id}/name`;
      expect((await user.browser.get(path)).status).toBe(404);
      expect((await user.browser.post(path, { label: 'x' })).status).toBe(404);
      expect(errorsSince(cut)).toEqual([]);
    }
  });
});
