import { request } from 'node:http';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  besidesRequests,
  startApplication,
  type TestApplication,
} from '../fixtures/application.ts';
import { SAFARI_ON_IPHONE, type Answer, type BrowserLike } from '../fixtures/browser-like.ts';
import { canary, plantCanaries } from '../fixtures/canaries.ts';
import { proveAgain } from '../fixtures/fresh-proof.ts';
import { sessionIdOf, userIdOf } from '../fixtures/ids.ts';
import { openBrowser, PASSWORD, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { unzip } from '../fixtures/zip.ts';

const PAGE = '/settings/data';
const ZIP = '/settings/data/download';
const FILE = '/settings/data/download/json';
const MINUTE_MS = 60_000;
const MANY = 20_000;

interface Download {
  format: string;
  version: number;
  exportedAt: string;
  profile: Record<string, string>;
  password: Record<string, string>;
  sessions: Record<string, unknown>[];
  activities: Record<string, unknown>[];
}

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

/** Downloads the file. Re-authenticates first if that is necessary. */
const download = async (browser: BrowserLike, file = FILE): Promise<Answer> => {
  const answer = await browser.post(file, {}, { from: PAGE });
  return answer.location === null ? answer : proveAgain(browser, answer);
};
const contentOf = (answer: Answer) => JSON.parse(answer.text) as Download;
const filesOf = (answer: Answer) =>
  new Map([...unzip(answer.bytes)].map(([name, bytes]) => [name, bytes.toString('utf8')]));
const expectValid = (schema: string, data: string) => {
  const ajv = new Ajv2020({ allErrors: true, strictTypes: false });
  (addFormats as unknown as { default: (to: Ajv2020) => void }).default(ajv);
  const isValid = ajv.compile(JSON.parse(schema) as object);
  isValid(JSON.parse(data));
  expect(isValid.errors).toBeNull();
};

/** Signs up a user and adds `count` rows to their activity log. */
const signUpWithActivities = async (count: number): Promise<TestUser> => {
  const user = await signUp(application);
  const userId = userIdOf(application, user);
  application.sql(
    `WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < ${count})
     INSERT INTO "Activity" (id, userId, kind, at, userAgent, ipAddress, deviceKey)
     SELECT ? || n, ?, 'signed-in', ?, ?, '131.130.70.8', 'x' FROM counter`,
    ...[`${userId}-`, userId, application.clock.now().getTime(), SAFARI_ON_IPHONE],
  );
  return user;
};

/** Starts a download and returns after the response headers, before reading the body. */
const startDownload = async ({ browser }: TestUser, file = FILE) => {
  const url = new URL(file, application.origin);
  const downloadRequest = request(url, {
    method: 'POST',
    agent: false,
    headers: {
      Cookie: await browser.jar.getCookieString(url.href),
      Origin: application.origin,
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': '0',
    },
  });
  downloadRequest.on('error', () => undefined);
  const response = await new Promise<import('node:http').IncomingMessage>((resolve) => {
    downloadRequest.on('response', resolve).end();
  });
  response.on('error', () => undefined);
  expect(response.statusCode).toBe(200);
  const readRest = () =>
    new Promise<{ isComplete: boolean; bytes: Buffer }>((resolve) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('close', () =>
        resolve({ isComplete: response.complete, bytes: Buffer.concat(chunks) }),
      );
    });
  return { readRest, abort: () => downloadRequest.destroy() };
};

const countRows = (table: string) =>
  application.sql<{ count: number }>(`SELECT count(*) AS count FROM "${table}"`)[0]!.count;

test('the download is a JSON attachment that no cache may store', async () => {
  const user = await signUp(application);
  const answer = await download(user.browser);
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'content-disposition': 'attachment; filename="latchkey-data-2026-11-21.json"',
    'x-content-type-options': 'nosniff',
  });
  expect(answer.headers['cache-control']).toMatch(/^no-store(, no-store)?, no-transform$/);
  const { format, version, exportedAt, profile, password } = contentOf(answer);
  expect({ format, version }).toEqual({ format: 'latchkey-data', version: 1 });
  expect(exportedAt).toBe(application.clock.now().toISOString());
  expect(profile).toMatchObject({ email: user.email, name: user.name });
  expect(Object.keys(profile).sort()).toEqual([
    'createdAt',
    'email',
    'emailVerifiedAt',
    'id',
    'name',
    'updatedAt',
  ]);
  expect(profile.emailVerifiedAt).toBe(application.clock.now().toISOString());
  expect(Object.keys(password)).toEqual(['changedAt']);
});

test('the ZIP has HTML, CSV and JSON files, and its data is valid against its schema', async () => {
  const user = await signUp(application);
  const phone = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
  await phone.post('/logout', {});
  const answer = await download(user.browser, ZIP);
  expect(answer.headers).toMatchObject({
    'content-type': 'application/zip',
    'content-disposition': 'attachment; filename="latchkey-data-2026-11-21.zip"',
  });
  const files = filesOf(answer);
  expect([...files.keys()].sort()).toEqual([
    'activity.csv',
    'data.json',
    'index.html',
    'schema.json',
    'sessions.csv',
  ]);
  expectValid(files.get('schema.json')!, files.get('data.json')!);
  const { sessions } = JSON.parse(files.get('data.json')!) as Download;
  expect(sessions.find(({ revokedAt }) => revokedAt !== null)).toMatchObject({
    device: 'Safari 18 on iPhone',
    endedHow: 'Signed out there',
    place: 'Local network',
  });
  expect(files.get('sessions.csv')).toMatch(/^\uFEFFdevice,place,endedAt,endedHow,id,/);
  expect(files.get('activity.csv')!.trim().split('\r\n')).toHaveLength(5);
});

test('each user gets all their own data, no data of another user and no secret', async () => {
  const [ada, bob] = [await signUp(application), await signUp(application)];
  const adas = await plantCanaries(application, userIdOf(application, ada), 'ada');
  const bobs = await plantCanaries(application, userIdOf(application, bob), 'bob');
  for (const [user, own, others] of [
    [ada, adas, bobs],
    [bob, bobs, adas],
  ] as const) {
    expect(own.exported.length).toBeGreaterThan(25);
    expect(own.withheld.length).toBeGreaterThan(8);
    const answer = await download(user.browser, ZIP);
    const files = filesOf(answer);
    const data = files.get('data.json')!;
    for (const text of own.exported) expect(data).toContain(text);
    expectValid(files.get('schema.json')!, data);
    expect(files.get('pictures/large.webp')).toMatch(/^canary-\w+-Picture-large\.$/);
    const allFiles = [...files.values()].join('\n');
    for (const text of [...others.exported, ...others.withheld]) {
      expect(allFiles).not.toContain(text);
    }
    for (const text of own.withheld) expect(allFiles).not.toContain(text);
    // The page has the same data.
    for (const text of own.exported) expect(files.get('index.html')).toContain(text);
    expect(files.get('sessions.csv')).toContain(own.exported.find((text) => /Session/.test(text)));
    expect(contentOf(await download(user.browser)).profile).toMatchObject({
      name: canary(own === adas ? 'ada' : 'bob', 'User', 'name'),
    });
  }
});

test('hostile text is no formula in the CSV files and no code in the HTML page', async () => {
  const user = await signUp(application, { name: '<script>alert(1)</script>' });
  const formulas = ['=HYPERLINK("http://evil.example","x")', '+1+1', '-1+1', '@SUM(1)', '\t=1'];
  for (const userAgent of formulas) {
    const { activity } = application.database.client;
    const row = {
      userId: userIdOf(application, user),
      kind: 'signed-in',
      at: application.clock.now(),
    };
    await activity.create({ data: { ...row, userAgent, ipAddress: '', deviceKey: '' } });
  }
  const files = filesOf(await download(user.browser, ZIP));
  const table = files.get('activity.csv')!;
  expect(table).toContain(`"'=HYPERLINK(""http://evil.example"",""x"")"`);
  for (const formula of formulas.slice(1)) expect(table).toContain(`'${formula}`);
  expect(table).not.toMatch(/(^|,|\n)"?[=+\-@\t]/);
  const page = files.get('index.html')!;
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(page).not.toContain('<script');
  expect(page).toMatch(/Content-Security-Policy" content="default-src &#39;none&#39;/);
});

test('the download has all sessions of the user, also ended ones, and none of other users', async () => {
  const user = await signUp(application, { name: 'Ada' });
  const other = await signUp(application, { name: 'Somebody else' });
  const phone = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
  const phoneId = await sessionIdOf(phone);
  await user.browser.post(`/settings/sessions/${phoneId}/name`, { label: '"Phone", {lost}' });
  await phone.post('/logout', {});
  const answer = await download(user.browser);
  const { sessions } = contentOf(answer);
  const laptopId = await sessionIdOf(user.browser);
  expect(sessions.map(({ id }) => id).sort()).toEqual([laptopId, phoneId].sort());
  expect(sessions.find(({ id }) => id === phoneId)).toMatchObject({
    label: '"Phone", {lost}',
    userAgent: SAFARI_ON_IPHONE,
    revokedReason: 'signed-out',
  });
  expect(answer.text).not.toContain('Somebody else');
  expect(answer.text).not.toContain(other.email);
});

test('the download contains no token, secret or hash', async () => {
  const user = await signUp(application);
  const phone = await signIn(application, user);
  const before = (await user.browser.sessionToken())!;
  const answer = await download(user.browser);
  const after = (await user.browser.sessionToken())!;
  const columns = application
    .sql<{ secretHash: string }>('SELECT secretHash FROM Session')
    .map(({ secretHash }) => secretHash);
  const hashes = application.sql<{ hash: string }>('SELECT hash FROM Password');
  const tokens = [before, after, (await phone.sessionToken())!];
  for (const secret of [
    ...columns,
    ...hashes.map(({ hash }) => hash),
    ...tokens.map((token) => token.split('.')[1]!),
    PASSWORD,
  ]) {
    expect(answer.text).not.toContain(secret);
  }
  expect(answer.text).not.toMatch(/secret|hash|token|\$2[aby]\$/i);
});

test('the download of a user with 1000 sessions is complete and valid JSON', async () => {
  const user = await signUp(application);
  const [row] = application.sql<{ id: string }>('SELECT id FROM User WHERE email = ?', user.email);
  application.sql(
    `WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < 999)
     INSERT INTO Session (id, secretHash, userId, userAgent, ipAddress, remember, createdAt,
       lastSeenAt, expiresAt, reauthenticatedAt, revokedAt, revokedReason)
     SELECT 'made-' || n, 'x', ?, '', '', FALSE, ?, ?, ?, ?, ?, 'expired' FROM counter`,
    ...[row!.id, ...Array<number>(5).fill(application.clock.now().getTime())],
  );
  const { sessions } = contentOf(await download(user.browser));
  expect(new Set(sessions.map(({ id }) => id)).size).toBe(1000);
});

describe('one download at a time', () => {
  test('a second download of the same user is refused until the first one has ended', async () => {
    const user = await signUpWithActivities(MANY);
    const first = await startDownload(user);
    const second = await user.browser.post(ZIP, {}, { from: PAGE });
    expect(second.location).toBe(PAGE);
    const page = await user.browser.get(PAGE);
    expect(page.text).toContain('A download is being made already.');
    // Another user need not wait.
    expect((await download((await signUp(application)).browser)).status).toBe(200);
    expect((await first.readRest()).isComplete).toBe(true);
    expect((await download(user.browser)).status).toBe(200);
  });

  test('an aborted download releases its lock, and the user can start again', async () => {
    const user = await signUpWithActivities(MANY);
    const locksBefore = countRows('Spent');
    const first = await startDownload(user);
    expect(countRows('Spent')).toBe(locksBefore + 1);
    first.abort();
    await expect.poll(() => countRows('Spent')).toBe(locksBefore);
    expect((await download(user.browser)).status).toBe(200);
    expect(countRows('Spent')).toBe(locksBefore);
  });

  test('the lock of a download expires after exactly ten minutes if its process died', async () => {
    const user = await signUp(application);
    const { replayGuard } = application.application;
    const now = application.clock.now();
    const lockName = `data download: ${userIdOf(application, user)}`;
    await replayGuard.lock(lockName, new Date(now.getTime() + 10 * MINUTE_MS), now);
    application.clock.advance(10 * MINUTE_MS - 1);
    expect((await user.browser.post(FILE, {}, { from: PAGE })).location).toBe(PAGE);
    application.clock.advance(1);
    expect((await download(user.browser)).headers['content-type']).toContain('json');
  });
});

test('a download is a snapshot: later writes do not change it', async () => {
  const user = await signUpWithActivities(MANY);
  const started = await startDownload(user);
  application.sql('UPDATE "User" SET name = ? WHERE email = ?', 'Renamed', user.email);
  application.sql('DELETE FROM "Activity" WHERE "userId" = ?', userIdOf(application, user));
  const { isComplete, bytes } = await started.readRest();
  expect(isComplete).toBe(true);
  const { profile, activities } = JSON.parse(bytes.toString('utf8')) as Download;
  expect(profile.name).toBe(user.name);
  expect(activities.length).toBeGreaterThan(MANY);
});

test.each([ZIP, FILE])(
  'a database outage in the middle of %s truncates the response visibly',
  async (file) => {
    const user = await signUpWithActivities(MANY);
    const started = await startDownload(user, file);
    await application.database.snapshots.closeAll();
    const { isComplete } = await started.readRest();
    expect(isComplete).toBe(false);
    expect(besidesRequests(application.logged).at(-1)?.level).toBeGreaterThanOrEqual(50);
    expect((await download(user.browser)).status).toBe(200);
  },
);

test('a valid mark of the form comes back in a cookie, so that the page sees the start', async () => {
  const { browser } = await signUp(application);
  const mark = 'f0e1d2c3-0000';
  const answer = await browser.post(FILE, { mark }, { from: PAGE });
  expect(answer.headers['set-cookie']).toEqual([
    `download=${mark}; Max-Age=60; Path=/; SameSite=Lax`,
  ]);
  const odd = await browser.post(FILE, { mark: 'x; Path=/' }, { from: PAGE });
  expect(odd.status).toBe(200);
  expect(odd.headers['set-cookie']).toBeUndefined();
});

test('a download in an unknown format is a 404', async () => {
  const { browser } = await signUp(application);
  expect((await browser.post(`${ZIP}/xml`, {}, { from: PAGE })).status).toBe(404);
});

describe('a session that is not fresh', () => {
  const CONFIRM = '/confirm?redirectTo=%2Fsettings%2Fdata';

  test('a download needs re-authentication, for forms and for scripts', async () => {
    const { browser } = await signUp(application);
    application.clock.advance(16 * MINUTE_MS);
    for (const path of [FILE, `${FILE}.data`]) {
      const answer = await browser.post(path, {}, { from: PAGE });
      expect(answer.headers['content-disposition']).toBeUndefined();
      expect(answer.text).not.toContain('latchkey-data');
      if (path === FILE) expect(answer.location).toBe(CONFIRM);
    }
  });

  test('the download follows the re-authentication, which rotates the token', async () => {
    const { browser } = await signUp(application);
    application.clock.advance(16 * MINUTE_MS);
    const token = await browser.sessionToken();
    const answer = await download(browser);
    expect(answer.headers['content-disposition']).toContain('latchkey-data');
    expect(await browser.sessionToken()).not.toBe(token);
  });

  test('the download after re-authentication has the requested format', async () => {
    const { browser } = await signUp(application);
    application.clock.advance(16 * MINUTE_MS);
    const zip = await download(browser, ZIP);
    expect(zip.headers['content-type']).toBe('application/zip');
    expect([...unzip(zip.bytes).keys()]).toContain('data.json');
  });

  test('a GET of the file redirects to the page of the download', async () => {
    const { browser } = await signUp(application);
    expect((await browser.get(FILE)).location).toBe(PAGE);
  });

  test('re-authentication lasts exactly 15 minutes, and only on its own device', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user);
    application.clock.advance(20 * MINUTE_MS);
    expect((await download(user.browser)).status).toBe(200);
    expect((await phone.post(FILE, {}, { from: PAGE })).location).toBe(CONFIRM);
    application.clock.advance(15 * MINUTE_MS - 1);
    expect((await user.browser.post(FILE, {}, { from: PAGE })).status).toBe(200);
    application.clock.advance(1);
    expect((await user.browser.post(FILE, {}, { from: PAGE })).location).toBe(CONFIRM);
  });

  test('a re-authentication in the future does not count, after the clock was set back', async () => {
    const { browser } = await signUp(application);
    application.clock.advance(-2 * MINUTE_MS);
    expect((await browser.post(FILE, {}, { from: PAGE })).location).toBe(CONFIRM);
    application.clock.advance(2 * MINUTE_MS);
  });
});

test('a signed-out visitor gets neither page nor file', async () => {
  const visitor = openBrowser(application);
  expect((await visitor.get(PAGE)).location).toBe('/login?redirectTo=%2Fsettings%2Fdata');
  const answer = await visitor.post(FILE, { password: PASSWORD }, { from: PAGE });
  expect(answer.location).toBe('/login?redirectTo=%2Fsettings%2Fdata');
  expect(answer.text).toBe('');
});
