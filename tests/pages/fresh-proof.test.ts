import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { turnOnTotp } from '../fixtures/authenticator.ts';
import { hiddenFields, proveAgain } from '../fixtures/fresh-proof.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import {
  mailboxOf,
  openBrowser,
  PASSWORD,
  signIn,
  signUp,
  type TestUser,
} from '../fixtures/users.ts';
import { fieldOnPage, textOf } from './form-on-page.ts';

const MINUTE_MS = 60_000;
const SIGN_OUT_OTHERS = '/settings/sessions/others/sign-out';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

/** Signs up a user and advances the clock by 16 minutes, so that the session is not fresh. */
const signUpAndWait = async (): Promise<TestUser> => {
  const user = await signUp(application);
  application.clock.advance(16 * MINUTE_MS);
  return user;
};
const confirmPath = (page: string) => `/confirm?${new URLSearchParams({ redirectTo: page })}`;

describe('re-authentication after 15 minutes', () => {
  test.each([
    '/settings/password',
    '/settings/email',
    '/settings/data/delete',
    '/settings/two-factor',
    '/settings/two-factor/set-up',
  ])('the page %s needs re-authentication, and follows it', async (page) => {
    const { browser } = await signUpAndWait();
    const answer = await browser.get(page);
    if (page === '/settings/two-factor' && answer.status === 200) return;
    expect(answer.location).toBe(confirmPath(page));
    const after = await proveAgain(browser, answer);
    expect(after.location).toBe(page);
    expect((await browser.get(page)).status).toBe(200);
  });

  test.each([
    ['/settings/password', { newPassword: 'a password by a thief' }],
    ['/settings/email', { newEmail: 'thief@example.com' }],
    ['/settings/email/verify', { code: '12345678' }],
    ['/settings/data/download', {}],
    ['/settings/data/delete', {}],
  ])('the form of %s needs re-authentication, and has no effect before', async (path, fields) => {
    const user = await signUpAndWait();
    await mailboxOf(application).unread();
    // This request touches the session, which happens at most once a minute.
    await user.browser.get('/');
    const before = application.everything();
    const answer = await user.browser.post(path, { email: user.email, ...fields });
    expect(answer.location).toMatch(/^\/confirm\?redirectTo=/);
    expect(answer.headers['set-cookie']!.join('\n')).not.toMatch(/^session=/m);
    await mailboxOf(application).unread();
    expect(application.everything()).toBe(before);
  });

  test('the sessions page never needs re-authentication', async () => {
    const user = await signUp(application);
    const browser = await signIn(application, user, { remember: true });
    for (let days = 0; days < 29; days += 1) {
      application.clock.advance(24 * 60 * MINUTE_MS);
      expect((await browser.get('/settings/sessions')).status).toBe(200);
    }
  });

  test('signing out everywhere else needs re-authentication, and then happens', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user, { remember: true });
    application.clock.advance(16 * MINUTE_MS);
    const redirect = await user.browser.post(SIGN_OUT_OTHERS, {}, { from: '/settings/sessions' });
    expect(redirect.location).toBe(confirmPath('/settings/sessions'));
    expect((await phone.get('/settings/sessions')).status).toBe(200);
    const page = await user.browser.follow(await proveAgain(user.browser, redirect));
    expect(textOf(page.text)).toContain('1 other device is signed out.');
    expect((await phone.get('/settings/sessions')).status).toBe(302);
  });

  test('signing out another device needs re-authentication, signing out the own one does not', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user, { remember: true });
    application.clock.advance(16 * MINUTE_MS);
    const path = `/settings/sessions/${await sessionIdOf(phone)}/sign-out`;
    const redirect = await user.browser.post(path, {}, { from: '/settings/sessions' });
    const page = await user.browser.follow(await proveAgain(user.browser, redirect));
    expect(textOf(page.text)).toContain('is signed out.');
    application.clock.advance(16 * MINUTE_MS);
    const own = `/settings/sessions/${await sessionIdOf(user.browser)}/sign-out`;
    expect((await user.browser.post(own, {})).location).toBe('/');
  });
});

describe('a form submitted from a session that is not fresh', () => {
  test('a form that needs re-authentication is submitted after it, with the typed password', async () => {
    const user = await signUpAndWait();
    const typed = { newPassword: 'what was typed before', signOutOthers: 'on' };
    const redirect = await user.browser.post('/settings/password', typed);
    expect(redirect.location).toBe(confirmPath('/settings/password'));
    const cookies = redirect.headers['set-cookie']!.join('\n');
    expect(cookies).toMatch(/^kept-form=/m);
    expect(cookies).not.toContain('what');
    const page = await user.browser.get(redirect.location!);
    expect(page.text).not.toContain('what was typed');
    const answer = await proveAgain(user.browser, redirect);
    expect(answer.location).toBe('/settings/password');
    await signIn(application, { email: user.email, password: typed.newPassword });
  });

  test('an invalid form is shown with its error after re-authentication', async () => {
    const { browser } = await signUpAndWait();
    const redirect = await browser.post('/settings/data/delete', { email: 'nobody@example.com' });
    const answer = await proveAgain(browser, redirect);
    expect(answer.status).toBe(400);
    expect(fieldOnPage(answer.text, 'email').value).toBe('nobody@example.com');
  });

  test('a failed re-authentication does not submit the saved form', async () => {
    const user = await signUpAndWait();
    const redirect = await user.browser.post('/settings/password', {
      newPassword: 'a new one here',
    });
    const answer = await proveAgain(user.browser, redirect, { password: 'not this one' });
    expect(answer.status).toBe(400);
    expect(fieldOnPage(answer.text, 'password')).toMatchObject({
      isInvalid: true,
      hasFocus: true,
      value: null,
      note: 'This is not your password.',
    });
    await signIn(application, user);
  });

  test('a saved form is submitted only once, by its own form and at its own path', async () => {
    const user = await signUpAndWait();
    const { browser } = user;
    const redirect = await browser.post('/settings/password', { newPassword: 'the kept password' });
    const page = await browser.get(redirect.location!);
    const { keptForm } = hiddenFields(page.text);
    // Without re-authentication, the name of the saved form has no effect.
    const early = await browser.post('/settings/password', { keptForm: keptForm! });
    expect(early.location).toMatch(/^\/confirm/);
    const again = await browser.post('/settings/password', { newPassword: 'the kept password' });
    await proveAgain(browser, again);
    await signIn(application, { email: user.email, password: 'the kept password' });
    // A new form, submitted later, counts with its own fields.
    const other = await browser.post('/settings/password', { newPassword: 'typed afterwards' });
    expect(other.location).toBe('/settings/password');
    await signIn(application, { email: user.email, password: 'typed afterwards' });
    const elsewhere = await browser.post('/settings/profile', {
      keptForm: keptForm!,
      name: 'Grace',
    });
    expect(elsewhere.location).toBe('/settings/profile');
  });

  test('the saved form of one session is not submitted by another session', async () => {
    const user = await signUpAndWait();
    const { browser } = user;
    const redirect = await browser.post('/settings/password', {
      newPassword: 'of the first session',
    });
    const { keptForm } = hiddenFields((await browser.get(redirect.location!)).text);
    await browser.post('/logout', {});
    const other = await signUp(application);
    await browser.plantToken((await other.browser.sessionToken())!);
    const answer = await browser.post('/settings/password', { keptForm: keptForm! });
    expect(answer.status).toBe(400);
    await signIn(application, user);
    await signIn(application, other);
  });

  test('a form that does not fit into a cookie is not saved, and its page follows instead', async () => {
    const { browser } = await signUpAndWait();
    const redirect = await browser.post('/settings/password', { newPassword: 'x'.repeat(3000) });
    expect(redirect.headers['set-cookie']!.join('\n')).toMatch(/^kept-form=;/m);
    const answer = await proveAgain(browser, redirect);
    expect(answer.location).toBe('/settings/password');
  });
});

describe('the confirm page', () => {
  test('re-authentication rotates the token, and the old one is invalid', async () => {
    const { browser } = await signUpAndWait();
    const old = (await browser.sessionToken())!;
    await proveAgain(browser, await browser.get('/settings/password'));
    expect(await browser.sessionToken()).not.toBe(old);
    const copy = openBrowser(application);
    await copy.plantToken(old);
    expect((await copy.get('/settings/sessions')).status).toBe(302);
  });

  test('the confirm page redirects a fresh session at once', async () => {
    const { browser } = await signUp(application);
    const answer = await browser.get(confirmPath('/settings/profile'));
    expect(answer.location).toBe('/settings/profile');
  });

  test('the confirm page redirects only to pages of this application', async () => {
    const { browser } = await signUpAndWait();
    for (const redirectTo of [
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      '/confirm',
    ]) {
      const page = await browser.get(confirmPath(redirectTo));
      expect(hiddenFields(page.text).redirectTo).toBe('/');
    }
    const answer = await browser.post('/confirm', {
      password: PASSWORD,
      redirectTo: 'https://evil.example',
    });
    expect(answer.location).toBe('/');
  });

  test('a user with a second factor re-authenticates with the password and the second factor', async () => {
    const user = await signUp(application);
    const totp = await turnOnTotp(application, user);
    application.clock.advance(16 * MINUTE_MS);
    const { browser } = user;
    const redirect = await browser.get('/settings/password');
    const withoutCode = await proveAgain(browser, redirect);
    expect(withoutCode.status).toBe(400);
    expect(fieldOnPage(withoutCode.text, 'secondFactor').isInvalid).toBe(true);
    const code = totp.codeAt(application.clock.now());
    const withoutPassword = await proveAgain(browser, redirect, { secondFactor: code });
    expect(withoutPassword.status).toBe(400);
    expect((await browser.get('/settings/password')).status).toBe(302);
    const both = await proveAgain(browser, redirect, { password: PASSWORD, secondFactor: code });
    expect(both.location).toBe('/settings/password');
    application.clock.advance(16 * MINUTE_MS);
    const again = await browser.get('/settings/password');
    const replayed = { password: PASSWORD, secondFactor: code };
    expect((await proveAgain(browser, again, replayed)).status).toBe(400);
    const recovered = { password: PASSWORD, secondFactor: totp.recoveryCodes[0]! };
    expect((await proveAgain(browser, again, recovered)).location).toBe('/settings/password');
  });
});

afterEach(() => {
  expect(application.logged.filter(({ level }) => level >= 50)).toEqual([]);
});
