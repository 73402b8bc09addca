import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { turnOnTotp } from '../fixtures/authenticator.ts';
import type { BrowserLike } from '../fixtures/browser-like.ts';
import { mailboxOf, openBrowser, signIn, signUp } from '../fixtures/users.ts';
import { fieldOnPage, textOf } from './form-on-page.ts';

const ASK = '/forgot-password';
const CODE = '/reset-password';
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
const ask = async (email: string, browser = openBrowser(application)) => {
  const answer = await browser.post(ASK, { email });
  expect(answer.location).toBe(CODE);
  return browser;
};
/** As far as the page for the new password. */
const bringCode = async (email: string, browser?: BrowserLike) => {
  const asking = await ask(email, browser);
  const answer = await asking.post(CODE, { code: await codeFor(email) });
  expect(answer.location).toBe(NEW);
  return asking;
};
const canSignIn = async (email: string, password: string) =>
  (await openBrowser(application).post('/login', { email, password })).status === 302;
const isSignedIn = async (browser: BrowserLike) =>
  (await browser.get('/settings/sessions')).status === 200;

test('a code by mail, a new password, and every other device is out', async () => {
  const user = await signUp(application);
  const phone = await signIn(application, user, { remember: true });
  const browser = await bringCode(user.email);
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
  expect(await canSignIn(user.email, user.password)).toBe(false);
  expect(await canSignIn(user.email, NEW_PASSWORD)).toBe(true);
});

test('a new password that will not do leaves the reset open', async () => {
  const user = await signUp(application);
  const browser = await bringCode(user.email);
  const answer = await browser.post(NEW, { newPassword: 'short' });
  expect(answer.status).toBe(400);
  expect(fieldOnPage(answer.text, 'newPassword')).toMatchObject({ isInvalid: true, value: null });
  expect((await browser.post(NEW, { newPassword: NEW_PASSWORD })).location).toBe(
    '/settings/sessions',
  );
});

describe('whether there is an account', () => {
  const withoutNonces = (text: string) =>
    text.replace(/nonce="[^"]*"/g, '').replaceAll(/[A-Za-z0-9+/]{20,}={0,2}/g, '');

  test('shows in no answer', async () => {
    const { email } = await signUp(application);
    const unknown = `${'x'.repeat(email.indexOf('@'))}@example.com`;
    const answers = [];
    for (const asked of [email, unknown]) {
      const browser = openBrowser(application);
      const answer = await browser.post(ASK, { email: asked });
      const page = await browser.follow(answer);
      const wrong = await browser.post(CODE, { code: '00000000' });
      const again = await browser.post(`${CODE}/again`, {});
      answers.push({
        status: answer.status,
        location: answer.location,
        cookies: answer.headers['set-cookie']!.map((one) => one.length),
        page: withoutNonces(page.text.replaceAll(asked, 'EMAIL')),
        wrong: withoutNonces(wrong.text.replaceAll(asked, 'EMAIL')),
        again: [again.status, again.location],
      });
    }
    // A sealed name is as long as the name; what differs by that is no more than a name.
    expect(answers[0]).toEqual(answers[1]);
  });

  test('shows in no statement', async () => {
    const { email } = await signUp(application);
    const shapes = [];
    for (const asked of [email, 'nobody-at-all@example.com']) {
      await mailboxOf(application).unread();
      const before = application.statements.length;
      await ask(asked);
      shapes.push(application.statements.slice(before).filter((sql) => !/OutgoingMail/.test(sql)));
      await mailboxOf(application).unread();
    }
    expect(shapes[0]!.length).toBeGreaterThan(1);
    expect(shapes[0]).toEqual(shapes[1]);
  });

  test('and to nobody a mail is sent', async () => {
    await mailboxOf(application).unread();
    await ask('nobody-here@example.com');
    const mails = await mailboxOf(application).unread();
    expect(mails.filter(({ to }) => to === 'nobody-here@example.com')).toEqual([]);
  });
});

describe('the way to the new password is closed', () => {
  test('without a code, and to a browser that did not bring it', async () => {
    const user = await signUp(application);
    await bringCode(user.email);
    for (const browser of [openBrowser(application), user.browser]) {
      expect((await browser.get(NEW)).location).toBe(ASK);
      expect((await browser.post(NEW, { newPassword: NEW_PASSWORD })).location).toBe(ASK);
    }
    expect(await canSignIn(user.email, user.password)).toBe(true);
  });

  test('after it was gone once, also to a copy of its cookie, and to twenty at once', async () => {
    const user = await signUp(application);
    const browser = await bringCode(user.email);
    const cookie = await browser.jar.getCookieString(application.origin);
    const attempts = Array.from({ length: 20 }, (_, at) => `password number ${at}`);
    const answers = await Promise.all(
      attempts.map((newPassword) =>
        openBrowser(application).post(NEW, { newPassword }, { headers: { Cookie: cookie } }),
      ),
    );
    const done = answers.filter(({ location }) => location === '/settings/sessions');
    expect(done).toHaveLength(1);
    expect(await canSignIn(user.email, attempts[answers.indexOf(done[0]!)]!)).toBe(true);
    const late = await openBrowser(application).post(
      ...[NEW, { newPassword: NEW_PASSWORD }, { headers: { Cookie: cookie } }],
    );
    expect(late.location).toBe(ASK);
  });

  test('ten minutes after the code was brought', async () => {
    const user = await signUp(application);
    const browser = await bringCode(user.email);
    application.clock.advance(10 * MINUTE_MS);
    expect((await browser.post(NEW, { newPassword: NEW_PASSWORD })).location).toBe(ASK);
  });

  test('once the password was changed in the meantime', async () => {
    const user = await signUp(application);
    const browser = await bringCode(user.email);
    application.clock.advance(1);
    await user.browser.post('/settings/password', { newPassword: 'changed in between' });
    expect((await browser.post(NEW, { newPassword: NEW_PASSWORD })).location).toBe(ASK);
    expect(await canSignIn(user.email, 'changed in between')).toBe(true);
  });

  test('to codes that were sent before another reset was finished', async () => {
    const user = await signUp(application);
    const older = await ask(user.email);
    const olderCode = await codeFor(user.email);
    const browser = await bringCode(user.email);
    await browser.post(NEW, { newPassword: NEW_PASSWORD });
    expect((await older.post(CODE, { code: olderCode })).status).toBe(400);
  });

  test('and so is the one to an address that was to be the new one', async () => {
    const user = await signUp(application);
    const newEmail = `new-${user.email}`;
    await user.browser.post('/settings/email', { newEmail });
    const { code } = await mailboxOf(application).nextMailTo(newEmail, 'email-change-code');
    await (await bringCode(user.email)).post(NEW, { newPassword: NEW_PASSWORD });
    // The browser that waits for the code is signed in once more, with the new password.
    const { email } = user;
    await user.browser.post('/login', { email, password: NEW_PASSWORD });
    expect(await isSignedIn(user.browser)).toBe(true);
    const answer = await user.browser.post('/settings/email/verify', { code: String(code) });
    expect(answer.status).toBe(400);
  });

  test('when the cookie of a sign-up, or of another code, stands in for the one of the reset', async () => {
    const user = await signUp(application);
    const browser = await ask(user.email);
    const code = await codeFor(user.email);
    const cookies = await browser.jar.getCookies(application.origin);
    const sealed = cookies.find(({ key }) => key === 'reset-code')!.value;
    for (const name of ['sign-up-code', 'email-change-code', 'password-reset', 'pending-sign-in']) {
      const other = openBrowser(application);
      await other.jar.setCookie(`${name}=${sealed}; Path=/`, application.origin);
      expect((await other.post('/signup/verify', { code })).location).toBe('/signup');
      expect((await other.post(CODE, { code })).location).toBe(ASK);
      expect((await other.get(NEW)).location).toBe(ASK);
      expect((await other.get('/login/code')).location).toMatch(/^\/login/);
    }
    expect((await browser.post(CODE, { code })).location).toBe(NEW);
  });
});

test('a code to somebody asked for by a stranger does not void the one that they asked for', async () => {
  const user = await signUp(application);
  const own = await ask(user.email);
  const ownCode = await codeFor(user.email);
  await ask(user.email);
  expect((await own.post(CODE, { code: ownCode })).location).toBe(NEW);
});

test('whatever the request says of its host, the link leads to this application', async () => {
  const user = await signUp(application);
  const browser = openBrowser(application);
  await browser.post(...[ASK, { email: user.email }], {
    headers: { Host: 'evil.example', 'X-Forwarded-Host': 'evil.example' },
  });
  const mail = await mailboxOf(application).nextMailTo(user.email, 'password-reset-code');
  for (const link of mail.links) expect(new URL(link).origin).toBe(application.origin);
  expect(mail.html).not.toContain('evil.example');
});

describe('with two factors', () => {
  test('the mailbox alone sets no password, and signs nobody in or out', async () => {
    const user = await signUp(application);
    await turnOnTotp(application, user);
    const browser = await bringCode(user.email);
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
    expect(await canSignIn(user.email, user.password)).toBe(true);
  });

  test('mailbox and code do, and so do mailbox and recovery code', async () => {
    const user = await signUp(application);
    const totp = await turnOnTotp(application, user);
    const second = [() => totp.nextCode(), () => totp.recoveryCodes[0]!];
    for (const [at, take] of second.entries()) {
      const browser = await bringCode(user.email);
      const newPassword = `${NEW_PASSWORD} ${at}`;
      const answer = await browser.post(NEW, { newPassword, secondFactor: take() });
      expect(answer.location).toBe('/settings/sessions');
      expect(await isSignedIn(browser)).toBe(true);
    }
  });
});

test('codes and passwords of a reset stand in no table and no line of the log', async () => {
  const user = await signUp(application);
  const browser = await ask(user.email);
  const code = await codeFor(user.email);
  expect(application.everything()).not.toContain(code);
  await browser.post(CODE, { code });
  await browser.post(NEW, { newPassword: NEW_PASSWORD });
  const kept = application.everything() + JSON.stringify(application.logged);
  for (const secret of [code, NEW_PASSWORD]) expect(kept).not.toContain(secret);
});
