import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import type { Answer } from '../fixtures/browser-like.ts';
import { openBrowser, PASSWORD, signUp, submitSignUp, type TestUser } from '../fixtures/users.ts';

// tests/http/return-path.test.ts tests the rule itself.
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
const SIGNED_OUT_PAGES = [
  '/login',
  '/login?redirectTo=/login',
  '/LOGIN',
  '/logout',
  '/signup',
  '/theme',
  '',
];
const UNUSUAL_LOCAL_PATHS = [
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
/** Every request that redirects to the path in `redirectTo`, which an attacker may have chosen. */
const redirects: [how: string, send: (redirectTo: string) => Promise<Answer>][] = [
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
    're-authentication',
    (redirectTo) => user.browser.post('/confirm', { password: PASSWORD, redirectTo }),
  ],
  [
    'the re-authentication page, when it is not needed',
    (redirectTo) => user.browser.get(`/confirm?${new URLSearchParams({ redirectTo })}`),
  ],
];
const chooseTheme = (redirectTo: string) =>
  openBrowser(application).post('/theme', { theme: 'dark', redirectTo });

describe.each(redirects)('%s', (how, send) => {
  test.each(ELSEWHERE)(`${how} redirects to / in place of %j`, async (redirectTo) => {
    const { status, location } = await send(redirectTo);
    expect({ status, location }).toEqual({ status: 302, location: '/' });
  });

  test.each(UNUSUAL_LOCAL_PATHS)(
    `${how} redirects to the local path %j`,
    async (redirectTo, path) => {
      const { status, location, headers } = await send(redirectTo);
      expect({ status, location }).toEqual({ status: 302, location: path });
      expect(String(headers['set-cookie'])).not.toContain('planted');
    },
  );
});

test.each(ELSEWHERE)('choosing a theme redirects to / in place of %j', async (redirectTo) => {
  const { status, location } = await chooseTheme(redirectTo);
  expect({ status, location }).toEqual({ status: 302, location: '/' });
});

test.each([...ELSEWHERE, ...SIGNED_OUT_PAGES])(
  'redirectTo=%j never causes a redirect loop',
  async (redirectTo) => {
    for (const [, send] of redirects) {
      const page = await user.browser.follow(await send(redirectTo));
      expect(page.status).toBe(200);
    }
  },
);

test.each(ELSEWHERE)(
  'the login and sign-up forms do not repeat redirectTo=%j',
  async (redirectTo) => {
    for (const path of ['/login', '/signup']) {
      const query = new URLSearchParams({ redirectTo }).toString();
      const { text } = await openBrowser(application).get(`${path}?${query}`);
      expect(text).toContain('<input type="hidden" name="redirectTo" value="/"/>');
    }
  },
);

test('signing in redirects back to the requested path with its query', async () => {
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
  ['Host', { Host: 'evil.example' }],
  ['X-Forwarded-Host', { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' }],
  ['Forwarded', { Forwarded: 'host=evil.example' }],
])('a host in the header %s appears in no redirect and on no page', async (_what, headers) => {
  const visitor = openBrowser(application);
  const refused = await visitor.get('/settings/profile', { headers });
  expect(refused.location).toBe('/login?redirectTo=%2Fsettings%2Fprofile');
  for (const path of ['/', '/login', '/nothing/here']) {
    const { text, headers: answered } = await visitor.get(path, { headers });
    expect(text + JSON.stringify(answered)).not.toContain('evil.example');
  }
});

test('paths with double slashes never redirect to another site', async () => {
  const visitor = openBrowser(application);
  for (const path of ['//evil.example', '//evil.example/settings', '/settings//evil.example']) {
    const { status, location } = await visitor.get(`${application.origin}${path}`);
    expect([302, 404]).toContain(status);
    if (location !== null) expect(location).toMatch(/^\/login(\?|$)/);
  }
});
