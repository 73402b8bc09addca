import { afterAll, beforeAll, expect, onTestFinished, test, vi, type MockInstance } from 'vitest';
import {
  besidesRequests,
  LOG_WARN,
  startApplication,
  type TestApplication,
} from '../fixtures/application.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { openBrowser, PASSWORD, signIn, signUp } from '../fixtures/users.ts';
import { fieldOnPage, textOf } from './form-on-page.ts';

const PAGE = '/settings/data/delete';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

const allRowsAsText = () => application.everything();

test('the page lists what will be deleted', async () => {
  const user = await signUp(application, { name: 'Ada Lovelace' });
  await signIn(application, user);
  await (await signIn(application, user)).post('/logout', {});
  const { text } = await user.browser.get(PAGE);
  expect(textOf(text)).toContain(`The account of Ada Lovelace, ${user.email}`);
  expect(textOf(text)).toContain('3 sessions on record');
  expect(textOf(text)).toContain('4 entries of the activity log');
  expect(textOf(text)).not.toMatch(/passkey|connected account|picture|recovery code/);
  expect(fieldOnPage(text, 'email').value).toBeNull();
});

test('confirming with the e-mail deletes every row of the user and signs out every device', async () => {
  const user = await signUp(application, { name: 'A name like no other' });
  const otherUser = await signUp(application, { name: 'Somebody who stays' });
  const phone = await signIn(application, user, { remember: true });
  const id = await sessionIdOf(phone);
  await user.browser.post(`/settings/sessions/${id}/name`, { label: 'A label like no other' });
  const [row] = application.sql<{ id: string }>('SELECT id FROM User WHERE email = ?', user.email);
  // Codes requested without a session belong to an e-mail address, not to an account.
  for (const path of ['/signup', '/forgot-password']) {
    const fields = { email: user.email, name: 'Anybody', password: 'some other password' };
    expect((await openBrowser(application).post(path, fields)).status).toBe(302);
  }
  const traces = [row!.id, user.email, user.name, 'A label like no other', id];
  for (const trace of traces) expect(allRowsAsText()).toContain(trace);

  const answer = await user.browser.post(PAGE, {
    email: ` ${user.email.toUpperCase()} `,
  });
  expect(answer.status).toBe(302);
  expect(answer.location).toMatch(/^\/erased\/[\w-]{24}$/);
  expect(answer.headers['clear-site-data']).toBe('"cache"');
  expect(answer.headers['set-cookie']!.join('\n')).toMatch(/^session=; Max-Age=0; Path=\/;/m);
  expect(await user.browser.sessionToken()).toBeNull();
  const receipt = await user.browser.get(answer.location!);
  expect(receipt.status).toBe(200);
  expect(textOf(receipt.text)).toContain('Your account is deleted');
  expect(textOf(receipt.text)).toContain(answer.location!.split('/').at(-1)!);
  expect(textOf(receipt.text)).toContain('21 November 2026 at 12:00 UTC');
  for (const trace of traces) expect(receipt.text).not.toContain(trace);

  for (const trace of traces) expect(allRowsAsText()).not.toContain(trace);
  const codes = application.sql('SELECT id FROM "MailedCode" WHERE email = ?', user.email);
  expect(codes).toEqual([]);
  expect((await phone.get('/settings/sessions')).location).toContain('/login');
  expect((await otherUser.browser.get('/settings/profile')).status).toBe(200);
  const again = await openBrowser(application).post('/login', {
    email: user.email,
    password: PASSWORD,
  });
  expect(again.status).toBe(400);
});

test.each([
  ['a wrong e-mail', { email: 'someone@example.com' }, 'email', /not the e-mail of this account/],
  ['an empty e-mail', { email: '' }, 'email', 'Enter your e-mail address.'],
  ['a malformed e-mail', { email: 'delete' }, 'email', /like name@example\.com/],
])('%s is refused next to the field, and nothing is deleted', async (_what, wrong, field, says) => {
  const user = await signUp(application);
  await user.browser.get('/');
  const before = allRowsAsText();
  const answer = await user.browser.post(PAGE, wrong);
  expect(answer.status).toBe(400);
  expect(answer.headers['set-cookie']).toBeUndefined();
  expect(fieldOnPage(answer.text, field)).toMatchObject({ isInvalid: true, hasFocus: true });
  expect(fieldOnPage(answer.text, field).note).toMatch(says);
  expect(allRowsAsText()).toBe(before);
});

test("another user's e-mail deletes neither account", async () => {
  const user = await signUp(application);
  const other = await signUp(application);
  const before = allRowsAsText();
  const { status } = await user.browser.post(PAGE, {
    email: other.email,
  });
  expect(status).toBe(400);
  expect(allRowsAsText()).toBe(before);
});

test('concurrent and repeated deletions erase the account once and give one receipt', async () => {
  const user = await signUp(application);
  const cookie = { Cookie: `session=${(await user.browser.sessionToken())!}` };
  const form = { email: user.email };
  const cut = application.logged.length;
  const answers = await Promise.all(
    [1, 2, 3].map(() => openBrowser(application).post(PAGE, form, { headers: cookie })),
  );
  for (const { status } of answers) expect([302, 400]).toContain(status);
  const receipts = answers.flatMap(({ location }) =>
    location?.startsWith('/erased/') ? [location] : [],
  );
  expect(receipts.length).toBeGreaterThan(0);
  expect(new Set(receipts).size).toBe(1);
  const later = await openBrowser(application).post(PAGE, form, { headers: cookie });
  expect(later.location).toBe('/login?redirectTo=%2Fsettings%2Fdata%2Fdelete');
  const lines = besidesRequests(application.logged.slice(cut));
  expect(lines.map(({ msg }) => msg)).toEqual(['an account was erased']);
  expect(allRowsAsText()).not.toContain(user.email);
});

test('a new account with the same e-mail shows nothing of the old one, nor accepts its token', async () => {
  const user = await signUp(application, { name: 'The old one' });
  const oldToken = (await user.browser.sessionToken())!;
  await user.browser.post(PAGE, { email: user.email });
  const newUser = await signUp(application, { email: user.email, name: 'The new one' });
  const { text } = await newUser.browser.get('/settings/sessions');
  expect(textOf(text)).not.toContain('The old one');
  const oldBrowser = openBrowser(application);
  await oldBrowser.plantToken(oldToken);
  expect((await oldBrowser.get('/settings/sessions')).status).toBe(302);
});

/** Erases the account just before a request calls the method `name` of `part`. */
function eraseBefore<Part extends object>(part: Part, name: keyof Part & string, userId: string) {
  const original = part[name] as (...args: unknown[]) => Promise<unknown>;
  const spy = vi.spyOn(part as Record<string, never>, name as never) as unknown as MockInstance;
  spy.mockImplementationOnce(async (...args: unknown[]) => {
    await application.application.erasures.erase(userId, application.clock.now());
    return original.apply(part, args);
  });
  onTestFinished(() => spy.mockRestore());
}

test.each([
  ['starts a session', 'sessions', 'start', '/login', {}],
  ['records a sign-in in the activity log', 'activity', 'record', '/login', {}],
  [
    'sets a password',
    'passwords',
    'set',
    '/settings/password',
    { newPassword: 'another password' },
  ],
  ['signs out the other devices', 'activity', 'record', '/settings/sessions/others/sign-out', {}],
] as const)(
  'a request that %s during the erasure is redirected to /login and leaves no row',
  async (_what, part, name, path, fields) => {
    const user = await signUp(application);
    const other = await signIn(application, user);
    const [row] = application.sql<{ id: string }>(
      'SELECT id FROM User WHERE email = ?',
      user.email,
    );
    const { application: parts } = application;
    eraseBefore(parts[part] as never, name as never, row!.id);
    const browser = path === '/login' ? openBrowser(application) : other;
    const cut = application.logged.length;
    const answer = await browser.post(path, { email: user.email, password: PASSWORD, ...fields });
    expect(answer.status).toBe(302);
    expect(answer.location).toMatch(/^\/login/);
    expect(application.logged.slice(cut).filter(({ level }) => level >= LOG_WARN)).toEqual([]);
    expect(allRowsAsText()).not.toContain(row!.id);
    expect(allRowsAsText()).not.toContain(user.email);
  },
);
