import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { SAFARI_ON_IPHONE, type Answer, type BrowserLike } from '../fixtures/browser-like.ts';
import { proveAgain } from '../fixtures/fresh-proof.ts';
import { openBrowser, PASSWORD, signIn, signUp } from '../fixtures/people.ts';

const PAGE = '/settings/data';
const FILE = '/settings/data/download';
const MINUTE_MS = 60_000;

interface Download {
  format: string;
  version: number;
  exportedAt: string;
  profile: Record<string, string>;
  password: Record<string, string>;
  sessions: Record<string, unknown>[];
}

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

/** Asks for the file, and proves again who asks where that is due. */
const download = async (browser: BrowserLike): Promise<Answer> => {
  const answer = await browser.post(FILE, {}, { from: PAGE });
  return answer.location === null ? answer : proveAgain(browser, answer);
};
const contentOf = (answer: Answer) => JSON.parse(answer.text) as Download;

test('what comes is a file, and no copy of it is kept on the way', async () => {
  const person = await signUp(application);
  const answer = await download(person.browser);
  expect(answer.status).toBe(200);
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json; charset=utf-8',
    'content-disposition': 'attachment; filename="latchkey-data-2026-11-21.json"',
    'x-content-type-options': 'nosniff',
  });
  expect(answer.headers['cache-control']).toMatch(/^no-store(, no-store)?$/);
  const { format, version, exportedAt, profile, password } = contentOf(answer);
  expect({ format, version }).toEqual({ format: 'latchkey-data', version: 1 });
  expect(exportedAt).toBe(application.clock.now().toISOString());
  expect(profile).toMatchObject({ email: person.email, name: person.name });
  expect(Object.keys(profile).sort()).toEqual([
    ...['createdAt', 'email', 'emailVerifiedAt', 'id', 'name', 'updatedAt'],
  ]);
  expect(profile.emailVerifiedAt).toBe(application.clock.now().toISOString());
  expect(Object.keys(password)).toEqual(['changedAt']);
});

test("it holds the person's own sessions, ended ones too, and nobody else's", async () => {
  const person = await signUp(application, { name: 'Ada' });
  const other = await signUp(application, { name: 'Somebody else' });
  const phone = await signIn(application, person, { userAgent: SAFARI_ON_IPHONE });
  const phoneId = (await phone.sessionToken())!.split('.')[0]!;
  await person.browser.post(`/settings/sessions/${phoneId}/name`, { label: '"Phone", {lost}' });
  await phone.post('/logout', {});
  const answer = await download(person.browser);
  const { sessions } = contentOf(answer);
  const laptopId = (await person.browser.sessionToken())!.split('.')[0]!;
  expect(sessions.map(({ id }) => id).sort()).toEqual([laptopId, phoneId].sort());
  expect(sessions.find(({ id }) => id === phoneId)).toMatchObject({
    label: '"Phone", {lost}',
    userAgent: SAFARI_ON_IPHONE,
    revokedReason: 'signed-out',
  });
  expect(answer.text).not.toContain('Somebody else');
  expect(answer.text).not.toContain(other.email);
});

test('no token, no secret and no hash is in it', async () => {
  const person = await signUp(application);
  const phone = await signIn(application, person);
  const before = (await person.browser.sessionToken())!;
  const answer = await download(person.browser);
  const after = (await person.browser.sessionToken())!;
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

test('a thousand sessions are all there, and it is valid JSON still', async () => {
  const person = await signUp(application);
  const [user] = application.sql<{ id: string }>(
    'SELECT id FROM User WHERE email = ?',
    person.email,
  );
  application.sql(
    `WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < 999)
     INSERT INTO Session (id, secretHash, userId, userAgent, ipAddress, remember, createdAt,
       lastSeenAt, expiresAt, reauthenticatedAt, revokedAt, revokedReason)
     SELECT 'made-' || n, 'x', ?, '', '', FALSE, ?, ?, ?, ?, ?, 'expired' FROM counter`,
    ...[user!.id, ...Array<number>(5).fill(application.clock.now().getTime())],
  );
  const { sessions } = contentOf(await download(person.browser));
  expect(new Set(sessions.map(({ id }) => id)).size).toBe(1000);
});

describe('without a fresh proof', () => {
  const CONFIRM = '/confirm?redirectTo=%2Fsettings%2Fdata';

  test('there is no file, neither as a page nor for scripts', async () => {
    const { browser } = await signUp(application);
    application.clock.advance(16 * MINUTE_MS);
    for (const path of [FILE, `${FILE}.data`]) {
      const answer = await browser.post(path, {}, { from: PAGE });
      expect(answer.headers['content-disposition']).toBeUndefined();
      expect(answer.text).not.toContain('latchkey-data');
      if (path === FILE) expect(answer.location).toBe(CONFIRM);
    }
  });

  test('the file comes right after it, under a new token', async () => {
    const { browser } = await signUp(application);
    application.clock.advance(16 * MINUTE_MS);
    const token = await browser.sessionToken();
    const answer = await download(browser);
    expect(answer.headers['content-disposition']).toContain('latchkey-data');
    expect(await browser.sessionToken()).not.toBe(token);
  });

  test('following a link to the file leads to its page', async () => {
    const { browser } = await signUp(application);
    expect((await browser.get(FILE)).location).toBe(PAGE);
  });

  test('a proof lasts a quarter of an hour, to the millisecond, on this device alone', async () => {
    const person = await signUp(application);
    const phone = await signIn(application, person);
    application.clock.advance(20 * MINUTE_MS);
    expect((await download(person.browser)).status).toBe(200);
    expect((await phone.post(FILE, {}, { from: PAGE })).location).toBe(CONFIRM);
    application.clock.advance(15 * MINUTE_MS - 1);
    expect((await person.browser.post(FILE, {}, { from: PAGE })).status).toBe(200);
    application.clock.advance(1);
    expect((await person.browser.post(FILE, {}, { from: PAGE })).location).toBe(CONFIRM);
  });

  test('a clock that jumped back makes no old proof new', async () => {
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
