import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { canSignIn, isSignedIn } from '../fixtures/signed-in.ts';
import { openBrowser, PASSWORD, signIn, signUp } from '../fixtures/users.ts';
import { fieldOnPage, textOf } from './form-on-page.ts';

const PAGE = '/settings/password';
const NEW_PASSWORD = 'another good password';
const GOOD = { newPassword: NEW_PASSWORD };

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

test('"Sign out my other devices" is checked by default', async () => {
  const { browser } = await signUp(application);
  const { text } = await browser.get(PAGE);
  expect(fieldOnPage(text, 'signOutOthers').isChecked).toBe(true);
  expect(fieldOnPage(text, 'newPassword').value).toBeNull();
});

test('after a password change only the new password signs in', async () => {
  const user = await signUp(application);
  const answer = await user.browser.post(PAGE, GOOD);
  expect(answer.location).toBe(PAGE);
  expect(textOf((await user.browser.follow(answer)).text)).toContain('Your password is changed.');
  expect(await canSignIn(application, user.email, PASSWORD)).toBe(false);
  expect(await canSignIn(application, user.email, NEW_PASSWORD)).toBe(true);
});

test('a password change with signOutOthers signs out the other devices and tells them why', async () => {
  const user = await signUp(application);
  const other = await signUp(application);
  const phone = await signIn(application, user, { remember: true });
  await signIn(application, user);
  const answer = await user.browser.post(PAGE, { ...GOOD, signOutOthers: 'on' });
  const page = await user.browser.follow(answer);
  expect(textOf(page.text)).toContain('2 other devices are signed out.');
  const login = await phone.follow(await phone.get(PAGE));
  expect(textOf(login.text)).toContain('You were signed out because your password was changed.');
  expect(await isSignedIn(user.browser)).toBe(true);
  expect(await isSignedIn(other.browser)).toBe(true);
});

test('a password change without signOutOthers leaves other devices signed in', async () => {
  const user = await signUp(application);
  const phone = await signIn(application, user);
  const page = await user.browser.follow(await user.browser.post(PAGE, GOOD));
  expect(textOf(page.text)).toContain('Your password is changed.');
  expect(textOf(page.text)).not.toContain('signed out.');
  expect(await isSignedIn(phone)).toBe(true);
});

test('a password change renews the session token, and the old token is refused', async () => {
  const user = await signUp(application);
  const old = (await user.browser.sessionToken())!;
  await user.browser.post(PAGE, GOOD);
  const renewed = (await user.browser.sessionToken())!;
  expect(renewed).not.toBe(old);
  const copy = openBrowser(application);
  await copy.plantToken(old);
  expect(await isSignedIn(copy)).toBe(false);
  expect(await isSignedIn(user.browser)).toBe(true);
});

describe('an invalid new password', () => {
  test.each([
    ['an empty new password', { newPassword: '' }, 'newPassword', 'Choose a password.'],
    [
      'a new password of 7 characters',
      { newPassword: '1234567' },
      'newPassword',
      'Use at least 8 characters.',
    ],
    [
      'a new password of 257 characters',
      { newPassword: 'x'.repeat(257) },
      'newPassword',
      'Use at most 256 characters.',
    ],
  ])('%s is refused next to its field and changes nothing', async (_what, wrong, field, says) => {
    const user = await signUp(application);
    const phone = await signIn(application, user);
    const token = await user.browser.sessionToken();
    await user.browser.get('/');
    const answer = await user.browser.post(PAGE, { ...GOOD, signOutOthers: 'on', ...wrong });
    expect(answer.status).toBe(400);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(fieldOnPage(answer.text, field)).toMatchObject({
      isInvalid: true,
      hasFocus: true,
      value: null,
    });
    expect(fieldOnPage(answer.text, field).note).toMatch(says);
    expect(answer.text).not.toContain(NEW_PASSWORD);
    expect(fieldOnPage(answer.text, 'signOutOthers').isChecked).toBe(true);
    expect(await user.browser.sessionToken()).toBe(token);
    expect(await canSignIn(application, user.email, PASSWORD)).toBe(true);
    expect(await isSignedIn(phone)).toBe(true);
  });

  test('an unchecked signOutOthers stays unchecked after an error', async () => {
    const { browser } = await signUp(application);
    const { text } = await browser.post(PAGE, { newPassword: 'short' });
    expect(fieldOnPage(text, 'signOutOthers').isChecked).toBe(false);
  });
});

test('of two concurrent password changes one succeeds, and its answer says so', async () => {
  const user = await signUp(application);
  const cookie = { Cookie: `session=${(await user.browser.sessionToken())!}` };
  const answers = await Promise.all(
    ['the first of the two', 'the second of the two'].map(async (newPassword) => {
      const answer = await openBrowser(application).post(
        PAGE,
        { newPassword },
        { headers: cookie },
      );
      return { newPassword, changed: answer.location === PAGE };
    }),
  );
  const works = [];
  for (const { newPassword, changed } of answers) {
    if (await canSignIn(application, user.email, newPassword)) works.push({ newPassword, changed });
  }
  expect(works).toEqual([expect.objectContaining({ changed: true })]);
  expect(await canSignIn(application, user.email, PASSWORD)).toBe(false);
});
