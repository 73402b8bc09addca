import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sha1, startRangeApi, type RangeApi } from '../credentials/password/range-api.ts';
import { LOG_WARN, startApplication, type TestApplication } from '../fixtures/application.ts';
import { mailboxOf, openBrowser, PASSWORD, signIn, signUp } from '../fixtures/users.ts';
import { fieldOnPage, textOf } from './form-on-page.ts';

const LEAKED = 'a leaked passphrase';

let api: RangeApi;
let application: TestApplication;
beforeAll(async () => {
  api = await startRangeApi();
  api.leaked.set(LEAKED, 7);
  application = await startApplication({
    env: { PWNED_PASSWORDS: 'on', PWNED_PASSWORDS_URL: api.url },
  });
});
afterAll(async () => {
  await application.close();
  await api.close();
});
beforeEach(() => {
  api.asked.length = 0;
  api.answer = null;
});

const submitSignUp = (email: string, password: string) =>
  openBrowser(application).post('/signup', { email, name: 'Grace Hopper', password });
const changePassword = (browser: ReturnType<typeof openBrowser>, newPassword: string) =>
  browser.post('/settings/password', { currentPassword: PASSWORD, newPassword });

test.each([
  [LEAKED, 'lists of leaked passwords'],
  ['Password1', 'lists of leaked passwords'],
  ['latchkey2026', 'the name of this site'],
  ['gracehopper', 'your name or your e-mail'],
  ['bad-choice@example.com', 'your name or your e-mail'],
])('a sign-up with the password %s is refused', async (password, why) => {
  const answer = await submitSignUp('bad-choice@example.com', password);
  expect(answer.status).toBe(400);
  expect(textOf(answer.text)).toContain(why);
  expect(fieldOnPage(answer.text, 'password')).toMatchObject({ isInvalid: true, hasFocus: true });
  expect(fieldOnPage(answer.text, 'email').value).toBe('bad-choice@example.com');
  if (password !== 'bad-choice@example.com') expect(answer.text).not.toContain(password);
  const rows = application.sql('SELECT id FROM "User" WHERE email = ?', 'bad-choice@example.com');
  expect(rows).toEqual([]);
});

test('a refused change to a known password counts no attempt and ends no session', async () => {
  const user = await signUp(application, { name: 'Grace Hopper' });
  for (const password of [LEAKED, 'Password1', 'latchkey2026', 'Hopper1906']) {
    const answer = await changePassword(user.browser, password);
    expect(answer.status, password).toBe(400);
    expect(fieldOnPage(answer.text, 'newPassword').isInvalid).toBe(true);
    expect(answer.text).not.toContain(password);
  }
  await signIn(application, user);
  expect((await changePassword(user.browser, 'another password')).status).toBe(302);
});

test('a reset to a known password is refused, and the reset can be completed afterwards', async () => {
  const { email } = await signUp(application);
  const browser = openBrowser(application);
  await browser.post('/forgot-password', { email });
  const { code } = await mailboxOf(application).nextMailTo(email, 'password-reset-code');
  await browser.post('/reset-password', { code: String(code) });
  for (const newPassword of [LEAKED, 'Password1', 'latchkey2026', email]) {
    const answer = await browser.post('/reset-password/new', { newPassword });
    expect(answer.status, newPassword).toBe(400);
    expect(fieldOnPage(answer.text, 'newPassword')).toMatchObject({ isInvalid: true, value: null });
  }
  await signIn(application, { email, password: PASSWORD });
  const answer = await browser.post('/reset-password/new', { newPassword: 'another password' });
  expect(answer.status).toBe(302);
});

test('a leaked password gets the same answer and lookups whether the e-mail is taken or not', async () => {
  const { email } = await signUp(application, { name: 'Grace Hopper' });
  const outcomes: unknown[] = [];
  for (const address of [email, 'nobody-yet@example.com']) {
    api.asked.length = 0;
    const { status, text } = await submitSignUp(address, LEAKED);
    outcomes.push([status, textOf(text).replaceAll(address, 'them'), api.asked.length]);
  }
  expect(outcomes[0]).toEqual(outcomes[1]);
});

test('an outage of the API refuses no password, and the log contains no password', async () => {
  api.answer = (response) => response.writeHead(500).end();
  const user = await signUp(application, { password: LEAKED });
  await signIn(application, user);
  const warnings = application.logged.filter(({ level }) => level >= LOG_WARN);
  expect(warnings.map(({ reason }) => reason)).toEqual(['It answered 500.']);
  const lines = JSON.stringify(application.logged);
  for (const secret of [LEAKED, PASSWORD, sha1(LEAKED).slice(0, 5)]) {
    expect(lines).not.toContain(secret);
  }
  // Only the sign-up asked the API. A sign-in does not.
  expect(api.asked).toHaveLength(1);
});
