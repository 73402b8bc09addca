import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOG_ERROR, startApplication, type TestApplication } from '../fixtures/application.ts';
import { turnOnTotp } from '../fixtures/authenticator.ts';
import type { Answer, AskOptions, BrowserLike } from '../fixtures/browser-like.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { addPasskey } from '../fixtures/passkeys.ts';
import { mailboxOf, openBrowser, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { SoftwarePasskey } from '../fixtures/software-authenticator.ts';
import { dataPathOf, everyRoute, goodFields, PASSKEY_ID, pathOf } from './every-route.ts';
import { fieldOnPage } from './form-on-page.ts';
import { expectOnceWithin, startCpuTimer } from '../fixtures/best-round.ts';

const QUARTER_HOUR_MS = 15 * 60_000;

let application: TestApplication;
let user: TestUser;
let stranger: BrowserLike;
/** Has entered the password, but not the second factor. */
let halfSignedIn: BrowserLike;
/** Signed in more than 15 minutes ago, so that it needs re-authentication. */
let staleBrowser: BrowserLike;
/** Has entered the mailed code, and may set a new password. */
let resetting: BrowserLike;
let phoneId: string;
beforeAll(async () => {
  application = await startApplication();
  staleBrowser = (await signUp(application)).browser;
  await staleBrowser.get('/');
  application.clock.advance(QUARTER_HOUR_MS);
  user = await signUp(application);
  const phone = await signIn(application, user);
  // The welcome message was shown.
  await user.browser.get('/');
  // The page has stored its pending secret.
  await user.browser.get('/settings/two-factor/set-up');
  stranger = openBrowser(application);
  const careful = await signUp(application);
  await turnOnTotp(application, careful);
  halfSignedIn = await signIn(application, careful);
  resetting = openBrowser(application);
  await resetting.post('/forgot-password', { email: careful.email });
  const { code } = await mailboxOf(application).nextMailTo(careful.email, 'password-reset-code');
  await resetting.post('/reset-password', { code: String(code) });
  const passkey = new SoftwarePasskey(application.origin, false, undefined, PASSKEY_ID);
  await addPasskey(application, user.browser, passkey);
  await user.browser.get('/settings/passkeys');
  phoneId = await sessionIdOf(phone);
});
afterAll(() => application.close());

const BOUNDARY = 'a-boundary-of-parts';
const asParts = (parts: [disposition: string, text: string][]) =>
  `${parts
    .map(
      ([disposition, text]) =>
        `--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${text}\r\n`,
    )
    .join('')}--${BOUNDARY}--\r\n`;
const MULTIPART = { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` };

/** Forms in the middle of a flow. Browsers that have not started it are redirected to the start. */
const MIDDLE_OF_A_FLOW = ['routes/signup/connection'];
const forms = (await everyRoute()).filter(
  ({ hasAction, id }) => hasAction && id !== 'routes/not-found' && !MIDDLE_OF_A_FLOW.includes(id),
);
/** Routes whose form has required fields. */
const formsWithFields = forms.filter(({ id }) =>
  Object.keys(goodFields({ email: '' })[id]!).some((name) => name !== 'label'),
);

const errorsLogged = () => application.logged.filter(({ level }) => level >= LOG_ERROR);
const usersAndPasswords = () => [
  application.sql('SELECT * FROM User ORDER BY id'),
  application.sql('SELECT * FROM Password ORDER BY userId'),
];

/** Malformed names for a field with a valid value. */
const malformedNames: [what: string, spell: (name: string) => string][] = [
  ['an operator', (name) => `${name}[contains]`],
  ['an operator of another database', (name) => `${name}[$ne]`],
  ['an operator behind a dot', (name) => `${name}.not`],
  ['a list', (name) => `${name}[]`],
  ['a list of one', (name) => `${name}[0]`],
  ['a list index of 2^32 - 2', (name) => `${name}[4294967294]`],
  ['a list of lists', (name) => `${name}[0][0][0]`],
  ['a path of 8000 parts', (name) => `${name}${'.a'.repeat(8000)}`],
  ['a prototype', (name) => `__proto__.${name}`],
  ['a constructor', (name) => `constructor.prototype.${name}`],
];

/** Returns the browser that can submit this form. */
const browserFor = (id: string) => {
  if (/^routes\/login\/(?!page$)/.test(id)) return halfSignedIn;
  if (id === 'routes/reset-password/new') return resetting;
  if (id.startsWith('routes/confirm/')) return staleBrowser;
  return id.startsWith('routes/settings/') ? user.browser : stranger;
};
/**
 * Expects a 400. The form for passkeys on /confirm, which only scripts can submit, redirects to
 * /confirm with an error instead.
 */
const expectRefused = (id: string, { status, location, text }: Answer) => {
  if (id !== 'routes/confirm/passkey' || status === 400) return expect(status).toBe(400);
  // For scripts the redirect is in the text.
  expect(location ?? text).toMatch(/\/confirm\?[^"]*\bpasskey=refused\b/);
};
const send = (browser: BrowserLike, path: string, { headers, ...rest }: AskOptions) =>
  browser.ask(path, {
    method: 'POST',
    headers: { Origin: application.origin, ...headers },
    ...rest,
  });

describe.each(formsWithFields.map((route) => [route.id, route] as const))('%s', (id, route) => {
  let before: unknown;
  beforeAll(() => {
    before = usersAndPasswords();
  });
  // Compared once, after all forms: a single form that had an effect would show here.
  afterAll(() => {
    expect(usersAndPasswords()).toEqual(before);
    expect(errorsLogged()).toEqual([]);
  });

  test.each(malformedNames)(
    `${id} refuses a form whose field names have %s`,
    async (_what, spell) => {
      const fields = Object.entries(goodFields(user)[id]!);
      const body = fields.map(([name, value]): [string, string] => [spell(name), value]);
      const path = pathOf(route, phoneId);
      for (const address of [path, dataPathOf(path)]) {
        const answer = await browserFor(id).post(address, body);
        expectRefused(id, answer);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
    },
  );

  test(`${id} refuses a form with every field twice`, async () => {
    const fields = Object.entries(goodFields(user)[id]!);
    const answer = await browserFor(id).post(pathOf(route, phoneId), [...fields, ...fields]);
    expectRefused(id, answer);
  });

  test(`${id} refuses files in place of texts`, async () => {
    const parts = Object.entries(goodFields(user)[id]!).map(([name, text]): [string, string] => [
      `name="${name}"; filename="${name}.txt"`,
      text,
    ]);
    const answer = await send(browserFor(id), pathOf(route, phoneId), {
      headers: MULTIPART,
      body: asParts(parts),
    });
    expectRefused(id, answer);
  });

  test.each([
    ['no body', undefined, undefined],
    ['an empty form', '', 'application/x-www-form-urlencoded'],
    ['JSON', '{"email":{"contains":""},"password":"x"}', 'application/json'],
    [
      'JSON with the content type of a form',
      '{"email":{"contains":""}}',
      'application/x-www-form-urlencoded',
    ],
    ['plain text', 'email=a', 'text/plain'],
    ['XML', '<email>a</email>', 'application/xml'],
    ['multipart without a boundary', 'email=a', 'multipart/form-data'],
    ['truncated multipart', `--${BOUNDARY}\r\nContent-Dis`, MULTIPART['Content-Type']],
    ['an invalid content type', 'email=a', '}{'],
    ['broken percent signs', 'email=%&password=%zz&theme=%', 'application/x-www-form-urlencoded'],
    ['invalid UTF-8', 'email=%ff%fe&password=%c3%28', 'application/x-www-form-urlencoded'],
    [
      'the internal state of the form library',
      '__state__=%7B',
      'application/x-www-form-urlencoded',
    ],
    [
      'an internal command of the form library',
      '__intent__=nonsense',
      'application/x-www-form-urlencoded',
    ],
  ])(`${id} refuses %s in place of the form`, async (_what, body, type) => {
    const answer = await send(browserFor(id), pathOf(route, phoneId), {
      headers: { 'Content-Type': type },
      body,
    });
    expectRefused(id, answer);
  });
});

test('an unreadable form does not remove the name of a session', async () => {
  const path = `/settings/sessions/${phoneId}/name`;
  await user.browser.follow(await user.browser.post(path, { label: 'Kitchen iPad' }));
  for (const [type, body] of [
    ['application/json', '{}'],
    ['multipart/form-data', 'label=x'],
    ['text/plain', 'label=x'],
  ] as const) {
    const answer = await send(user.browser, path, { headers: { 'Content-Type': type }, body });
    expect(answer.status).toBe(400);
  }
  const { text } = await user.browser.get(path);
  expect(fieldOnPage(text, 'label').value).toBe('Kitchen iPad');
});

test('commands to the form library are not executed', async () => {
  const before = usersAndPasswords();
  for (const command of [
    { type: 'update', payload: { name: 'email', value: 'x', index: 4294967294 } },
    { type: 'insert', payload: { name: 'email', index: 0, defaultValue: 'x' } },
    { type: 'reorder', payload: { name: 'name', from: 0, to: 4294967294 } },
    { type: 'reset', payload: {} },
    { type: 'validate', payload: {} },
  ]) {
    const answer = await user.browser.post('/settings/profile', {
      __intent__: JSON.stringify(command),
      email: 'x',
    });
    expect(answer.status).toBe(400);
    expect(fieldOnPage(answer.text, 'name').note).toBe('Enter your name.');
  }
  expect(usersAndPasswords()).toEqual(before);
});

test('a multipart form is accepted', async () => {
  const answer = await send(user.browser, '/settings/profile', {
    headers: MULTIPART,
    body: asParts([['name="name"', 'Ada in parts']]),
  });
  expect(answer.location).toBe('/settings/profile');
  const page = await user.browser.follow(answer);
  expect(fieldOnPage(page.text, 'name').value).toBe('Ada in parts');
});

test('a refused form returns only its own fields', async () => {
  const { text } = await user.browser.post('/settings/profile.data', {
    name: '',
    other: 'planted',
    'password[0]': 'canary',
    'newPassword.a': 'canary',
  });
  expect(text).not.toContain('planted');
  expect(text).not.toContain('canary');
});

test('a form with 30,000 fields of the same name takes less than 500 ms of CPU time', async () => {
  const body = 'a&'.repeat(30_000);
  // A quadratic comparison of the names took more than a second.
  await expectOnceWithin(500, async () => {
    const cpuMs = startCpuTimer();
    const answer = await send(stranger, '/login', {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body,
    });
    expect(answer.status).toBe(400);
    return cpuMs();
  });
});
