import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Database } from '#app/database/database.server.ts';
import { managedSessions } from '#app/sessions/express/index.ts';
import { Sessions } from '#app/sessions/index.ts';
import { prismaSessionStore } from '#app/sessions/stores/prisma.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { SAFARI_ON_IPHONE, type BrowserLike } from '../fixtures/browser-like.ts';
import { serveExpress, type ExpressServer } from '../fixtures/express-server.ts';
import { signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { endedRows, sessionRows } from './session-rows.ts';

const PAGE = '/settings/sessions';
const quiet = { info: () => undefined, warn: () => undefined };

let application: TestApplication;
let user: TestUser;
let userId: string;
let database: Database;
let backOffice: ExpressServer;
beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application);
  [{ id: userId }] = application.sql<{ id: string }>('SELECT id FROM "User"') as [{ id: string }];
  // Like a separate process: its own connection, and its own rules on the same table.
  database = await openDatabase({ databaseUrl: application.databaseUrl, log: quiet });
  const { client, provider } = database;
  backOffice = await serveExpress(
    managedSessions({
      prisma: client,
      sessions: new Sessions({ store: prismaSessionStore({ client, provider, kind: 'session' }) }),
      application: 'Back office',
      userIdFrom: (session) => session.userId,
      clock: application.clock.now,
      isHttps: false,
    }),
  );
});
afterAll(async () => {
  await backOffice.close();
  await database.close();
  await application.close();
});

const signedInUserIdOf = async (browser: BrowserLike) =>
  (JSON.parse((await browser.get('/')).text) as { userId: string | null }).userId;
const signInAtBackOffice = async () => {
  const browser = backOffice.browser({ userAgent: SAFARI_ON_IPHONE });
  await browser.get(`/sign-in/${userId}`);
  expect(await signedInUserIdOf(browser)).toBe(userId);
  return browser;
};
const pageOf = async () => (await user.browser.get(PAGE)).text;

test('the sessions page lists a session of an Express application and signs it out at once', async () => {
  const browser = await signInAtBackOffice();
  const row = sessionRows(await pageOf()).find(({ name }) => name === 'Back office')!;
  expect(row.text).toContain('Safari');
  expect(row.isCurrent).toBe(false);

  const signOutPage = await user.browser.get(row.signOutPath!);
  expect(signOutPage.text).toContain('Back office');
  const answer = await user.browser.post(row.signOutPath!, {});
  expect(answer.location).toBe(PAGE);
  expect(await signedInUserIdOf(browser)).toBeNull();
  const page = await pageOf();
  expect(sessionRows(page).map(({ name }) => name)).not.toContain('Back office');
  expect(endedRows(page)[0]).toMatchObject({ name: 'Back office' });
});

test('a session of an Express application can be named, and leaves the page when signed out', async () => {
  const browser = await signInAtBackOffice();
  const row = sessionRows(await pageOf()).find(({ name }) => name === 'Back office')!;
  await user.browser.post(row.namePath!, { label: 'Till at the door' });
  expect(sessionRows(await pageOf()).map(({ name }) => name)).toContain('Till at the door');
  expect(await signedInUserIdOf(browser)).toBe(userId);
  await browser.get('/sign-out');
  expect(sessionRows(await pageOf()).map(({ name }) => name)).not.toContain('Till at the door');
});

test('signing out everywhere else also ends the sessions of an Express application', async () => {
  const browser = await signInAtBackOffice();
  await user.browser.post(`${PAGE}/others/sign-out`, {});
  expect(await signedInUserIdOf(browser)).toBeNull();
});

test('the cookie of an Express application is refused by this application', async () => {
  const browser = await signInAtBackOffice();
  const cookie = decodeURIComponent((await browser.jar.getCookies(browser.origin))[0]!.value);
  const sid = /^s:([^.]+\.[^.]+)\./.exec(cookie)![1]!;
  const stranger = await signIn(application, user);
  await stranger.plantToken(sid);
  expect((await stranger.get(PAGE)).status).toBe(302);
});

test('the data download lists sessions of an Express application, but not their content', async () => {
  const browser = await signInAtBackOffice();
  await browser.get('/say/a-secret-of-the-back-office');
  const { text } = await user.browser.post('/settings/data/download/json', {});
  const data = JSON.parse(text) as {
    sessions: { id: string; meta: { application?: string } | null }[];
    applicationSessions: { sessionId: string; application: string }[];
  };
  const ours = data.sessions.filter(({ meta }) => meta?.application === 'Back office');
  expect(ours.length).toBeGreaterThan(0);
  expect(data.applicationSessions).toContainEqual({
    sessionId: ours.at(-1)!.id,
    application: 'Back office',
    createdAt: application.clock.now().toISOString(),
  });
  expect(text).not.toContain('a-secret-of-the-back-office');
});

test('deleting the account also deletes its sessions of an Express application', async () => {
  const deletedUser = await signUp(application);
  const [{ id }] = application.sql<{ id: string }>(
    'SELECT id FROM "User" WHERE email = ?',
    deletedUser.email,
  ) as [{ id: string }];
  const browser = backOffice.browser();
  await browser.get(`/sign-in/${id}`);
  await deletedUser.browser.post('/settings/data/delete', { email: deletedUser.email });
  expect(await signedInUserIdOf(browser)).toBeNull();
  expect(application.sql('SELECT * FROM "ExpressSession" WHERE userId = ?', id)).toEqual([]);
  expect(backOffice.errors).toEqual([]);
});
