import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { userIdOf } from '../fixtures/ids.ts';
import { openBrowser, signUp } from '../fixtures/users.ts';
import { fieldOnPage, textOf } from './form-on-page.ts';

const PAGE = '/settings/profile';
const EMOJI = '\u{1f511}';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

test('a new name is trimmed, saved, confirmed once and shown at once', async () => {
  const { browser, email } = await signUp(application);
  const answer = await browser.post(PAGE, { name: '  Augusta Ada King  ' });
  expect(answer.location).toBe(PAGE);
  const { text } = await browser.follow(answer);
  expect(fieldOnPage(text, 'name').value).toBe('Augusta Ada King');
  expect(textOf(text)).toContain('Your profile is saved.');
  expect(textOf(text)).toContain('Menu of Augusta Ada King');
  expect(textOf(text)).toContain(email);
  // The message is shown once only.
  expect(textOf((await browser.get(PAGE)).text)).not.toContain('Your profile is saved.');
});

test('changing the name sets updatedAt to the time of the request', async () => {
  const { browser, email } = await signUp(application);
  application.clock.advance(60_000);
  await browser.post(PAGE, { name: 'Augusta' });
  const rows = application.sql('SELECT updatedAt FROM User WHERE email = ?', email);
  expect(rows).toEqual([{ updatedAt: application.clock.now().getTime() }]);
});

test.each([
  ['an empty name', '', 'Enter your name.'],
  ['a name of spaces', '   ', 'Enter your name.'],
  ['a name of 81 characters', 'x'.repeat(81), 'Use at most 80 characters.'],
  ['a name of 81 emoji', EMOJI.repeat(81), 'Use at most 80 characters.'],
  ['a name of two lines', 'Ada\nLovelace', /Leave out line breaks/],
  ['a name with a NUL', 'Ada\u0000', /control characters/],
])('%s is refused next to the field, which keeps the input', async (_what, name, says) => {
  const { browser, email } = await signUp(application, { name: 'Ada' });
  const { status, text } = await browser.post(PAGE, { name });
  expect(status).toBe(400);
  const field = fieldOnPage(text, 'name');
  expect(field).toMatchObject({ isInvalid: true, hasFocus: true });
  expect(field.note).toMatch(says);
  if (name.trim() !== '') expect(field.value).toBe(name.replaceAll('\u0000', ''));
  expect(textOf(text)).toContain('Menu of Ada');
  expect(application.sql('SELECT name FROM User WHERE email = ?', email)).toEqual([
    { name: 'Ada' },
  ]);
});

test.each([
  ['80 characters', 'x'.repeat(80)],
  ['80 emoji', EMOJI.repeat(80)],
])('a name of %s is saved', async (_what, name) => {
  const { browser } = await signUp(application);
  const { text } = await browser.follow(await browser.post(PAGE, { name }));
  expect(fieldOnPage(text, 'name').value).toBe(name);
});

test('unknown form fields are ignored', async () => {
  const one = await signUp(application, { name: 'One' });
  const other = await signUp(application, { name: 'Other' });
  const otherId = userIdOf(application, other);
  const answer = await one.browser.post(PAGE, {
    name: 'One once more',
    id: otherId,
    userId: otherId,
    email: 'taken-over@example.com',
    createdAt: '0',
    'password.hash': 'x',
  });
  expect(answer.status).toBe(302);
  const names = application.sql('SELECT email, name FROM User WHERE name LIKE ?', 'O%');
  expect(names).toContainEqual({ email: one.email, name: 'One once more' });
  expect(names).toContainEqual({ email: other.email, name: 'Other' });
});

test('/settings redirects to the sessions page', async () => {
  const { browser } = await signUp(application);
  expect((await browser.get('/settings')).location).toBe('/settings/sessions');
  expect((await openBrowser(application).get('/settings')).location).toBe(
    '/login?redirectTo=%2Fsettings',
  );
});
