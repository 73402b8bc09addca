import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { turnOnTotp } from '../fixtures/authenticator.ts';
import { cookieOf } from '../fixtures/cookies.ts';
import { canSignIn, isSignedIn } from '../fixtures/signed-in.ts';
import { mailboxOf, openBrowser, signIn, signUp } from '../fixtures/users.ts';
import { fieldOnPage, textOf } from './form-on-page.ts';

const FORGOT = '/forgot-password';
const ENTER_CODE = '/reset-password';
const NEW = '/reset-password/new';
const NEW_PASSWORD = 'a password after the reset';
const MINUTE_MS = 60_000;

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

const codeFor = async (email: string) =>
  String((await mailboxOf(application).nextMailTo(email, 'password-reset-code')).code);
const requestReset = async (email: string) => {
  const browser = openBrowser(application);
  const answer = await browser.post(FORGOT, { email });
  expect(answer.location).toBe(ENTER_CODE);
  return browser;
};
/** Requests a reset and enters the mailed code. Returns the browser, at the page for the new password. */
const enterResetCode = async (email: string) => {
  const browser = await requestReset(email);
  const answer = await browser.post(ENTER_CODE, { code: await codeFor(email) });
  expect(answer.location).toBe(NEW);
  return browser;
};

test('a password reset by mailed code signs out every other device', async () => {
  const user = await signUp(application);
  const phone = await signIn(application, user, { remember: true });
  const browser = await enterResetCode(user.email);
  expect(await isSignedIn(browser)).toBe(false);
  expect(await isSignedIn(phone)).toBe(true);
  const answer = await browser.post(NEW, { newPassword: NEW_PASSWORD });
  const page = await browser.follow(answer);
  expect(textOf(page.text)).toContain('Your password is set. Every other device is signed out.');
  expect(await isSignedIn(browser)).toBe(true);
  expect(await isSignedIn(phone)).toBe(false);
  expect(await isSignedIn(user.browser)).toBe(false);
  const login = await phone.follow(await phone.get('/settings/sessions'));
  expect(textOf(login.text)).toContain('because your password was changed');
  expect(await canSignIn(application, user.email, user.password)).toBe(false);
  expect(await canSignIn(application, user.email, NEW_PASSWORD)).toBe(true);
});

test('a reset can still be finished after an invalid new password', async () => {
  const user = await signUp(application);
  const browser = await enterResetCode(user.email);
  const answer = await browser.post(NEW, { newPassword: 'short' });
  expect(answer.status).toBe(400);
  expect(fieldOnPage(answer.text, 'newPassword')).toMatchObject({ isInvalid: true, value: null });
  expect((await browser.post(NEW, { newPassword: NEW_PASSWORD })).location).toBe(
    '/settings/sessions',
  );
});

describe('the existence of an account', () => {
  const withoutNonces = (text: string) =>
    text.replace(/nonce="[^"]*"/g, '').replaceAll(/[A-Za-z0-9+/]{20,}={0,2}/g, '');

  test('the answers to a reset request do not reveal whether an account exists', async () => {
    const { email } = await signUp(application);
    const unknown = `${'x'.repeat(email.indexOf('@'))}@example.com`;
    const answers = [];
    for (const asked of [email, unknown]) {
      const browser = openBrowser(application);
      const answer = await browser.post(FORGOT, { email: asked });
      const page = await browser.follow(answer);
      const wrong = await browser.post(ENTER_CODE, { code: '00000000' });
      const again = await browser.post(`${ENTER_CODE}/again`, {});
      answers.push({
        status: answer.status,
        location: answer.location,
        cookies: answer.headers['set-cookie']!.map((one) => one.length),
        page: withoutNonces(page.text.replaceAll(asked, 'EMAIL')),
        wrong: withoutNonces(wrong.text.replaceAll(asked, 'EMAIL')),
        again: [again.status, again.location],
      });
    }
    // A sealed cookie is as long as what it holds, so both addresses have the same length.
    expect(answers[0]).toEqual(answers[1]);
  });

  test('a reset request runs the same statements whether or not an account exists', async () => {
    const { email } = await signUp(application);
    const shapes = [];
    for (const asked of [email, 'nobody-at-all@example.com']) {
      await mailboxOf(application).unread();
      const before = application.statements.length;
      await requestReset(asked);
      shapes.push(application.statements.slice(before).filter((sql) => !/OutgoingMail/.test(sql)));
      await mailboxOf(application).unread();
    }
    expect(shapes[0]!.length).toBeGreaterThan(1);
    expect(shapes[0]).toEqual(shapes[1]);
  });

  test('a reset request for an unknown address sends no mail', async () => {
    await mailboxOf(application).unread();
    await requestReset('nobody-here@example.com');
    const mails = await mailboxOf(application).unread();
    expect(mails.filter(({ to }) => to === 'nobody-here@example.com')).toEqual([]);
  });
});

describe('a refused reset', () => {
  test('the page for a new password is closed to browsers in which no code was entered', async () => {
    const user = await signUp(application);
    await enterResetCode(user.email);
    for (const browser of [openBrowser(application), user.browser]) {
      expect((await browser.get(NEW)).location).toBe(FORGOT);
      expect((await browser.post(NEW, { newPassword: NEW_PASSWORD })).location).toBe(FORGOT);
    }
    expect(await canSignIn(application, user.email, user.password)).toBe(true);
  });

  test('of twenty concurrent resets with one cookie one succeeds, and a later one is refused', async () => {
    const user = await signUp(application);
    const browser = await enterResetCode(user.email);
    const cookie = await browser.jar.getCookieString(application.origin);
    const attempts = Array.from({ length: 20 }, (_, at) => `password number ${at}`);
    const answers = await Promise.all(
      attempts.map((newPassword) =>
        openBrowser(application).post(NEW, { newPassword }, { headers: { Cookie: cookie } }),
      ),
    );
    const done = answers.filter(({ location }) => location === '/settings/sessions');
    expect(done).toHaveLength(1);
    expect(await canSignIn(application, user.email, attempts[answers.indexOf(done[0]!)]!)).toBe(
      true,
    );
    const late = await openBrowser(application).post(
      ...[NEW, { newPassword: NEW_PASSWORD }, { headers: { Cookie: cookie } }],
    );
    expect(late.location).toBe(FORGOT);
  });

  test('a new password is refused ten minutes after the code was entered', async () => {
    const user = await signUp(application);
    const browser = await enterResetCode(user.email);
    application.clock.advance(10 * MINUTE_MS);
    expect((await browser.post(NEW, { newPassword: NEW_PASSWORD })).location).toBe(FORGOT);
  });

  test('a reset is refused if the password was changed after the code was entered', async () => {
    const user = await signUp(application);
    const browser = await enterResetCode(user.email);
    application.clock.advance(1);
    await user.browser.post('/settings/password', { newPassword: 'changed in between' });
    expect((await browser.post(NEW, { newPassword: NEW_PASSWORD })).location).toBe(FORGOT);
    expect(await canSignIn(application, user.email, 'changed in between')).toBe(true);
  });

  test('a finished reset voids the reset codes that were mailed before it', async () => {
    const user = await signUp(application);
    const older = await requestReset(user.email);
    const olderCode = await codeFor(user.email);
    const browser = await enterResetCode(user.email);
    await browser.post(NEW, { newPassword: NEW_PASSWORD });
    expect((await older.post(ENTER_CODE, { code: olderCode })).status).toBe(400);
  });

  test('a finished reset voids the code of a pending e-mail change', async () => {
    const user = await signUp(application);
    const newEmail = `new-${user.email}`;
    await user.browser.post('/settings/email', { newEmail });
    const { code } = await mailboxOf(application).nextMailTo(newEmail, 'email-change-code');
    await (await enterResetCode(user.email)).post(NEW, { newPassword: NEW_PASSWORD });
    // The browser that requested the e-mail change signs in again with the new password.
    const { email } = user;
    await user.browser.post('/login', { email, password: NEW_PASSWORD });
    expect(await isSignedIn(user.browser)).toBe(true);
    const answer = await user.browser.post('/settings/email/verify', { code: String(code) });
    expect(answer.status).toBe(400);
  });

  test('the cookie of a reset code is refused under the name of any other code cookie', async () => {
    const user = await signUp(application);
    const browser = await requestReset(user.email);
    const code = await codeFor(user.email);
    const sealed = (await cookieOf(browser, 'reset-code'))!;
    for (const name of ['sign-up-code', 'email-change-code', 'password-reset', 'pending-sign-in']) {
      const other = openBrowser(application);
      await other.jar.setCookie(`${name}=${sealed}; Path=/`, application.origin);
      expect((await other.post('/signup/verify', { code })).location).toBe('/signup');
      expect((await other.post(ENTER_CODE, { code })).location).toBe(FORGOT);
      expect((await other.get(NEW)).location).toBe(FORGOT);
      expect((await other.get('/login/code')).location).toMatch(/^\/login/);
    }
    expect((await browser.post(ENTER_CODE, { code })).location).toBe(NEW);
  });
});

test("a reset requested by a stranger does not void the user's own code", async () => {
  const user = await signUp(application);
  const own = await requestReset(user.email);
  const ownCode = await codeFor(user.email);
  await requestReset(user.email);
  expect((await own.post(ENTER_CODE, { code: ownCode })).location).toBe(NEW);
});

test('links in reset mails lead to this application, whatever the Host header says', async () => {
  const user = await signUp(application);
  const browser = openBrowser(application);
  await browser.post(...[FORGOT, { email: user.email }], {
    headers: { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example' },
  });
  const mail = await mailboxOf(application).nextMailTo(user.email, 'password-reset-code');
  for (const link of mail.links) expect(new URL(link).origin).toBe(application.origin);
  expect(mail.html).not.toContain('evil.example');
});

describe('with a second factor', () => {
  test('a reset without the second factor sets no password and signs no user in or out', async () => {
    const user = await signUp(application);
    await turnOnTotp(application, user);
    const browser = await enterResetCode(user.email);
    for (const secondFactor of ['', '000000', 'abcd-efgh-jkmn', 'x']) {
      const answer = await browser.post(NEW, { newPassword: NEW_PASSWORD, secondFactor });
      expect(answer.status).toBe(400);
      expect(fieldOnPage(answer.text, 'secondFactor')).toMatchObject({
        isInvalid: true,
        value: null,
      });
    }
    expect(await isSignedIn(browser)).toBe(false);
    expect(await isSignedIn(user.browser)).toBe(true);
    expect(await canSignIn(application, user.email, user.password)).toBe(true);
  });

  test('a reset succeeds with a TOTP code and with a recovery code', async () => {
    const user = await signUp(application);
    const totp = await turnOnTotp(application, user);
    const second = [() => totp.nextCode(), () => totp.recoveryCodes[0]!];
    for (const [at, take] of second.entries()) {
      const browser = await enterResetCode(user.email);
      const newPassword = `${NEW_PASSWORD} ${at}`;
      const answer = await browser.post(NEW, { newPassword, secondFactor: take() });
      expect(answer.location).toBe('/settings/sessions');
      expect(await isSignedIn(browser)).toBe(true);
    }
  });
});

test('codes and passwords of a reset are stored in no table and no log line', async () => {
  const user = await signUp(application);
  const browser = await requestReset(user.email);
  const code = await codeFor(user.email);
  expect(application.everything()).not.toContain(code);
  await browser.post(ENTER_CODE, { code });
  await browser.post(NEW, { newPassword: NEW_PASSWORD });
  const kept = application.everything() + JSON.stringify(application.logged);
  for (const secret of [code, NEW_PASSWORD]) expect(kept).not.toContain(secret);
});
