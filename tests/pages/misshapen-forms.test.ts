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
/** Owes its second factor. */
let halfSignedIn: BrowserLike;
/** Signed in so long ago that a fresh proof is due. */
let tired: BrowserLike;
/** Has brought back the code that was mailed, and may choose a new password. */
let resetting: BrowserLike;
let phoneId: string;
beforeAll(async () => {
  application = await startApplication();
  tired = (await signUp(application)).browser;
  await tired.get('/');
  application.clock.advance(QUARTER_HOUR_MS);
  user = await signUp(application);
  const phone = await signIn(application, user);
  // The welcome has been read.
  await user.browser.get('/');
  // And the page that hands out a secret to set up has done so.
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

/** The form is there only for somebody who has begun something; others are led to its beginning. */
const MIDWAY = ['routes/signup/connection'];
const forms = (await everyRoute()).filter(
  ({ hasAction, id }) => hasAction && id !== 'routes/not-found' && !MIDWAY.includes(id),
);
/** Routes whose form has fields that must be there. */
const formsWithFields = forms.filter(({ id }) =>
  Object.keys(goodFields({ email: '' })[id]!).some((name) => name !== 'label'),
);

const errorsLogged = () => application.logged.filter(({ level }) => level >= LOG_ERROR);
const usersAndPasswords = () => [
  application.sql('SELECT * FROM User ORDER BY id'),
  application.sql('SELECT * FROM Password ORDER BY userId'),
];

/** Ways in which a program may misspell the name of a field; each holds a good value. */
const misspelt: [what: string, spell: (name: string) => string][] = [
  ['an operator', (name) => `${name}[contains]`],
  ['an operator of another database', (name) => `${name}[$ne]`],
  ['an operator behind a dot', (name) => `${name}.not`],
  ['a list', (name) => `${name}[]`],
  ['a list of one', (name) => `${name}[0]`],
  ['a list of four thousand million', (name) => `${name}[4294967294]`],
  ['a list of lists', (name) => `${name}[0][0][0]`],
  ['a depth of thousands', (name) => `${name}${'.a'.repeat(8000)}`],
  ['a prototype', (name) => `__proto__.${name}`],
  ['a constructor', (name) => `constructor.prototype.${name}`],
];

/** The browser in which this form is filled in. */
const whoFillsIn = (id: string) => {
  if (/^routes\/login\/(?!page$)/.test(id)) return halfSignedIn;
  if (id === 'routes/reset-password/new') return resetting;
  if (id.startsWith('routes/confirm/')) return tired;
  return id.startsWith('routes/settings/') ? user.browser : stranger;
};
/** Refused; the page of the one form that only scripts can fill in is elsewhere, and says so. */
const expectRefused = (id: string, { status, location, text }: Answer) => {
  if (id !== 'routes/confirm/passkey' || status === 400) return expect(status).toBe(400);
  // Scripts are told in the text.
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
  // Looked at once: it is the same after every form that was refused, or one of them was not.
  afterAll(() => {
    expect(usersAndPasswords()).toEqual(before);
    expect(errorsLogged()).toEqual([]);
  });

  test.each(misspelt)('a field name that is %s is no field', async (_what, spell) => {
    const fields = Object.entries(goodFields(user)[id]!);
    const body = fields.map(([name, value]): [string, string] => [spell(name), value]);
    const path = pathOf(route, phoneId);
    for (const address of [path, dataPathOf(path)]) {
      const answer = await whoFillsIn(id).post(address, body);
      expectRefused(id, answer);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
  });

  test('a field that comes twice is refused', async () => {
    const fields = Object.entries(goodFields(user)[id]!);
    const answer = await whoFillsIn(id).post(pathOf(route, phoneId), [...fields, ...fields]);
    expectRefused(id, answer);
  });

  test('a file in place of a text is refused', async () => {
    const parts = Object.entries(goodFields(user)[id]!).map(([name, text]): [string, string] => [
      `name="${name}"; filename="${name}.txt"`,
      text,
    ]);
    const answer = await send(whoFillsIn(id), pathOf(route, phoneId), {
      headers: MULTIPART,
      body: asParts(parts),
    });
    expectRefused(id, answer);
  });

  test.each([
    ['nothing at all', undefined, undefined],
    ['an empty form', '', 'application/x-www-form-urlencoded'],
    ['JSON', '{"email":{"contains":""},"password":"x"}', 'application/json'],
    ['JSON said to be a form', '{"email":{"contains":""}}', 'application/x-www-form-urlencoded'],
    ['text', 'email=a', 'text/plain'],
    ['XML', '<email>a</email>', 'application/xml'],
    ['parts without a boundary', 'email=a', 'multipart/form-data'],
    ['parts that end in the middle', `--${BOUNDARY}\r\nContent-Dis`, MULTIPART['Content-Type']],
    ['a type that is none', 'email=a', '}{'],
    ['broken percent signs', 'email=%&password=%zz&theme=%', 'application/x-www-form-urlencoded'],
    [
      'bytes that are no UTF-8',
      'email=%ff%fe&password=%c3%28',
      'application/x-www-form-urlencoded',
    ],
    ['what the form library keeps to itself', '__state__=%7B', 'application/x-www-form-urlencoded'],
    ['its other field', '__intent__=nonsense', 'application/x-www-form-urlencoded'],
  ])('%s in place of the form is refused', async (_what, body, type) => {
    const answer = await send(whoFillsIn(id), pathOf(route, phoneId), {
      headers: { 'Content-Type': type },
      body,
    });
    expectRefused(id, answer);
  });
});

test('a form that cannot be read takes no name away', async () => {
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

test('commands to the form library are not carried out', async () => {
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

test('a form in parts is as good as one in a line', async () => {
  const answer = await send(user.browser, '/settings/profile', {
    headers: MULTIPART,
    body: asParts([['name="name"', 'Ada in parts']]),
  });
  expect(answer.location).toBe('/settings/profile');
  const page = await user.browser.follow(answer);
  expect(fieldOnPage(page.text, 'name').value).toBe('Ada in parts');
});

test('a wrong form that is sent back holds the fields of the form and nothing else', async () => {
  const { text } = await user.browser.post('/settings/profile.data', {
    name: '',
    other: 'planted',
    'password[0]': 'canary',
    'newPassword.a': 'canary',
  });
  expect(text).not.toContain('planted');
  expect(text).not.toContain('canary');
});

test('thirty thousand fields of one name take no longer than any other form', async () => {
  const body = 'a&'.repeat(30_000);
  // Compared with one another each by each they took a second and more.
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
