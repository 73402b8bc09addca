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
const OTHERS = '/settings/sessions/others/sign-out';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

/** Somebody whose last proof is sixteen minutes old. */
const signUpAndWait = async (): Promise<TestUser> => {
  const user = await signUp(application);
  application.clock.advance(16 * MINUTE_MS);
  return user;
};
const confirmPath = (page: string) => `/confirm?${new URLSearchParams({ redirectTo: page })}`;

describe('after a quarter of an hour a fresh proof is due', () => {
  test.each([
    '/settings/password',
    '/settings/email',
    '/settings/data/delete',
    '/settings/two-factor',
    '/settings/two-factor/set-up',
  ])('for the page %s, which comes right after it', async (page) => {
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
  ])('for the form of %s, of which nothing is done before', async (path, fields) => {
    const user = await signUpAndWait();
    await mailboxOf(application).unread();
    // Whatever is looked up of a session is written down once a minute.
    await user.browser.get('/');
    const before = application.everything();
    const answer = await user.browser.post(path, { email: user.email, ...fields });
    expect(answer.location).toMatch(/^\/confirm\?redirectTo=/);
    expect(answer.headers['set-cookie']!.join('\n')).not.toMatch(/^session=/m);
    await mailboxOf(application).unread();
    expect(application.everything()).toBe(before);
  });

  test('never for seeing the sessions, at any age', async () => {
    const user = await signUp(application);
    const browser = await signIn(application, user, { remember: true });
    for (let days = 0; days < 29; days += 1) {
      application.clock.advance(24 * 60 * MINUTE_MS);
      expect((await browser.get('/settings/sessions')).status).toBe(200);
    }
  });

  test('for signing out the others, which is then done', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user, { remember: true });
    application.clock.advance(16 * MINUTE_MS);
    const asked = await user.browser.post(OTHERS, {}, { from: '/settings/sessions' });
    expect(asked.location).toBe(confirmPath('/settings/sessions'));
    expect((await phone.get('/settings/sessions')).status).toBe(200);
    const page = await user.browser.follow(await proveAgain(user.browser, asked));
    expect(textOf(page.text)).toContain('1 other device is signed out.');
    expect((await phone.get('/settings/sessions')).status).toBe(302);
  });

  test('for signing one device out, and not for signing out oneself', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user, { remember: true });
    application.clock.advance(16 * MINUTE_MS);
    const path = `/settings/sessions/${await sessionIdOf(phone)}/sign-out`;
    const asked = await user.browser.post(path, {}, { from: '/settings/sessions' });
    const page = await user.browser.follow(await proveAgain(user.browser, asked));
    expect(textOf(page.text)).toContain('is signed out.');
    application.clock.advance(16 * MINUTE_MS);
    const own = `/settings/sessions/${await sessionIdOf(user.browser)}/sign-out`;
    expect((await user.browser.post(own, {})).location).toBe('/');
  });
});

describe('a form that came too late', () => {
  test('is carried out after the proof with all that was typed, a password too', async () => {
    const user = await signUpAndWait();
    const typed = { newPassword: 'what was typed before', signOutOthers: 'on' };
    const asked = await user.browser.post('/settings/password', typed);
    expect(asked.location).toBe(confirmPath('/settings/password'));
    const cookies = asked.headers['set-cookie']!.join('\n');
    expect(cookies).toMatch(/^kept-form=/m);
    expect(cookies).not.toContain('what');
    const page = await user.browser.get(asked.location!);
    expect(page.text).not.toContain('what was typed');
    const answer = await proveAgain(user.browser, asked);
    expect(answer.location).toBe('/settings/password');
    await signIn(application, { email: user.email, password: typed.newPassword });
  });

  test('is shown again with its error when it was wrong', async () => {
    const { browser } = await signUpAndWait();
    const asked = await browser.post('/settings/data/delete', { email: 'nobody@example.com' });
    const answer = await proveAgain(browser, asked);
    expect(answer.status).toBe(400);
    expect(fieldOnPage(answer.text, 'email').value).toBe('nobody@example.com');
  });

  test('is not carried out by a wrong proof', async () => {
    const user = await signUpAndWait();
    const asked = await user.browser.post('/settings/password', {
      newPassword: 'a new one here',
    });
    const answer = await proveAgain(user.browser, asked, { password: 'not this one' });
    expect(answer.status).toBe(400);
    expect(fieldOnPage(answer.text, 'password')).toMatchObject({
      isInvalid: true,
      hasFocus: true,
      value: null,
      note: 'This is not your password.',
    });
    await signIn(application, user);
  });

  test('is not carried out twice, nor by another form, nor at another address', async () => {
    const user = await signUpAndWait();
    const { browser } = user;
    const asked = await browser.post('/settings/password', { newPassword: 'the kept password' });
    const page = await browser.get(asked.location!);
    const { keptForm } = hiddenFields(page.text);
    // Without the proof, its name alone opens nothing.
    const early = await browser.post('/settings/password', { keptForm: keptForm! });
    expect(early.location).toMatch(/^\/confirm/);
    const again = await browser.post('/settings/password', { newPassword: 'the kept password' });
    await proveAgain(browser, again);
    await signIn(application, { email: user.email, password: 'the kept password' });
    // A form of its own, sent later, is what it says.
    const other = await browser.post('/settings/password', { newPassword: 'typed afterwards' });
    expect(other.location).toBe('/settings/password');
    await signIn(application, { email: user.email, password: 'typed afterwards' });
    const elsewhere = await browser.post('/settings/profile', {
      keptForm: keptForm!,
      name: 'Grace',
    });
    expect(elsewhere.location).toBe('/settings/profile');
  });

  test('of one session is not taken up by another', async () => {
    const user = await signUpAndWait();
    const { browser } = user;
    const asked = await browser.post('/settings/password', { newPassword: 'of the first session' });
    const { keptForm } = hiddenFields((await browser.get(asked.location!)).text);
    await browser.post('/logout', {});
    const other = await signUp(application);
    await browser.plantToken((await other.browser.sessionToken())!);
    const answer = await browser.post('/settings/password', { keptForm: keptForm! });
    expect(answer.status).toBe(400);
    await signIn(application, user);
    await signIn(application, other);
  });

  test('that is larger than a cookie is not kept; the page comes after the proof', async () => {
    const { browser } = await signUpAndWait();
    const asked = await browser.post('/settings/password', { newPassword: 'x'.repeat(3000) });
    expect(asked.headers['set-cookie']!.join('\n')).toMatch(/^kept-form=;/m);
    const answer = await proveAgain(browser, asked);
    expect(answer.location).toBe('/settings/password');
  });
});

describe('the proof', () => {
  test('gives a new token, and the old one is dead', async () => {
    const { browser } = await signUpAndWait();
    const old = (await browser.sessionToken())!;
    await proveAgain(browser, await browser.get('/settings/password'));
    expect(await browser.sessionToken()).not.toBe(old);
    const copy = openBrowser(application);
    await copy.plantToken(old);
    expect((await copy.get('/settings/sessions')).status).toBe(302);
  });

  test('is not asked of somebody who has just given it', async () => {
    const { browser } = await signUp(application);
    const answer = await browser.get(confirmPath('/settings/profile'));
    expect(answer.location).toBe('/settings/profile');
  });

  test('leads nowhere but to pages of this application', async () => {
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

  test('of somebody with two factors takes both', async () => {
    const user = await signUp(application);
    const totp = await turnOnTotp(application, user);
    application.clock.advance(16 * MINUTE_MS);
    const { browser } = user;
    const asked = await browser.get('/settings/password');
    const withoutCode = await proveAgain(browser, asked);
    expect(withoutCode.status).toBe(400);
    expect(fieldOnPage(withoutCode.text, 'secondFactor').isInvalid).toBe(true);
    const code = totp.codeAt(application.clock.now());
    const withoutPassword = await proveAgain(browser, asked, { secondFactor: code });
    expect(withoutPassword.status).toBe(400);
    expect((await browser.get('/settings/password')).status).toBe(302);
    const both = await proveAgain(browser, asked, { password: PASSWORD, secondFactor: code });
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
