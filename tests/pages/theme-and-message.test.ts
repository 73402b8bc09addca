import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { openBrowser, signUp } from '../fixtures/users.ts';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

const themeOf = (html: string) => /<html[^>]* data-theme="([^"]*)"/.exec(html)?.[1];

test('a theme applies to every page until "system" is chosen again', async () => {
  const visitor = openBrowser(application);
  expect(themeOf((await visitor.get('/')).text)).toBe('system');
  for (const theme of ['dark', 'light'] as const) {
    const answer = await visitor.post('/theme', { theme, redirectTo: '/login?x=1' });
    expect(answer.status).toBe(302);
    expect(answer.location).toBe('/login?x=1');
    for (const path of ['/', '/login', '/nothing/here']) {
      const { text } = await visitor.get(path);
      expect(themeOf(text)).toBe(theme);
      expect(text).toContain(`<meta name="color-scheme" content="${theme}"/>`);
    }
  }
  await visitor.post('/theme', { theme: 'system' });
  expect(themeOf((await visitor.get('/')).text)).toBe('system');
  expect((await visitor.jar.getCookies(application.origin)).map(({ key }) => key)).toEqual([]);
});

test('a theme can be chosen by script', async () => {
  const visitor = openBrowser(application);
  const answer = await visitor.post(
    '/theme.data',
    { theme: 'dark' },
    { headers: { Accept: '*/*' } },
  );
  expect(answer.status).toBe(200);
  expect(themeOf((await visitor.get('/')).text)).toBe('dark');
});

test('signing out keeps the theme', async () => {
  const { browser } = await signUp(application);
  await browser.post('/theme', { theme: 'dark' });
  await browser.post('/logout', {});
  expect(themeOf((await browser.get('/')).text)).toBe('dark');
});

test.each(['blue', '', 'DARK', 'dark; Path=/x', '<script>', 'x'.repeat(5000)])(
  'the unknown theme "%s" is refused',
  async (theme) => {
    const visitor = openBrowser(application);
    const answer = await visitor.post('/theme', { theme });
    expect(answer.status).toBe(400);
    expect(answer.headers['set-cookie']).toBeUndefined();
  },
);

test.each(['blue', '"><script>alert(1)</script>', '%', 'dark dark', 'x'.repeat(4000)])(
  'the invalid theme cookie "%s" falls back to the system theme',
  async (value) => {
    const { status, text } = await openBrowser(application).get('/', {
      headers: { Cookie: `theme=${value}` },
    });
    expect(status).toBe(200);
    expect(themeOf(text)).toBe('system');
    expect(text).not.toContain('<script>alert(1)');
  },
);

const asCookie = (message: unknown) =>
  `toast=${Buffer.from(JSON.stringify(message)).toString('base64url')}`;

test.each([
  ['an unknown kind', asCookie({ kind: 'phone', text: 'Call 0900 123' })],
  [
    'a known kind with an invalid count',
    asCookie({ kind: 'others-ended', count: 'Call 0900 123' }),
  ],
  [
    'a known kind with a device name that is too long',
    asCookie({ kind: 'session-ended', device: 'Call 0900 123 '.repeat(9) }),
  ],
  ['invalid base64url', 'toast=%%%'],
  ['plain JSON', 'toast={"kind":"welcome"}'],
  ['an empty value', 'toast='],
])('a planted toast cookie with %s is not shown', async (_what, cookie) => {
  const { status, text } = await openBrowser(application).get('/', { headers: { Cookie: cookie } });
  expect(status).toBe(200);
  expect(text).not.toContain('Call 0900 123');
  expect(/<div role="status"[^>]*>(.*?)<\/div>/s.exec(text)![1]).toBe('');
});

test('a planted toast cookie of an earlier version is not shown', async () => {
  const cookie = asCookie({ kind: 'session-ended', device: '<b>x</b>' });
  const answer = await openBrowser(application).get('/', { headers: { Cookie: cookie } });
  expect(answer.text).not.toContain('is signed out');
  expect(answer.headers['set-cookie']).toBeUndefined();
});
