import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import type { Answer } from '../fixtures/browser-like.ts';
import { openBrowser, PASSWORD, signUp, submitSignUp, type TestUser } from '../fixtures/users.ts';

// What the rule itself makes of each is tested in tests/http/return-path.test.ts.
const ELSEWHERE = [
  '//evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  'https://evil.example/settings',
  'https:evil.example',
  'http://localhost@evil.example',
  'javascript:alert(1)',
  'data:text/html,x',
  '/.//evil.example',
  '@evil.example',
  ' //evil.example',
  `/${'x'.repeat(2000)}`,
];
const DOORS = ['/login', '/login?redirectTo=/login', '/LOGIN', '/logout', '/signup', '/theme', ''];
const ODD_BUT_OWN = [
  ['/%2f%2fevil.example', '/%2f%2fevil.example'],
  ['/%5cevil.example', '/%5cevil.example'],
  ['/%0d%0aSet-Cookie:%20planted=1', '/%0d%0aSet-Cookie:%20planted=1'],
  ['/settings/profile?a=\u00e9\u{1f511}', '/settings/profile?a=%C3%A9%F0%9F%94%91'],
  ['/@evil.example', '/@evil.example'],
] as const;

let application: TestApplication;
let user: TestUser;
beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application);
});
afterAll(() => application.close());

let accounts = 0;
/** Every way to be sent on to an address that somebody else may have chosen. */
const ways: [how: string, send: (redirectTo: string) => Promise<Answer>][] = [
  [
    'signing in',
    (redirectTo) =>
      openBrowser(application).post('/login', {
        email: user.email,
        password: PASSWORD,
        redirectTo,
      }),
  ],
  [
    'signing up',
    (redirectTo) =>
      submitSignUp(application, openBrowser(application), {
        email: `redirected${(accounts += 1)}@example.com`,
        name: 'Ada',
        password: PASSWORD,
        redirectTo,
      }),
  ],
  [
    'the login page, when signed in',
    (redirectTo) => user.browser.get(`/login?${new URLSearchParams({ redirectTo })}`),
  ],
  [
    'the sign-up page, when signed in',
    (redirectTo) => user.browser.get(`/signup?${new URLSearchParams({ redirectTo })}`),
  ],
  [
    'the passkey page, when signed in',
    (redirectTo) => user.browser.get(`/login/passkey?${new URLSearchParams({ redirectTo })}`),
  ],
  [
    'proving again who it is',
    (redirectTo) => user.browser.post('/confirm', { password: PASSWORD, redirectTo }),
  ],
  [
    'the page that asks for that, when it was proven just now',
    (redirectTo) => user.browser.get(`/confirm?${new URLSearchParams({ redirectTo })}`),
  ],
];
const chooseTheme = (redirectTo: string) =>
  openBrowser(application).post('/theme', { theme: 'dark', redirectTo });

describe.each(ways)('by %s', (_how, send) => {
  test.each(ELSEWHERE)('nobody is sent to %j', async (redirectTo) => {
    const { status, location } = await send(redirectTo);
    expect({ status, location }).toEqual({ status: 302, location: '/' });
  });

  test.each(ODD_BUT_OWN)('%j is a page of ours', async (redirectTo, path) => {
    const { status, location, headers } = await send(redirectTo);
    expect({ status, location }).toEqual({ status: 302, location: path });
    expect(String(headers['set-cookie'])).not.toContain('planted');
  });
});

test.each(ELSEWHERE)('choosing a theme sends nobody to %j', async (redirectTo) => {
  const { status, location } = await chooseTheme(redirectTo);
  expect({ status, location }).toEqual({ status: 302, location: '/' });
});

test.each([...ELSEWHERE, ...DOORS])('%j never goes in circles', async (redirectTo) => {
  for (const [, send] of ways) {
    const page = await user.browser.follow(await send(redirectTo));
    expect(page.status).toBe(200);
  }
});

test.each(ELSEWHERE)('the form of the login page carries no %j', async (redirectTo) => {
  for (const path of ['/login', '/signup']) {
    const query = new URLSearchParams({ redirectTo }).toString();
    const { text } = await openBrowser(application).get(`${path}?${query}`);
    expect(text).toContain('<input type="hidden" name="redirectTo" value="/"/>');
  }
});

test('the address that was asked for comes back after signing in, with all that it had', async () => {
  const visitor = openBrowser(application);
  const refused = await visitor.get('/settings/sessions?after=1.a&x=%2F%2Fevil.example#part');
  expect(refused.location).toBe(
    '/login?redirectTo=%2Fsettings%2Fsessions%3Fafter%3D1.a%26x%3D%252F%252Fevil.example',
  );
  const login = await visitor.get(refused.location!);
  const value = /name="redirectTo" value="([^"]*)"/.exec(login.text)![1]!;
  const back = await visitor.post('/login', {
    email: user.email,
    password: PASSWORD,
    redirectTo: value.replaceAll('&amp;', '&'),
  });
  expect(back.location).toBe('/settings/sessions?after=1.a&x=%2F%2Fevil.example');
});

test.each([
  ['its host', { Host: 'evil.example' }],
  [
    'a host that was passed on',
    { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' },
  ],
  ['a host that was passed on in the standard way', { Forwarded: 'host=evil.example' }],
])('what a request says of %s stands in no redirect and on no page', async (_what, headers) => {
  const visitor = openBrowser(application);
  const refused = await visitor.get('/settings/profile', { headers });
  expect(refused.location).toBe('/login?redirectTo=%2Fsettings%2Fprofile');
  for (const path of ['/', '/login', '/nothing/here']) {
    const { text, headers: answered } = await visitor.get(path, { headers });
    expect(text + JSON.stringify(answered)).not.toContain('evil.example');
  }
});

test('two slashes at the start of an address lead nowhere', async () => {
  const visitor = openBrowser(application);
  for (const path of ['//evil.example', '//evil.example/settings', '/settings//evil.example']) {
    const { status, location } = await visitor.get(`${application.origin}${path}`);
    expect([302, 404]).toContain(status);
    if (location !== null) expect(location).toMatch(/^\/login(\?|$)/);
  }
});
