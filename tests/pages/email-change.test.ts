import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { canSignIn, isSignedIn } from '../fixtures/signed-in.ts';
import { mailboxOf, openBrowser, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { fieldOnPage, textOf } from './form-on-page.ts';

const PAGE = '/settings/email';
const VERIFY = '/settings/email/verify';
const UNDO = '/email-change/undo';
const DAY_MS = 86_400_000;

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

let addresses = 0;
const newAddress = () => `moved${(addresses += 1)}@example.com`;
const codeFor = async (email: string) =>
  String((await mailboxOf(application).nextMailTo(email, 'email-change-code')).code);
const changeEmail = async ({ browser }: Pick<TestUser, 'browser'>, to: string, more = {}) => {
  expect((await browser.post(PAGE, { newEmail: to })).location).toBe(VERIFY);
  return browser.post(VERIFY, { code: await codeFor(to), ...more });
};
/** Returns the undo key that was mailed to the old address. */
const undoKeyFor = async (email: string) => {
  const mail = await mailboxOf(application).nextMailTo(email, 'email-changed');
  const link = new URL(mail.links.find((url) => url.includes(UNDO))!);
  expect(link.origin + link.pathname).toBe(application.origin + UNDO);
  return { key: link.hash.slice(1), mail };
};

test('the e-mail changes only once the code from the new address is entered', async () => {
  const user = await signUp(application);
  const to = newAddress();
  await user.browser.post(PAGE, { newEmail: to });
  const code = await codeFor(to);
  expect(await canSignIn(application, user.email, user.password)).toBe(true);
  const token = await user.browser.sessionToken();
  const answer = await user.browser.post(VERIFY, { code });
  expect(answer.location).toBe('/settings/profile');
  expect(textOf((await user.browser.follow(answer)).text)).toContain('Your e-mail is changed.');
  expect(await user.browser.sessionToken()).not.toBe(token);
  expect(await canSignIn(application, user.email, user.password)).toBe(false);
  expect(await canSignIn(application, to, user.password)).toBe(true);
  const rows = application.sql('SELECT updatedAt FROM User WHERE email = ?', to);
  expect(rows).toEqual([{ updatedAt: application.clock.now().getTime() }]);
});

test('signing out everywhere else is checked by default, and happens if it stays checked', async () => {
  const user = await signUp(application);
  const phone = await signIn(application, user);
  const to = newAddress();
  await user.browser.post(PAGE, { newEmail: to });
  expect(fieldOnPage((await user.browser.get(VERIFY)).text, 'signOutOthers').isChecked).toBe(true);
  const answer = await user.browser.post(VERIFY, {
    code: await codeFor(to),
    signOutOthers: 'on',
  });
  expect(textOf((await user.browser.follow(answer)).text)).toContain('1 other device');
  expect(await isSignedIn(phone)).toBe(false);
  expect(await isSignedIn(user.browser)).toBe(true);
});

test('a taken e-mail is answered like a free one, and its owner gets a mail', async () => {
  const other = await signUp(application);
  const user = await signUp(application);
  const answer = await user.browser.post(PAGE, { newEmail: other.email });
  expect(answer.location).toBe(VERIFY);
  expect((await user.browser.post(VERIFY, { code: '00000000' })).status).toBe(400);
  await mailboxOf(application).nextMailTo(other.email, 'sign-up-taken');
  expect(await canSignIn(application, other.email, other.password)).toBe(true);
  expect(await canSignIn(application, user.email, user.password)).toBe(true);
});

test('an e-mail that was taken in the meantime is refused, and the old one still works', async () => {
  const user = await signUp(application);
  const to = newAddress();
  await user.browser.post(PAGE, { newEmail: to });
  const code = await codeFor(to);
  await signUp(application, { email: to });
  const answer = await user.browser.post(VERIFY, { code });
  expect(answer.status).toBe(400);
  expect(textOf(answer.text)).toContain('Somebody else uses this e-mail by now.');
  expect(await canSignIn(application, user.email, user.password)).toBe(true);
});

test('the code of one account is refused for another account in the same browser', async () => {
  const first = await signUp(application);
  const to = newAddress();
  await first.browser.post(PAGE, { newEmail: to });
  const code = await codeFor(to);
  const other = await signUp(application);
  await first.browser.plantToken((await other.browser.sessionToken())!);
  expect((await first.browser.post(VERIFY, { code })).location).toBe(PAGE);
  expect(await canSignIn(application, to, other.password)).toBe(false);
  expect(await canSignIn(application, other.email, other.password)).toBe(true);
});

test('a change of e-mail invalidates reset codes that were sent to the old address', async () => {
  const user = await signUp(application);
  const thief = openBrowser(application);
  await thief.post('/forgot-password', { email: user.email });
  const mail = await mailboxOf(application).nextMailTo(user.email, 'password-reset-code');
  const secondThief = openBrowser(application);
  await secondThief.post('/forgot-password', { email: user.email });
  const second = await mailboxOf(application).nextMailTo(user.email, 'password-reset-code');
  await secondThief.post('/reset-password', { code: String(second.code) });
  await changeEmail(user, newAddress());
  expect((await thief.post('/reset-password', { code: String(mail.code) })).status).toBe(400);
  const late = await secondThief.post('/reset-password/new', { newPassword: 'of a thief of mail' });
  expect(late.location).toBe('/forgot-password');
});

describe('the old address', () => {
  test('the old address can undo the change for a week, from any browser', async () => {
    const user = await signUp(application);
    const to = newAddress();
    await changeEmail(user, to);
    const { key, mail } = await undoKeyFor(user.email);
    expect(mail.text).toContain(to);
    application.clock.advance(7 * DAY_MS - 1);
    const phone = await signIn(application, { email: to, password: user.password });
    const otherBrowser = openBrowser(application);
    expect((await otherBrowser.get(UNDO)).status).toBe(200);
    const answer = await otherBrowser.post(UNDO, { key });
    expect(answer.location).toBe('/reset-password');
    expect(await isSignedIn(phone)).toBe(false);
    expect(await canSignIn(application, to, user.password)).toBe(false);
    // The next step is a new password, because the attacker may know the old one.
    const reset = await mailboxOf(application).nextMailTo(user.email, 'password-reset-code');
    const code = await otherBrowser.post('/reset-password', { code: String(reset.code) });
    expect(code.location).toBe('/reset-password/new');
  });

  test('the old address cannot undo the change after exactly a week', async () => {
    const user = await signUp(application);
    const to = newAddress();
    await changeEmail(user, to);
    const { key } = await undoKeyFor(user.email);
    application.clock.advance(7 * DAY_MS);
    const answer = await openBrowser(application).post(UNDO, { key });
    expect(answer.status).toBe(400);
    expect(fieldOnPage(answer.text, 'key')).toMatchObject({ isInvalid: true, value: null });
    expect(await canSignIn(application, to, user.password)).toBe(true);
  });

  test('20 concurrent undo requests with one key work once', async () => {
    const user = await signUp(application);
    await changeEmail(user, newAddress());
    const { key } = await undoKeyFor(user.email);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => openBrowser(application).post(UNDO, { key })),
    );
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(1);
  });

  test('the first address can undo even after the second one has undone its own change', async () => {
    const user = await signUp(application);
    const [between, last] = [newAddress(), newAddress()];
    await changeEmail(user, between);
    const { key: ownerKey } = await undoKeyFor(user.email);
    application.clock.advance(1);
    await changeEmail(user, last);
    const { key: thiefKey } = await undoKeyFor(between);
    // The thief undoes the second change first. The owner can still undo the first one.
    expect((await openBrowser(application).post(UNDO, { key: thiefKey })).status).toBe(302);
    expect((await openBrowser(application).post(UNDO, { key: ownerKey })).status).toBe(302);
    expect(await canSignIn(application, user.email, user.password)).toBe(true);
  });

  test('undoing a change invalidates reset codes that were sent to the new address', async () => {
    const user = await signUp(application);
    const between = newAddress();
    await changeEmail(user, between);
    const { key } = await undoKeyFor(user.email);
    const thief = openBrowser(application);
    await thief.post('/forgot-password', { email: between });
    const reset = await mailboxOf(application).nextMailTo(between, 'password-reset-code');
    expect((await openBrowser(application).post(UNDO, { key })).status).toBe(302);
    expect((await thief.post('/reset-password', { code: String(reset.code) })).status).toBe(400);
  });

  test('an address in between cannot undo its change once the first address has undone all', async () => {
    const user = await signUp(application);
    const [between, last] = [newAddress(), newAddress()];
    await changeEmail(user, between);
    const { key: ownerKey } = await undoKeyFor(user.email);
    application.clock.advance(1);
    await changeEmail(user, last);
    const { key: thiefKey } = await undoKeyFor(between);
    expect((await openBrowser(application).post(UNDO, { key: ownerKey })).status).toBe(302);
    expect((await openBrowser(application).post(UNDO, { key: thiefKey })).status).toBe(400);
    expect(await canSignIn(application, user.email, user.password)).toBe(true);
  });
});

test.each([
  '',
  'x',
  '.',
  'a.b',
  'a.b.c',
  `${'A'.repeat(16)}.${'A'.repeat(43)}`,
  '\u0000.x',
  'x'.repeat(129),
  '%00.%00',
])('the invalid undo key %j is refused and changes nothing', async (key) => {
  // Wait until all mails are sent, because sending deletes their rows.
  await mailboxOf(application).unread();
  const before = application.everything();
  const answer = await openBrowser(application).post(UNDO, { key });
  expect(answer.status).toBe(400);
  expect(fieldOnPage(answer.text, 'key').isInvalid).toBe(true);
  expect(application.everything()).toBe(before);
});

test('an undo key is stored neither in the database nor in the log', async () => {
  const user = await signUp(application);
  await changeEmail(user, newAddress());
  const { key } = await undoKeyFor(user.email);
  const secret = key.split('.')[1]!;
  await openBrowser(application).post(UNDO, { key });
  expect(application.everything() + JSON.stringify(application.logged)).not.toContain(secret);
});
