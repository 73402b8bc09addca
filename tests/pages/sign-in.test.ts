import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import type { Answer } from '../fixtures/browser-like.ts';
import { openBrowser, PASSWORD, signIn, signUp, submitSignUp } from '../fixtures/users.ts';
import { fieldOnPage, formErrorOnPage, textOf } from './form-on-page.ts';

const REMEMBERED_SECONDS = 30 * 24 * 60 * 60;

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

const setCookie = (answer: Answer, name = 'session') =>
  (answer.headers['set-cookie'] ?? []).filter((line) => line.startsWith(`${name}=`));
const attributes = (line: string) => line.split('; ').slice(1).sort();
const idOf = (token: string) => token.split('.')[0]!;
const rowOf = (token: string) =>
  application.sql<{ revokedReason: string | null; revokedBy: string | null; remember: number }>(
    'SELECT revokedReason, revokedBy, remember FROM Session WHERE id = ?',
    idOf(token),
  )[0];

test('without "remember me" the cookie lasts as long as the browser is open', async () => {
  const { email } = await signUp(application);
  const answer = await openBrowser(application).post('/login', { email, password: PASSWORD });
  expect(answer.status).toBe(302);
  expect(answer.location).toBe('/');
  const [cookie, ...more] = setCookie(answer);
  expect(more).toEqual([]);
  expect(attributes(cookie!)).toEqual(['HttpOnly', 'Path=/', 'SameSite=Lax']);
});

test('with "remember me" the cookie lasts 30 days', async () => {
  const { email } = await signUp(application);
  const fields = { email, password: PASSWORD, remember: 'on' };
  const answer = await openBrowser(application).post('/login', fields);
  const [cookie] = setCookie(answer);
  expect(attributes(cookie!)).toEqual([
    'HttpOnly',
    `Max-Age=${REMEMBERED_SECONDS}`,
    'Path=/',
    'SameSite=Lax',
  ]);
  expect(rowOf(/^session=([^;]*)/.exec(cookie!)![1]!)?.remember).toBeTruthy();
});

test('"remember me" is remembered when an account is made, too', async () => {
  const fields = { email: 'remembered@example.com', name: 'Ada', password: PASSWORD };
  const answer = await submitSignUp(application, openBrowser(application), {
    ...fields,
    remember: 'on',
  });
  expect(setCookie(answer)[0]).toContain(`Max-Age=${REMEMBERED_SECONDS}`);
});

test('a token is an id and 256 random bits, of which the row keeps a hash', async () => {
  const user = await signUp(application);
  const token = (await user.browser.sessionToken())!;
  expect(token).toMatch(/^[\w-]{22}\.[\w-]{43}$/);
  const rows = application.sql('SELECT * FROM Session WHERE id = ?', idOf(token));
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain(token.split('.')[1]);
});

describe('a wrong password and an unknown e-mail', () => {
  /** An answer without what differs from one request to the next in any case. */
  const comparable = ({ status, headers, text }: Answer, email: string) => {
    const nonce = /'nonce-([^']+)'/.exec(String(headers['content-security-policy']))![1]!;
    const plain = (content: string) =>
      content.replaceAll(nonce, 'NONCE').replaceAll(email, 'EMAIL');
    const { date: _date, 'x-request-id': _id, ...rest } = headers;
    return { status, headers: plain(JSON.stringify(rest)), text: plain(text) };
  };

  test.each(['/login', '/login.data'])(
    'are answered by %s alike to the last byte',
    async (path) => {
      const { email } = await signUp(application);
      const unknown = `z${email.slice(1)}`;
      const known = await openBrowser(application).post(path, { email, password: 'not this one' });
      const other = await openBrowser(application).post(path, {
        email: unknown,
        password: 'not this one',
      });
      expect(known.status).toBe(400);
      expect(known.headers['set-cookie']).toBeUndefined();
      expect(comparable(other, unknown)).toEqual(comparable(known, email));
    },
  );

  test('say so above the form, keep the e-mail, and not the password', async () => {
    const { email } = await signUp(application);
    const { text } = await openBrowser(application).post('/login', {
      email,
      password: 'not this one',
      remember: 'on',
      redirectTo: '/settings/data',
    });
    expect(formErrorOnPage(text)).toBe('That e-mail and password do not belong together.');
    expect(fieldOnPage(text, 'email')).toMatchObject({ value: email, isInvalid: false });
    expect(fieldOnPage(text, 'password')).toMatchObject({ value: null, isInvalid: false });
    expect(fieldOnPage(text, 'remember').isChecked).toBe(true);
  });

  test('leave no session behind', async () => {
    const { email } = await signUp(application);
    const count = () => application.sql('SELECT count(*) AS count FROM Session');
    const before = count();
    await openBrowser(application).post('/login', { email, password: 'not this one' });
    expect(count()).toEqual(before);
  });
});

test.each([
  ['no e-mail', { email: '' }, 'email', 'Enter your e-mail address.'],
  ['no e-mail address', { email: 'ada' }, 'email', /like name@example\.com/],
  ['no password', { password: '' }, 'password', 'Enter your password.'],
  ['257 characters', { password: 'x'.repeat(257) }, 'password', /longer than any password/],
])('%s: refused next to the field', async (_what, wrong, field, says) => {
  const typed = { email: 'ada@example.com', password: PASSWORD, ...wrong };
  const { status, text } = await openBrowser(application).post('/login', typed);
  expect(status).toBe(400);
  expect(fieldOnPage(text, field)).toMatchObject({ isInvalid: true, hasFocus: true });
  expect(fieldOnPage(text, field).note).toMatch(says);
  if (field !== 'email') expect(fieldOnPage(text, 'email').value).toBe(typed.email);
});

test('the way back survives a wrong password and the way over to signing up', async () => {
  const browser = openBrowser(application);
  const page = await browser.get('/login?redirectTo=%2Fsettings%2Fdata');
  expect(page.text).toContain('<input type="hidden" name="redirectTo" value="/settings/data"/>');
  expect(page.text).toContain('href="/signup?redirectTo=%2Fsettings%2Fdata"');
  expect(textOf(page.text)).toContain('Sign in to see that page.');
});

test('who is signed in already is sent on, and not asked to sign in', async () => {
  const { browser } = await signUp(application);
  expect((await browser.get('/login')).location).toBe('/');
  expect((await browser.get('/login?redirectTo=/settings/data')).location).toBe('/settings/data');
});

describe('a planted cookie', () => {
  test('of a token that nobody issued is never adopted', async () => {
    const { email } = await signUp(application);
    const planted = `${'A'.repeat(22)}.${'B'.repeat(43)}`;
    const victim = openBrowser(application);
    await victim.plantToken(planted);
    const answer = await victim.post('/login', { email, password: PASSWORD });
    expect(answer.status).toBe(302);
    const token = (await victim.sessionToken())!;
    expect(idOf(token)).not.toBe(idOf(planted));

    const attacker = openBrowser(application);
    await attacker.plantToken(planted);
    expect((await attacker.get('/settings/profile')).status).toBe(302);
    expect(application.sql('SELECT 1 FROM Session WHERE id = ?', idOf(planted))).toEqual([]);
  });

  test('with the id of a live session and another secret is not adopted either', async () => {
    const { email, browser } = await signUp(application);
    const token = (await browser.sessionToken())!;
    const planted = `${idOf(token)}.${'B'.repeat(43)}`;
    const victim = openBrowser(application);
    await victim.plantToken(planted);
    await victim.post('/login', { email, password: PASSWORD });
    expect(idOf((await victim.sessionToken())!)).not.toBe(idOf(token));
    // Whoever holds an id alone ends nothing by it.
    expect(rowOf(token)?.revokedReason).toBeNull();
    expect((await browser.get('/settings/profile')).status).toBe(200);
  });

  test("of the attacker's own session is replaced when the victim signs in", async () => {
    const attacker = await signUp(application, { name: 'Mallory' });
    const victim = await signUp(application, { name: 'Victoria' });
    const planted = (await attacker.browser.sessionToken())!;
    const browser = openBrowser(application);
    await browser.plantToken(planted);
    await browser.post('/login', { email: victim.email, password: PASSWORD });
    const page = await browser.get('/settings/profile');
    expect(fieldOnPage(page.text, 'name').value).toBe('Victoria');
    // The attacker's copy of it is worth nothing now.
    expect((await attacker.browser.get('/settings/profile')).status).toBe(302);
  });
});

test('a second sign-in in the same browser gives another token and ends the first session', async () => {
  const user = await signUp(application);
  const laptop = await signIn(application, user);
  const first = (await laptop.sessionToken())!;
  const answer = await laptop.post('/login', { email: user.email, password: PASSWORD });
  expect(answer.status).toBe(302);
  const second = (await laptop.sessionToken())!;
  expect(idOf(second)).not.toBe(idOf(first));
  expect(rowOf(first)).toMatchObject({ revokedReason: 'replaced', revokedBy: idOf(second) });

  const copy = openBrowser(application);
  await copy.plantToken(first);
  expect((await copy.get('/settings/profile')).status).toBe(302);
  // Not this browser's own first session.
  expect((await user.browser.get('/settings/profile')).status).toBe(200);
});

test.each([
  ['the right one first', (right: string, wrong: string) => `session=${right}; session=${wrong}`],
  ['the right one last', (right: string, wrong: string) => `session=${wrong}; session=${right}`],
  ['both the same', (right: string) => `session=${right}; session=${right}`],
  ['without a space', (right: string, wrong: string) => `session=${wrong};session=${right}`],
  ['one of them empty', (right: string) => `session=; session=${right}`],
  ['one of them without a value', (right: string) => `session; session=${right}`],
])('two cookies of the same name are refused: %s', async (_what, cookies) => {
  const { browser } = await signUp(application);
  const right = (await browser.sessionToken())!;
  const wrong = `${'A'.repeat(22)}.${'B'.repeat(43)}`;
  const stranger = openBrowser(application);
  const alone = await stranger.get('/settings/profile', {
    headers: { Cookie: `session=${right}` },
  });
  expect(alone.status).toBe(200);
  const answer = await stranger.get('/settings/profile', {
    headers: { Cookie: cookies(right, wrong) },
  });
  expect(answer.status).toBe(302);
  expect(answer.location).toBe('/login?redirectTo=%2Fsettings%2Fprofile');
});

test('cookies of other names, and junk between them, do not get in the way', async () => {
  const { browser } = await signUp(application);
  const token = (await browser.sessionToken())!;
  const cookie = `;;a=b; session2=x; =y; SESSION=z; "session"=q; %73ession=w; session=${token}; \u00e9=1`;
  const answer = await openBrowser(application).get('/settings/profile', {
    headers: { Cookie: cookie },
  });
  expect(answer.status).toBe(200);
});

describe('signing out', () => {
  test('ends the session, takes the cookie away and has the browser forget its pages', async () => {
    const { browser } = await signUp(application);
    const token = (await browser.sessionToken())!;
    const answer = await browser.post('/logout', {}, { from: '/settings/profile' });
    expect(answer.status).toBe(302);
    expect(answer.location).toBe('/');
    expect(answer.headers['clear-site-data']).toBe('"cache"');
    expect(setCookie(answer)).toEqual([
      expect.stringMatching(/^session=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    expect(await browser.sessionToken()).toBeNull();
    expect(rowOf(token)).toMatchObject({ revokedReason: 'signed-out', revokedBy: idOf(token) });
    expect(textOf((await browser.get('/')).text)).toContain('You are signed out.');

    await browser.plantToken(token);
    expect((await browser.get('/settings/profile')).status).toBe(302);
  });

  test('of a browser in which nobody is signed in is no error', async () => {
    const answer = await openBrowser(application).post('/logout', {});
    expect(answer.location).toBe('/');
  });

  test('is not done by following a link', async () => {
    const { browser } = await signUp(application);
    for (const path of ['/logout', '/logout.data', '/logout?_method=POST']) {
      await browser.get(path);
    }
    expect((await browser.get('/settings/profile')).status).toBe(200);
  });

  test('leaves a device that signed out by itself without any reproach', async () => {
    const { browser } = await signUp(application);
    const token = (await browser.sessionToken())!;
    await browser.post('/logout', {});
    await browser.plantToken(token);
    expect(textOf((await browser.get('/login')).text)).not.toContain('You were signed out');
  });
});

describe('behind a proxy that speaks HTTPS', () => {
  let secure: TestApplication;
  beforeAll(async () => {
    secure = await startApplication({ env: { ORIGIN: 'https://localhost' } });
  });
  afterAll(() => secure.close());

  test('the cookie is one that no subdomain and no plain page can plant', async () => {
    const { email, browser } = await signUp(secure);
    const answer = await openBrowser(secure).post('/login', { email, password: PASSWORD });
    expect(answer.status).toBe(302);
    const [cookie, ...more] = setCookie(answer, '__Host-session');
    expect(more).toEqual([]);
    expect(attributes(cookie!)).toEqual(['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure']);
    expect((await browser.get('/settings/profile')).status).toBe(200);
  });

  test('the cookie of plain HTTP opens nothing', async () => {
    const { browser } = await signUp(secure);
    const token = (await browser.sessionToken())!;
    const stranger = openBrowser(secure);
    for (const name of ['session', '__host-session', '__Secure-session']) {
      const headers = { Cookie: `${name}=${token}` };
      expect((await stranger.get('/settings/profile', { headers })).status).toBe(302);
    }
    const headers = { Cookie: `__Host-session=${token}; session=planted` };
    expect((await stranger.get('/settings/profile', { headers })).status).toBe(200);
  });

  test('every cookie is Secure, and so is the one that takes it away', async () => {
    const { browser } = await signUp(secure);
    for (const answer of [
      await browser.post('/theme', { theme: 'dark' }),
      await browser.post('/settings/profile', { name: 'Ada' }),
      await browser.post('/logout', {}),
    ]) {
      expect(answer.status).toBe(302);
      expect(answer.headers['set-cookie']).not.toEqual([]);
      for (const line of answer.headers['set-cookie']!) expect(line).toContain('; Secure');
    }
    expect(await browser.sessionToken()).toBeNull();
  });

  test('a form sent from the plain page of the same name is refused', async () => {
    const { email } = await signUp(secure);
    const answer = await openBrowser(secure).post(
      '/login',
      { email, password: PASSWORD },
      { headers: { Origin: 'http://localhost' } },
    );
    expect(answer.status).toBe(403);
  });
});
