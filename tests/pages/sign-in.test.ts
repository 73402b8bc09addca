import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import type { Answer } from '../fixtures/browser-like.ts';
import { idOfToken, sessionIdOf } from '../fixtures/ids.ts';
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
const rowOf = (token: string) =>
  application.sql<{ revokedReason: string | null; revokedBy: string | null; remember: number }>(
    'SELECT revokedReason, revokedBy, remember FROM Session WHERE id = ?',
    idOfToken(token),
  )[0];

test('without "remember me" the session cookie has no Max-Age', async () => {
  const { email } = await signUp(application);
  const answer = await openBrowser(application).post('/login', { email, password: PASSWORD });
  expect(answer.status).toBe(302);
  expect(answer.location).toBe('/');
  const [cookie, ...more] = setCookie(answer);
  expect(more).toEqual([]);
  expect(attributes(cookie!)).toEqual(['HttpOnly', 'Path=/', 'SameSite=Lax']);
});

test('with "remember me" the session cookie lasts 30 days', async () => {
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

test('"remember me" is kept through a sign-up', async () => {
  const fields = { email: 'remembered@example.com', name: 'Ada', password: PASSWORD };
  const answer = await submitSignUp(application, openBrowser(application), {
    ...fields,
    remember: 'on',
  });
  expect(setCookie(answer)[0]).toContain(`Max-Age=${REMEMBERED_SECONDS}`);
});

test('a token is an id and 256 random bits, and its secret is not in the row', async () => {
  const user = await signUp(application);
  const token = (await user.browser.sessionToken())!;
  expect(token).toMatch(/^[\w-]{22}\.[\w-]{43}$/);
  const rows = application.sql('SELECT * FROM Session WHERE id = ?', idOfToken(token));
  expect(rows).toHaveLength(1);
  expect(JSON.stringify(rows)).not.toContain(token.split('.')[1]);
});

describe('a wrong password and an unknown e-mail', () => {
  /** Returns the answer without the e-mail, the nonce and the headers that differ in every answer. */
  const withoutVariableParts = ({ status, headers, text }: Answer, email: string) => {
    const nonce = /'nonce-([^']+)'/.exec(String(headers['content-security-policy']))![1]!;
    const mask = (content: string) => content.replaceAll(nonce, 'NONCE').replaceAll(email, 'EMAIL');
    const { date: _date, 'x-request-id': _id, ...rest } = headers;
    return { status, headers: mask(JSON.stringify(rest)), text: mask(text) };
  };

  test.each(['/login', '/login.data'])(
    '%s answers a wrong password and an unknown e-mail alike, byte for byte',
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
      expect(withoutVariableParts(other, unknown)).toEqual(withoutVariableParts(known, email));
    },
  );

  test('a failed sign-in shows an error above the form and keeps the e-mail only', async () => {
    const { email } = await signUp(application);
    const { text } = await openBrowser(application).post('/login', {
      email,
      password: 'not this one',
      remember: 'on',
      redirectTo: '/settings/data',
    });
    expect(formErrorOnPage(text)).toBe('Wrong e-mail or password.');
    expect(fieldOnPage(text, 'email')).toMatchObject({ value: email, isInvalid: false });
    expect(fieldOnPage(text, 'password')).toMatchObject({ value: null, isInvalid: false });
    expect(fieldOnPage(text, 'remember').isChecked).toBe(true);
  });

  test('a failed sign-in creates no session', async () => {
    const { email } = await signUp(application);
    const count = () => application.sql('SELECT count(*) AS count FROM Session');
    const before = count();
    await openBrowser(application).post('/login', { email, password: 'not this one' });
    expect(count()).toEqual(before);
  });
});

test.each([
  ['an empty e-mail', { email: '' }, 'email', 'Enter your e-mail address.'],
  ['an invalid e-mail', { email: 'ada' }, 'email', /like name@example\.com/],
  ['an empty password', { password: '' }, 'password', 'Enter your password.'],
  [
    'a password of 257 characters',
    { password: 'x'.repeat(257) },
    'password',
    /longer than any password/,
  ],
])('a sign-in with %s is refused next to the field', async (_what, wrong, field, says) => {
  const typed = { email: 'ada@example.com', password: PASSWORD, ...wrong };
  const { status, text } = await openBrowser(application).post('/login', typed);
  expect(status).toBe(400);
  expect(fieldOnPage(text, field)).toMatchObject({ isInvalid: true, hasFocus: true });
  expect(fieldOnPage(text, field).note).toMatch(says);
  if (field !== 'email') expect(fieldOnPage(text, 'email').value).toBe(typed.email);
});

test('the login page keeps redirectTo in its form and its sign-up link', async () => {
  const browser = openBrowser(application);
  const page = await browser.get('/login?redirectTo=%2Fsettings%2Fdata');
  expect(page.text).toContain('<input type="hidden" name="redirectTo" value="/settings/data"/>');
  expect(page.text).toContain('href="/signup?redirectTo=%2Fsettings%2Fdata"');
  expect(textOf(page.text)).toContain('Sign in to see that page.');
});

test('the login page redirects a signed-in user', async () => {
  const { browser } = await signUp(application);
  expect((await browser.get('/login')).location).toBe('/');
  expect((await browser.get('/login?redirectTo=/settings/data')).location).toBe('/settings/data');
});

describe('session fixation', () => {
  test('a planted token that was never issued is not adopted at sign-in', async () => {
    const { email } = await signUp(application);
    const planted = `${'A'.repeat(22)}.${'B'.repeat(43)}`;
    const victim = openBrowser(application);
    await victim.plantToken(planted);
    const answer = await victim.post('/login', { email, password: PASSWORD });
    expect(answer.status).toBe(302);
    const token = (await victim.sessionToken())!;
    expect(idOfToken(token)).not.toBe(idOfToken(planted));

    const attacker = openBrowser(application);
    await attacker.plantToken(planted);
    expect((await attacker.get('/settings/profile')).status).toBe(302);
    expect(application.sql('SELECT 1 FROM Session WHERE id = ?', idOfToken(planted))).toEqual([]);
  });

  test('a planted token with the id of a live session is not adopted and ends nothing', async () => {
    const { email, browser } = await signUp(application);
    const token = (await browser.sessionToken())!;
    const planted = `${idOfToken(token)}.${'B'.repeat(43)}`;
    const victim = openBrowser(application);
    await victim.plantToken(planted);
    await victim.post('/login', { email, password: PASSWORD });
    expect(await sessionIdOf(victim)).not.toBe(idOfToken(token));
    // The id alone cannot end the session.
    expect(rowOf(token)?.revokedReason).toBeNull();
    expect((await browser.get('/settings/profile')).status).toBe(200);
  });

  test("a planted token of the attacker's session is replaced at sign-in and revoked", async () => {
    const attacker = await signUp(application, { name: 'Mallory' });
    const victim = await signUp(application, { name: 'Victoria' });
    const planted = (await attacker.browser.sessionToken())!;
    const browser = openBrowser(application);
    await browser.plantToken(planted);
    await browser.post('/login', { email: victim.email, password: PASSWORD });
    const page = await browser.get('/settings/profile');
    expect(fieldOnPage(page.text, 'name').value).toBe('Victoria');
    // The attacker's copy is refused, too.
    expect((await attacker.browser.get('/settings/profile')).status).toBe(302);
  });
});

test('a second sign-in in the same browser issues a new token and ends the first session', async () => {
  const user = await signUp(application);
  const laptop = await signIn(application, user);
  const first = (await laptop.sessionToken())!;
  const answer = await laptop.post('/login', { email: user.email, password: PASSWORD });
  expect(answer.status).toBe(302);
  const second = (await laptop.sessionToken())!;
  expect(idOfToken(second)).not.toBe(idOfToken(first));
  expect(rowOf(first)).toMatchObject({ revokedReason: 'replaced', revokedBy: idOfToken(second) });

  const copy = openBrowser(application);
  await copy.plantToken(first);
  expect((await copy.get('/settings/profile')).status).toBe(302);
  // The session of the other browser stays.
  expect((await user.browser.get('/settings/profile')).status).toBe(200);
});

test.each([
  ['the valid one first', (right: string, wrong: string) => `session=${right}; session=${wrong}`],
  ['the valid one last', (right: string, wrong: string) => `session=${wrong}; session=${right}`],
  ['both valid', (right: string) => `session=${right}; session=${right}`],
  [
    'the valid one last, without a space',
    (right: string, wrong: string) => `session=${wrong};session=${right}`,
  ],
  ['one of them empty', (right: string) => `session=; session=${right}`],
  ['one of them without a value', (right: string) => `session; session=${right}`],
])('two session cookies are refused with %s', async (_what, cookies) => {
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

test('the session cookie is found among other and malformed cookies', async () => {
  const { browser } = await signUp(application);
  const token = (await browser.sessionToken())!;
  const cookie = `;;a=b; session2=x; =y; SESSION=z; "session"=q; %73ession=w; session=${token}; \u00e9=1`;
  const answer = await openBrowser(application).get('/settings/profile', {
    headers: { Cookie: cookie },
  });
  expect(answer.status).toBe(200);
});

describe('signing out', () => {
  test('signing out ends the session, deletes the cookie and clears the browser cache', async () => {
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
    expect(rowOf(token)).toMatchObject({
      revokedReason: 'signed-out',
      revokedBy: idOfToken(token),
    });
    expect(textOf((await browser.get('/')).text)).toContain('You are signed out.');

    await browser.plantToken(token);
    expect((await browser.get('/settings/profile')).status).toBe(302);
  });

  test('signing out without a session is not an error', async () => {
    const answer = await openBrowser(application).post('/logout', {});
    expect(answer.location).toBe('/');
  });

  test('a GET request does not sign out', async () => {
    const { browser } = await signUp(application);
    for (const path of ['/logout', '/logout.data', '/logout?_method=POST']) {
      await browser.get(path);
    }
    expect((await browser.get('/settings/profile')).status).toBe(200);
  });

  test('the login page does not warn a device that signed out itself', async () => {
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

  test('on an HTTPS origin the session cookie is Secure and has the __Host- prefix', async () => {
    const { email, browser } = await signUp(secure);
    const answer = await openBrowser(secure).post('/login', { email, password: PASSWORD });
    expect(answer.status).toBe(302);
    const [cookie, ...more] = setCookie(answer, '__Host-session');
    expect(more).toEqual([]);
    expect(attributes(cookie!)).toEqual(['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure']);
    expect((await browser.get('/settings/profile')).status).toBe(200);
  });

  test('on an HTTPS origin only the __Host- cookie is accepted', async () => {
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

  test('on an HTTPS origin every cookie is Secure, including deletions', async () => {
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

  test('on an HTTPS origin a form from the HTTP page of the same host is refused', async () => {
    const { email } = await signUp(secure);
    const answer = await openBrowser(secure).post(
      '/login',
      { email, password: PASSWORD },
      { headers: { Origin: 'http://localhost' } },
    );
    expect(answer.status).toBe(403);
  });
});
