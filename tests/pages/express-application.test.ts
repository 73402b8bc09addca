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
  // As in a process of its own: another connection, and its own rules over the same table.
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

const whoIsIn = async (browser: BrowserLike) =>
  (JSON.parse((await browser.get('/')).text) as { userId: string | null }).userId;
const signInThere = async () => {
  const browser = backOffice.browser({ userAgent: SAFARI_ON_IPHONE });
  await browser.get(`/sign-in/${userId}`);
  expect(await whoIsIn(browser)).toBe(userId);
  return browser;
};
const pageOf = async () => (await user.browser.get(PAGE)).text;

test('a session of an Express application is on the page by its name, and is signed out from there at once', async () => {
  const browser = await signInThere();
  const row = sessionRows(await pageOf()).find(({ name }) => name === 'Back office')!;
  expect(row.text).toContain('Safari');
  expect(row.isCurrent).toBe(false);

  const question = await user.browser.get(row.signOutPath!);
  expect(question.text).toContain('Back office');
  const answer = await user.browser.post(row.signOutPath!, {});
  expect(answer.location).toBe(PAGE);
  expect(await whoIsIn(browser)).toBeNull();
  const page = await pageOf();
  expect(sessionRows(page).map(({ name }) => name)).not.toContain('Back office');
  expect(endedRows(page)[0]).toMatchObject({ name: 'Back office' });
});

test('signed out there it is gone here, and a name that the person gives it is shown in its place', async () => {
  const browser = await signInThere();
  const row = sessionRows(await pageOf()).find(({ name }) => name === 'Back office')!;
  await user.browser.post(row.namePath!, { label: 'Till at the door' });
  expect(sessionRows(await pageOf()).map(({ name }) => name)).toContain('Till at the door');
  expect(await whoIsIn(browser)).toBe(userId);
  await browser.get('/sign-out');
  expect(sessionRows(await pageOf()).map(({ name }) => name)).not.toContain('Till at the door');
});

test('"sign out everywhere else" ends it too', async () => {
  const browser = await signInThere();
  await user.browser.post(`${PAGE}/others/sign-out`, {});
  expect(await whoIsIn(browser)).toBeNull();
});

test('its cookie does not open this application, nor ours that one', async () => {
  const browser = await signInThere();
  const cookie = decodeURIComponent((await browser.jar.getCookies(browser.origin))[0]!.value);
  const sid = /^s:([^.]+\.[^.]+)\./.exec(cookie)![1]!;
  const stranger = await signIn(application, user);
  await stranger.plantToken(sid);
  expect((await stranger.get(PAGE)).status).toBe(302);
});

test('it is in the download, and what the application keeps with it is not', async () => {
  const browser = await signInThere();
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

test('it goes with the account', async () => {
  const gone = await signUp(application);
  const [{ id }] = application.sql<{ id: string }>(
    'SELECT id FROM "User" WHERE email = ?',
    gone.email,
  ) as [{ id: string }];
  const browser = backOffice.browser();
  await browser.get(`/sign-in/${id}`);
  await gone.browser.post('/settings/data/delete', { email: gone.email });
  expect(await whoIsIn(browser)).toBeNull();
  expect(application.sql('SELECT * FROM "ExpressSession" WHERE userId = ?', id)).toEqual([]);
  expect(backOffice.errors).toEqual([]);
});
