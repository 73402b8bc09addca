import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askApi, askApiIn, PROGRAM, publicIdOf, signInByApi } from '../fixtures/api-client.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { turnOnTotp } from '../fixtures/authenticator.ts';
import { cookieOf } from '../fixtures/cookies.ts';
import { openBrowser, PASSWORD, signUp } from '../fixtures/users.ts';
import { entriesOf } from '../pages/activity-entries.ts';

const MINUTE_MS = 60_000;
const LOGIN = 'POST /api/login';
const SECOND = 'POST /api/login/second-factor';
const CONFIRM = 'POST /api/confirm';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

const ask = (...[request, options]: [string, Parameters<typeof askApi>[2]?]) =>
  askApi(application, request, options);
/** Returns the e-mail of the user whom this token signs in. `null` if the token is invalid. */
const emailOf = async (token: string | null) => {
  const { status, json } = await ask('GET /api/session', { token: token ?? '' });
  return status === 200 ? json.person.email : null;
};
const signUpWithTotp = async () => {
  const user = await signUp(application);
  return { user, app: await turnOnTotp(application, user) };
};
/** Takes the first step of a sign-in, and returns the pending token for the second one. */
const pendingOf = async (user: { email: string; password: string }) => {
  const { email, password } = user;
  const answer = await ask(LOGIN, { body: { email, password } });
  expect(answer.json).toMatchObject({ state: 'second-factor' });
  expect(answer.json).not.toHaveProperty('token');
  return answer.json.pending;
};

test('a sign-in with the password returns a token for the user', async () => {
  const user = await signUp(application);
  const { email, password } = user;
  const answer = await ask(LOGIN, { body: { email, password, name: 'Back room' } });
  expect(answer.status).toBe(200);
  expect(answer.headers['set-cookie']).toBeUndefined();
  expect(answer.headers['cache-control']).toBe('no-store');
  expect(answer.json).toMatchObject({
    state: 'signed-in',
    token: expect.stringMatching(/^[\w-]{22}\.[\w-]{43}$/),
    person: { email, name: user.name },
    session: { kind: 'session', scopes: null, isFresh: true },
  });
  expect(await emailOf(answer.json.token)).toBe(email);
  const page = await user.browser.get('/settings/sessions');
  expect(page.text).toContain('Back room');
  const kinds = entriesOf(application, email).map(({ kind }) => kind);
  expect(kinds.sort()).toEqual(['signed-in', 'signed-in', 'signed-up']);
});

test('the API accepts the session cookie, and a bearer token takes precedence over it', async () => {
  const ada = await signUp(application);
  const bob = await signUp(application);
  const cookie = await askApiIn(ada.browser, 'GET /api/session');
  expect(cookie.json.person.email).toBe(ada.email);
  const token = await signInByApi(application, bob);
  const both = await askApiIn(ada.browser, 'GET /api/session', { token });
  expect(both.json.person.email).toBe(bob.email);
  const wrong = await askApiIn(ada.browser, 'GET /api/session', { token: `${token}x` });
  expect([wrong.status, wrong.problem]).toEqual([401, 'not-signed-in']);
});

test.each([
  ['no Authorization header', {}, 'Bearer'],
  ['an empty bearer token', { Authorization: 'Bearer' }, 'Bearer error="invalid_token"'],
  ['another scheme', { Authorization: 'Basic YTpi' }, 'Bearer error="invalid_token"'],
  ['two tokens', { Authorization: 'Bearer a.b c.d' }, 'Bearer error="invalid_token"'],
  [
    'an unknown token',
    { Authorization: `Bearer ${'A'.repeat(22)}.${'B'.repeat(43)}` },
    'Bearer error="invalid_token"',
  ],
])('a request with %s gets a 401', async (_what, headers, challenge) => {
  const answer = await ask('GET /api/session', { headers });
  expect([answer.status, answer.problem]).toEqual([401, 'not-signed-in']);
  expect(answer.headers['www-authenticate']).toBe(challenge);
});

describe('guessing passwords', () => {
  test('a wrong password and an unknown e-mail get the same answer, with the same statements', async () => {
    const { email } = await signUp(application);
    const guess = async (address: string) => {
      const cut = application.statements.length;
      const answer = await ask(LOGIN, { body: { email: address, password: 'not this one' } });
      const {
        date: _date,
        'x-request-id': _id,
        'content-security-policy': _csp,
        ...headers
      } = answer.headers;
      // Without the statements of the mail worker.
      const statements = application.statements
        .slice(cut)
        .map((sql) => sql.replace(/\s+/g, ' '))
        .filter((sql) => !/^(SELECT|UPDATE|DELETE).*OutgoingMail/.test(sql));
      return { status: answer.status, headers, text: answer.text, statements };
    };
    const known = await guess(email);
    expect(known).toEqual(await guess(`nobody-${email}`));
    expect(known.status).toBe(401);
    expect(known.text).toContain('Wrong e-mail or password');
  });

  test('attempts through the API and through the page share one rate limit', async () => {
    const limited = await startApplication({ env: { PASSWORD_TRIES_PER_ACCOUNT: '3' } });
    try {
      const { email } = await signUp(limited);
      const body = { email, password: 'not this one' };
      await openBrowser(limited).post('/login', body);
      for (const _attempt of [2, 3]) {
        expect((await askApi(limited, LOGIN, { body })).problem).toBe('wrong-credentials');
      }
      const answer = await askApi(limited, LOGIN, { body: { ...body, password: PASSWORD } });
      expect([answer.status, answer.problem]).toEqual([429, 'too-often']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    } finally {
      await limited.close();
    }
  });
});

describe('the second factor', () => {
  test.each(['a code of the authenticator app', 'a recovery code'])(
    '%s completes a sign-in, and works only once',
    async (what) => {
      const { user, app } = await signUpWithTotp();
      const pending = await pendingOf(user);
      const secondFactor = what === 'a recovery code' ? app.recoveryCodes[0] : app.nextCode();
      const body = { pending, secondFactor };
      const answer = await ask(SECOND, { body });
      expect(answer.json).toMatchObject({ state: 'signed-in' });
      expect(await emailOf(answer.json.token)).toBe(user.email);
      const again = await ask(SECOND, { body: { ...body, pending: await pendingOf(user) } });
      expect(again.status).toBe(422);
      expect(again.json.errors[0]?.field).toBe('secondFactor');
      const otherCode = app.nextCode();
      const lapsed = await ask(SECOND, { body: { pending, secondFactor: otherCode } });
      expect([lapsed.status, lapsed.problem]).toEqual([401, 'sign-in-lapsed']);
    },
  );

  test('20 concurrent requests with the same code complete one sign-in', async () => {
    const { user, app } = await signUpWithTotp();
    const body = { pending: await pendingOf(user), secondFactor: app.nextCode() };
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(SECOND, { body })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('the code of another user does not complete the sign-in', async () => {
    const { user } = await signUpWithTotp();
    const { app } = await signUpWithTotp();
    const body = { pending: await pendingOf(user), secondFactor: app.nextCode() };
    expect((await ask(SECOND, { body })).status).toBe(422);
  });

  test('the second step is refused after ten minutes', async () => {
    const { user, app } = await signUpWithTotp();
    const pending = await pendingOf(user);
    application.clock.advance(10 * MINUTE_MS);
    const answer = await ask(SECOND, { body: { pending, secondFactor: app.nextCode() } });
    expect([answer.status, answer.problem]).toEqual([401, 'sign-in-lapsed']);
  });

  test('the pending token is no session token, and cannot be swapped with the pending cookie', async () => {
    const { user, app } = await signUpWithTotp();
    const pending = await pendingOf(user);
    expect((await ask('GET /api/session', { token: pending })).status).toBe(401);
    const browser = openBrowser(application);
    await browser.plantToken(pending, 'pending-sign-in');
    expect((await browser.get('/login/code')).location).toBe('/login');
    const own = openBrowser(application);
    await own.post('/login', { email: user.email, password: PASSWORD });
    const cookie = decodeURIComponent((await cookieOf(own, 'pending-sign-in'))!);
    const answer = await ask(SECOND, { body: { pending: cookie, secondFactor: app.nextCode() } });
    expect(answer.problem).toBe('sign-in-lapsed');
  });
});

describe('re-authentication', () => {
  test('re-authentication rotates the token of the same session, and the old one is invalid', async () => {
    const user = await signUp(application);
    const token = await signInByApi(application, user);
    application.clock.advance(16 * MINUTE_MS);
    expect((await ask('GET /api/session', { token })).json.session.isFresh).toBe(false);
    const answer = await ask(CONFIRM, { token, body: { password: PASSWORD } });
    expect(answer.json.session).toMatchObject({ id: publicIdOf(token), isFresh: true });
    expect(await emailOf(answer.json.token)).toBe(user.email);
    expect(await emailOf(token)).toBeNull();
  });

  test('re-authentication needs every factor, and a failed one keeps the token', async () => {
    const { user, app } = await signUpWithTotp();
    const { json } = await ask(SECOND, {
      body: { pending: await pendingOf(user), secondFactor: app.nextCode() },
    });
    const token = json.token!;
    const wrong = [
      [{}, 'password'],
      [{ password: 'not this one', secondFactor: app.nextCode() }, 'password'],
      [{ password: PASSWORD }, 'secondFactor'],
      [{ password: PASSWORD, secondFactor: '000000' }, 'secondFactor'],
    ] as const;
    for (const [body, field] of wrong) {
      const answer = await ask(CONFIRM, { token, body });
      expect([answer.status, answer.json.errors[0]?.field]).toEqual([422, field]);
    }
    expect(await emailOf(token)).toBe(user.email);
    const body = { password: PASSWORD, secondFactor: app.nextCode() };
    expect((await ask(CONFIRM, { token, body })).status).toBe(200);
  });

  test('re-authentication in a browser sets the new token in the cookie, hidden from scripts', async () => {
    const { browser } = await signUp(application);
    const before = await browser.sessionToken();
    const headers = { Origin: application.origin, 'Sec-Fetch-Site': 'same-origin' };
    const answer = await askApiIn(browser, CONFIRM, { body: { password: PASSWORD }, headers });
    expect(answer.json.token).toBeNull();
    const after = await browser.sessionToken();
    expect(after).not.toBe(before);
    expect(answer.text).not.toContain(after!.split('.')[1]!);
    expect((await browser.get('/settings/profile')).status).toBe(200);
  });
});

test('a sign-in ends the session of the bearer token in the request, but not of the cookie', async () => {
  const user = await signUp(application);
  const { email, password } = user;
  const token = await signInByApi(application, user);
  const again = await ask(LOGIN, { token, body: { email, password } });
  expect(await emailOf(token)).toBeNull();
  const headers = { Origin: application.origin };
  const inBrowser = await askApiIn(user.browser, LOGIN, { body: { email, password }, headers });
  expect(inBrowser.status).toBe(200);
  expect((await user.browser.get('/settings/profile')).status).toBe(200);
  expect(await emailOf(again.json.token)).toBe(email);
  const page = await user.browser.get('/settings/sessions');
  expect(page.text).toContain(PROGRAM.split('/')[0]);
});
