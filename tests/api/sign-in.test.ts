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
/** The e-mail of whoever this token signs in; null: nobody. */
const whoIs = async (token: string | null) => {
  const { status, json } = await ask('GET /api/session', { token: token ?? '' });
  return status === 200 ? json.person.email : null;
};
const withApp = async () => {
  const user = await signUp(application);
  return { user, app: await turnOnTotp(application, user) };
};
/** What is to be sent along to the second step. */
const pendingOf = async (user: { email: string; password: string }) => {
  const { email, password } = user;
  const answer = await ask(LOGIN, { body: { email, password } });
  expect(answer.json).toMatchObject({ state: 'second-factor' });
  expect(answer.json).not.toHaveProperty('token');
  return answer.json.pending;
};

test('a password is answered with a token, which says who it is', async () => {
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
  expect(await whoIs(answer.json.token)).toBe(email);
  const page = await user.browser.get('/settings/sessions');
  expect(page.text).toContain('Back room');
  const kinds = entriesOf(application, email).map(({ kind }) => kind);
  expect(kinds.sort()).toEqual(['signed-in', 'signed-in', 'signed-up']);
});

test('the token of a session is good as a cookie too, and a bearer is looked at first', async () => {
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
  ['nothing', {}, 'Bearer'],
  ['no token at all', { Authorization: 'Bearer' }, 'Bearer error="invalid_token"'],
  ['another scheme', { Authorization: 'Basic YTpi' }, 'Bearer error="invalid_token"'],
  ['two tokens', { Authorization: 'Bearer a.b c.d' }, 'Bearer error="invalid_token"'],
  [
    'an unknown one',
    { Authorization: `Bearer ${'A'.repeat(22)}.${'B'.repeat(43)}` },
    'Bearer error="invalid_token"',
  ],
])('%s signs nobody in', async (_what, headers, challenge) => {
  const answer = await ask('GET /api/session', { headers });
  expect([answer.status, answer.problem]).toEqual([401, 'not-signed-in']);
  expect(answer.headers['www-authenticate']).toBe(challenge);
});

describe('whoever guesses', () => {
  test('is answered the same for a wrong password and an e-mail that nobody has, by the same statements', async () => {
    const { email } = await signUp(application);
    const guess = async (whose: string) => {
      const cut = application.statements.length;
      const answer = await ask(LOGIN, { body: { email: whose, password: 'not this one' } });
      const {
        date: _date,
        'x-request-id': _id,
        'content-security-policy': _csp,
        ...headers
      } = answer.headers;
      // What the mail worker does meanwhile is none of it.
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

  test('is told to wait, as on the page, whose tries count along', async () => {
    const limited = await startApplication({ env: { PASSWORD_TRIES_PER_ACCOUNT: '3' } });
    try {
      const { email } = await signUp(limited);
      const body = { email, password: 'not this one' };
      await openBrowser(limited).post('/login', body);
      for (const _try of [2, 3]) {
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

describe('a second factor', () => {
  test.each(['a code of the app', 'a recovery code'])(
    'finishes it: %s, which works once',
    async (what) => {
      const { user, app } = await withApp();
      const pending = await pendingOf(user);
      const secondFactor = what === 'a recovery code' ? app.recoveryCodes[0] : app.nextCode();
      const body = { pending, secondFactor };
      const answer = await ask(SECOND, { body });
      expect(answer.json).toMatchObject({ state: 'signed-in' });
      expect(await whoIs(answer.json.token)).toBe(user.email);
      const again = await ask(SECOND, { body: { ...body, pending: await pendingOf(user) } });
      expect(again.status).toBe(422);
      expect(again.json.errors[0]?.field).toBe('secondFactor');
      const otherCode = app.nextCode();
      const lapsed = await ask(SECOND, { body: { pending, secondFactor: otherCode } });
      expect([lapsed.status, lapsed.problem]).toEqual([401, 'sign-in-lapsed']);
    },
  );

  test('of twenty who bring the same one at once, one is let in', async () => {
    const { user, app } = await withApp();
    const body = { pending: await pendingOf(user), secondFactor: app.nextCode() };
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(SECOND, { body })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('is that of the very person who took the first step', async () => {
    const { user } = await withApp();
    const { app } = await withApp();
    const body = { pending: await pendingOf(user), secondFactor: app.nextCode() };
    expect((await ask(SECOND, { body })).status).toBe(422);
  });

  test('comes within ten minutes', async () => {
    const { user, app } = await withApp();
    const pending = await pendingOf(user);
    application.clock.advance(10 * MINUTE_MS);
    const answer = await ask(SECOND, { body: { pending, secondFactor: app.nextCode() } });
    expect([answer.status, answer.problem]).toEqual([401, 'sign-in-lapsed']);
  });

  test('what waits for it is no token, no cookie, and no cookie is it', async () => {
    const { user, app } = await withApp();
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

describe('a proof once more', () => {
  test('gives the session a new token; the old one is dead, and it is the same session', async () => {
    const user = await signUp(application);
    const token = await signInByApi(application, user);
    application.clock.advance(16 * MINUTE_MS);
    expect((await ask('GET /api/session', { token })).json.session.isFresh).toBe(false);
    const answer = await ask(CONFIRM, { token, body: { password: PASSWORD } });
    expect(answer.json.session).toMatchObject({ id: publicIdOf(token), isFresh: true });
    expect(await whoIs(answer.json.token)).toBe(user.email);
    expect(await whoIs(token)).toBeNull();
  });

  test('wants all that there is, and leaves the token as it was until then', async () => {
    const { user, app } = await withApp();
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
    expect(await whoIs(token)).toBe(user.email);
    const body = { password: PASSWORD, secondFactor: app.nextCode() };
    expect((await ask(CONFIRM, { token, body })).status).toBe(200);
  });

  test('of a browser goes into its cookie, and no script gets to see it', async () => {
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

test('signing in by a token ends the session of that token, and never that of the browser', async () => {
  const user = await signUp(application);
  const { email, password } = user;
  const token = await signInByApi(application, user);
  const again = await ask(LOGIN, { token, body: { email, password } });
  expect(await whoIs(token)).toBeNull();
  const headers = { Origin: application.origin };
  const inBrowser = await askApiIn(user.browser, LOGIN, { body: { email, password }, headers });
  expect(inBrowser.status).toBe(200);
  expect((await user.browser.get('/settings/profile')).status).toBe(200);
  expect(await whoIs(again.json.token)).toBe(email);
  const page = await user.browser.get('/settings/sessions');
  expect(page.text).toContain(PROGRAM.split('/')[0]);
});
