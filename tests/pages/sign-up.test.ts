import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { userIdOf } from '../fixtures/ids.ts';
import { canSignIn } from '../fixtures/signed-in.ts';
import { openBrowser, PASSWORD, signIn, signUp, submitSignUp } from '../fixtures/users.ts';
import { fieldOnPage, formErrorOnPage, textOf } from './form-on-page.ts';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

const EMOJI = '\u{1f511}';
let users = 0;
const newEmail = () => `person${(users += 1)}@example.com`;
const details = (given: Record<string, string> = {}) => ({
  name: 'Ada Lovelace',
  email: newEmail(),
  password: PASSWORD,
  ...given,
});

const countUsers = () => application.sql<{ count: number }>('SELECT count(*) AS count FROM User');

test('a new user is signed in at once, welcomed and redirected to the requested page', async () => {
  const browser = openBrowser(application);
  const given = details({ redirectTo: '/settings/sessions' });
  const answer = await submitSignUp(application, browser, given);
  expect(answer.status).toBe(302);
  expect(answer.location).toBe('/settings/sessions');
  const page = await browser.follow(answer);
  expect(page.status).toBe(200);
  expect(textOf(page.text)).toContain('Welcome. Your account is ready.');
  expect(textOf(page.text)).toContain('Ada Lovelace');
});

test('only the bcrypt hash of a password is stored', async () => {
  const given = details();
  await submitSignUp(application, openBrowser(application), given);
  const [row] = application.sql<{ hash: string }>(
    'SELECT p.* FROM Password p JOIN User u ON u.id = p.userId WHERE u.email = ?',
    given.email,
  );
  expect(Object.keys(row!).sort()).toEqual(['changedAt', 'hash', 'userId']);
  expect(row!.hash).toMatch(/^\$2[aby]\$04\$/);
});

test('createdAt and updatedAt of an account are the time of the sign-up request', async () => {
  const given = details();
  await submitSignUp(application, openBrowser(application), given);
  const nowMs = application.clock.now().getTime();
  const rows = application.sql(
    'SELECT createdAt, updatedAt FROM User WHERE email = ?',
    given.email,
  );
  expect(rows).toEqual([{ createdAt: nowMs, updatedAt: nowMs }]);
});

test.each([
  ['an empty password', { password: '' }, 'password', 'Choose a password.'],
  ['a password of 7 characters', { password: '1234567' }, 'password', 'Use at least 8 characters.'],
  [
    'a password of 7 emoji',
    { password: EMOJI.repeat(7) },
    'password',
    'Use at least 8 characters.',
  ],
  [
    'a password of 257 characters',
    { password: 'x'.repeat(257) },
    'password',
    'Use at most 256 characters.',
  ],
  [
    'a password of 257 emoji',
    { password: EMOJI.repeat(257) },
    'password',
    'Use at most 256 characters.',
  ],
  ['an empty e-mail', { email: '' }, 'email', 'Enter your e-mail address.'],
  ['an e-mail of spaces', { email: '   ' }, 'email', /e-mail address/],
  ['an e-mail without @', { email: 'ada.example.com' }, 'email', /like name@example\.com/],
  ['an e-mail with nothing before @', { email: '@example.com' }, 'email', /like name@example\.com/],
  ['an e-mail with nothing after @', { email: 'ada@' }, 'email', /like name@example\.com/],
  ['two e-mail addresses', { email: 'ada@example.com,b@example.com' }, 'email', /like name@/],
  ['a header in the e-mail', { email: 'ada@example.com\r\nBcc: b@example.com' }, 'email', /like/],
  ['a NUL in the e-mail', { email: 'ada\u0000@example.com' }, 'email', /like name@/],
  ['markup in the e-mail', { email: '<b>ada</b>@example.com' }, 'email', /like name@/],
  [
    'an e-mail of 255 characters',
    { email: `${'a'.repeat(243)}@example.com` },
    'email',
    /longer than/,
  ],
  ['an empty name', { name: '' }, 'name', 'Enter your name.'],
  ['a name of spaces', { name: ' \u00a0\t ' }, 'name', 'Enter your name.'],
  ['a name of 81 characters', { name: 'x'.repeat(81) }, 'name', 'Use at most 80 characters.'],
  ['a line break in the name', { name: 'Ada\nLovelace' }, 'name', /Leave out line breaks/],
  ['a NUL in the name', { name: 'Ada\u0000Lovelace' }, 'name', /Leave out .* control characters/],
  [
    'an escape character in the name',
    { name: 'Ada\u001b[31m' },
    'name',
    /Leave out .* control characters/,
  ],
  ['a C1 control in the name', { name: 'Ada\u0085' + 'L' }, 'name', /Leave out .* control/],
])(
  '%s is refused next to the field, and the other fields keep their input',
  async (_what, wrong, field, says) => {
    const before = countUsers();
    const typed = details(wrong);
    const answer = await openBrowser(application).post('/signup', typed);
    expect(answer.status).toBe(400);
    expect(answer.headers['set-cookie']).toBeUndefined();
    const inError = fieldOnPage(answer.text, field);
    expect(inError).toMatchObject({ isInvalid: true, hasFocus: true });
    expect(inError.note).toMatch(says);
    for (const other of ['name', 'email', 'password'].filter((name) => name !== field)) {
      expect(fieldOnPage(answer.text, other)).toMatchObject({ isInvalid: false, hasFocus: false });
    }
    for (const kept of ['name', 'email'].filter((name) => name !== field)) {
      expect(fieldOnPage(answer.text, kept).value).toBe(typed[kept as 'name' | 'email']);
    }
    expect(countUsers()).toEqual(before);
  },
);

test('all errors of a form are shown together, and the first field has the focus', async () => {
  const typed = { name: '', email: 'ada', password: 'short', remember: 'on' };
  const { status, text } = await openBrowser(application).post('/signup', typed);
  expect(status).toBe(400);
  expect(fieldOnPage(text, 'name')).toMatchObject({ isInvalid: true, hasFocus: true });
  expect(fieldOnPage(text, 'email')).toMatchObject({
    isInvalid: true,
    hasFocus: false,
    value: 'ada',
  });
  expect(fieldOnPage(text, 'password')).toMatchObject({ isInvalid: true, hasFocus: false });
  expect(fieldOnPage(text, 'remember').isChecked).toBe(true);
  expect(formErrorOnPage(text)).toBeNull();
});

test('a refused form never returns the password, neither in the page nor in its data', async () => {
  const browser = openBrowser(application);
  const typed = details({ name: '', password: 'canary-of-the-form' });
  for (const path of ['/signup', '/signup.data', '/login', '/login.data']) {
    const { status, text } = await browser.post(path, typed);
    expect(status).toBe(400);
    expect(text).not.toContain('canary-of-the-form');
  }
  const { text } = await browser.post('/signup', typed);
  expect(fieldOnPage(text, 'password').value).toBeNull();
});

test.each([
  ['8 characters', 'k7#vQ2p!'],
  ['8 emoji', EMOJI.repeat(8)],
  ['256 characters', 'x'.repeat(256)],
  ['256 emoji', EMOJI.repeat(256)],
  ['spaces only', '        '],
  ['control characters', '\u0000\u0001\u0002\u0003\r\n\t\u007f'],
])('a password of %s works for sign-up and sign-in', async (_what, password) => {
  const user = await signUp(application, { email: newEmail(), password });
  expect(await canSignIn(application, user.email, password)).toBe(true);
});

test.each([
  ['whitespace at both ends', '  correct horse  ', 'correct horse'],
  ['whitespace at the end', 'correct horse ', 'correct horse'],
  ['letter case', 'Correct Horse', 'correct horse'],
  ['the 73rd byte', `${'x'.repeat(72)}a`, `${'x'.repeat(72)}b`],
  ['the 256th character', `${'x'.repeat(255)}a`, `${'x'.repeat(255)}b`],
  ['the text after a NUL', 'secret\u0000one', 'secret\u0000two'],
  ['the text after a leading NUL', '\u0000correct', '\u0000horses!'],
  ['the Unicode form of an accent', 'caf\u00e9 caf\u00e9', 'cafe\u0301 cafe\u0301'],
])('%s matters in a password', async (_what, password, other) => {
  const user = await signUp(application, { email: newEmail(), password });
  expect(await canSignIn(application, user.email, other)).toBe(false);
  expect(await canSignIn(application, user.email, password)).toBe(true);
});

test('an e-mail is trimmed and case-insensitive', async () => {
  const browser = openBrowser(application);
  const name = newEmail();
  const given = details({ email: `  ${name.toUpperCase()} ` });
  const answer = await submitSignUp(application, browser, given);
  expect(answer.status).toBe(302);
  expect(await canSignIn(application, name, PASSWORD)).toBe(true);
  expect(await canSignIn(application, name.toUpperCase(), PASSWORD)).toBe(true);

  const [row] = application.sql('SELECT email FROM User WHERE lower(email) = ?', name);
  expect(row).toEqual({ email: name });
});

test.each([
  ['80 characters', 'x'.repeat(80)],
  ['80 emoji', EMOJI.repeat(80)],
  ['one character', '李'],
  ['apostrophes and accents', "Zoë O'Brien-Łukasz"],
])('a name of %s is stored unchanged', async (_what, name) => {
  const user = await signUp(application, { email: newEmail(), name });
  const [row] = application.sql('SELECT name FROM User WHERE email = ?', user.email);
  expect(row).toEqual({ name });
});

test('a name of 81 emoji is refused', async () => {
  const answer = await openBrowser(application).post(
    '/signup',
    details({ name: EMOJI.repeat(81) }),
  );
  expect(answer.status).toBe(400);
  expect(fieldOnPage(answer.text, 'name').note).toBe('Use at most 80 characters.');
});

test('unknown fields of the sign-up form are ignored', async () => {
  const browser = openBrowser(application);
  const given = details();
  const victim = await signUp(application);
  const victimId = userIdOf(application, victim);
  const answer = await submitSignUp(application, browser, {
    ...given,
    id: 'chosen-id',
    userId: victimId,
    createdAt: '2001-01-01T00:00:00.000Z',
    updatedAt: '2001-01-01T00:00:00.000Z',
    role: 'administrator',
    'sessions.create.id': 'chosen-session',
    'password.hash': 'chosen-hash',
    'user.id': victimId,
  });
  expect(answer.status).toBe(302);
  const [row] = application.sql<{ id: string; createdAt: number }>(
    'SELECT id, createdAt FROM User WHERE email = ?',
    given.email,
  );
  expect(row!.id).not.toBe('chosen-id');
  expect(row!.id).not.toBe(victimId);
  expect(new Date(row!.createdAt).getUTCFullYear()).not.toBe(2001);
  expect(await canSignIn(application, given.email, PASSWORD)).toBe(true);
  expect(await canSignIn(application, victim.email, PASSWORD)).toBe(true);
  expect(application.sql(`SELECT id FROM Session WHERE id = 'chosen-session'`)).toEqual([]);
});

test('the sign-up page redirects a signed-in user', async () => {
  const user = await signUp(application);
  const answer = await user.browser.get('/signup?redirectTo=/settings/profile');
  expect(answer.status).toBe(302);
  expect(answer.location).toBe('/settings/profile');
});

test('a sign-up in a signed-in browser ends the session of that browser', async () => {
  const user = await signUp(application);
  const phone = await signIn(application, user);
  const first = await phone.sessionToken();
  // The page would redirect a signed-in user, but the form may have been opened before the sign-in.
  const answer = await submitSignUp(application, phone, details({ name: 'Grace Hopper' }));
  expect(answer.status).toBe(302);
  expect(await phone.sessionToken()).not.toBe(first);
  const page = await phone.get('/settings/profile');
  expect(fieldOnPage(page.text, 'name').value).toBe('Grace Hopper');
  await phone.plantToken(first!);
  expect((await phone.get('/settings/profile')).status).toBe(302);
});
