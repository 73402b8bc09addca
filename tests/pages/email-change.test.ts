import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { canSignIn, isSignedIn } from '../fixtures/signed-in.ts';
import { mailboxOf, openBrowser, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { fieldOnPage, textOf } from './form-on-page.ts';

const ASK = '/settings/email';
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
const move = async ({ browser }: Pick<TestUser, 'browser'>, to: string, more = {}) => {
  expect((await browser.post(ASK, { newEmail: to })).location).toBe(VERIFY);
  return browser.post(VERIFY, { code: await codeFor(to), ...more });
};
/** The key that the old address was sent. */
const undoKeyFor = async (email: string) => {
  const mail = await mailboxOf(application).nextMailTo(email, 'email-changed');
  const link = new URL(mail.links.find((one) => one.includes(UNDO))!);
  expect(link.origin + link.pathname).toBe(application.origin + UNDO);
  return { key: link.hash.slice(1), mail };
};

test('nothing moves before the code that went to the new address comes back', async () => {
  const user = await signUp(application);
  const to = newAddress();
  await user.browser.post(ASK, { newEmail: to });
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

test('the offer to sign out everywhere else is on by default, and kept', async () => {
  const user = await signUp(application);
  const phone = await signIn(application, user);
  const to = newAddress();
  await user.browser.post(ASK, { newEmail: to });
  expect(fieldOnPage((await user.browser.get(VERIFY)).text, 'signOutOthers').isChecked).toBe(true);
  const answer = await user.browser.post(VERIFY, {
    code: await codeFor(to),
    signOutOthers: 'on',
  });
  expect(textOf((await user.browser.follow(answer)).text)).toContain('1 other device');
  expect(await isSignedIn(phone)).toBe(false);
  expect(await isSignedIn(user.browser)).toBe(true);
});

test('an address that somebody has is answered like one that nobody has, and told by mail', async () => {
  const other = await signUp(application);
  const user = await signUp(application);
  const answer = await user.browser.post(ASK, { newEmail: other.email });
  expect(answer.location).toBe(VERIFY);
  expect((await user.browser.post(VERIFY, { code: '00000000' })).status).toBe(400);
  await mailboxOf(application).nextMailTo(other.email, 'sign-up-taken');
  expect(await canSignIn(application, other.email, other.password)).toBe(true);
  expect(await canSignIn(application, user.email, user.password)).toBe(true);
});

test('an address that was taken in the meantime is refused, and nothing is lost', async () => {
  const user = await signUp(application);
  const to = newAddress();
  await user.browser.post(ASK, { newEmail: to });
  const code = await codeFor(to);
  await signUp(application, { email: to });
  const answer = await user.browser.post(VERIFY, { code });
  expect(answer.status).toBe(400);
  expect(textOf(answer.text)).toContain('Somebody else uses this e-mail by now.');
  expect(await canSignIn(application, user.email, user.password)).toBe(true);
});

test('a code that one account asked for moves no other in the same browser', async () => {
  const one = await signUp(application);
  const to = newAddress();
  await one.browser.post(ASK, { newEmail: to });
  const code = await codeFor(to);
  const other = await signUp(application);
  await one.browser.plantToken((await other.browser.sessionToken())!);
  expect((await one.browser.post(VERIFY, { code })).location).toBe(ASK);
  expect(await canSignIn(application, to, other.password)).toBe(false);
  expect(await canSignIn(application, other.email, other.password)).toBe(true);
});

test('reset codes that went to the old address die with the change', async () => {
  const user = await signUp(application);
  const thief = openBrowser(application);
  await thief.post('/forgot-password', { email: user.email });
  const mail = await mailboxOf(application).nextMailTo(user.email, 'password-reset-code');
  const brought = openBrowser(application);
  await brought.post('/forgot-password', { email: user.email });
  const second = await mailboxOf(application).nextMailTo(user.email, 'password-reset-code');
  await brought.post('/reset-password', { code: String(second.code) });
  await move(user, newAddress());
  expect((await thief.post('/reset-password', { code: String(mail.code) })).status).toBe(400);
  const late = await brought.post('/reset-password/new', { newPassword: 'of a thief of mail' });
  expect(late.location).toBe('/forgot-password');
});

describe('the old address', () => {
  test('is told, and can take the change back within a week, from any browser', async () => {
    const user = await signUp(application);
    const to = newAddress();
    await move(user, to);
    const { key, mail } = await undoKeyFor(user.email);
    expect(mail.text).toContain(to);
    application.clock.advance(7 * DAY_MS - 1);
    const phone = await signIn(application, { email: to, password: user.password });
    const anywhere = openBrowser(application);
    expect((await anywhere.get(UNDO)).status).toBe(200);
    const answer = await anywhere.post(UNDO, { key });
    expect(answer.location).toBe('/reset-password');
    expect(await isSignedIn(phone)).toBe(false);
    expect(await canSignIn(application, to, user.password)).toBe(false);
    // A new password is the next step: whoever changed the address may know the old one.
    const reset = await mailboxOf(application).nextMailTo(user.email, 'password-reset-code');
    const code = await anywhere.post('/reset-password', { code: String(reset.code) });
    expect(code.location).toBe('/reset-password/new');
  });

  test('cannot after a week', async () => {
    const user = await signUp(application);
    const to = newAddress();
    await move(user, to);
    const { key } = await undoKeyFor(user.email);
    application.clock.advance(7 * DAY_MS);
    const answer = await openBrowser(application).post(UNDO, { key });
    expect(answer.status).toBe(400);
    expect(fieldOnPage(answer.text, 'key')).toMatchObject({ isInvalid: true, value: null });
    expect(await canSignIn(application, to, user.password)).toBe(true);
  });

  test('cannot twice, nor twenty times at once', async () => {
    const user = await signUp(application);
    await move(user, newAddress());
    const { key } = await undoKeyFor(user.email);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => openBrowser(application).post(UNDO, { key })),
    );
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(1);
  });

  test('has the last word over addresses in between', async () => {
    const user = await signUp(application);
    const [between, last] = [newAddress(), newAddress()];
    await move(user, between);
    const { key: ofOwner } = await undoKeyFor(user.email);
    application.clock.advance(1);
    await move(user, last);
    const { key: ofThief } = await undoKeyFor(between);
    // The thief takes the second change back first; the owner still has the first.
    expect((await openBrowser(application).post(UNDO, { key: ofThief })).status).toBe(302);
    expect((await openBrowser(application).post(UNDO, { key: ofOwner })).status).toBe(302);
    expect(await canSignIn(application, user.email, user.password)).toBe(true);
  });

  test('makes codes worthless that went to the address in between', async () => {
    const user = await signUp(application);
    const between = newAddress();
    await move(user, between);
    const { key } = await undoKeyFor(user.email);
    const thief = openBrowser(application);
    await thief.post('/forgot-password', { email: between });
    const reset = await mailboxOf(application).nextMailTo(between, 'password-reset-code');
    expect((await openBrowser(application).post(UNDO, { key })).status).toBe(302);
    expect((await thief.post('/reset-password', { code: String(reset.code) })).status).toBe(400);
  });

  test('and once the owner has taken it back, nobody in between can any more', async () => {
    const user = await signUp(application);
    const [between, last] = [newAddress(), newAddress()];
    await move(user, between);
    const { key: ofOwner } = await undoKeyFor(user.email);
    application.clock.advance(1);
    await move(user, last);
    const { key: ofThief } = await undoKeyFor(between);
    expect((await openBrowser(application).post(UNDO, { key: ofOwner })).status).toBe(302);
    expect((await openBrowser(application).post(UNDO, { key: ofThief })).status).toBe(400);
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
])('a key that is none, %j, takes nothing back', async (key) => {
  // What is on its way is taken out of its table once it is sent.
  await mailboxOf(application).unread();
  const before = application.everything();
  const answer = await openBrowser(application).post(UNDO, { key });
  expect(answer.status).toBe(400);
  expect(fieldOnPage(answer.text, 'key').isInvalid).toBe(true);
  expect(application.everything()).toBe(before);
});

test('a key is in no table and no line of the log', async () => {
  const user = await signUp(application);
  await move(user, newAddress());
  const { key } = await undoKeyFor(user.email);
  const secret = key.split('.')[1]!;
  await openBrowser(application).post(UNDO, { key });
  expect(application.everything() + JSON.stringify(application.logged)).not.toContain(secret);
});
