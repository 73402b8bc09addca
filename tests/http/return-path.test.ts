import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loginPath, localPath, safeReturnPath } from '#app/http/return-path.server.ts';

const ORIGIN = 'http://localhost:3000';

/** Values that lead to another site or are not a path. */
const REFUSED = [
  '',
  ' ',
  'settings',
  './settings',
  '../settings',
  '?next=/settings',
  '#settings',
  '//evil.example',
  '///evil.example',
  '////evil.example',
  '/\\evil.example',
  '\\/evil.example',
  '\\\\evil.example',
  '/\\/evil.example',
  '/settings\\..\\evil',
  '/\tevil',
  '/\t/evil.example',
  '\t//evil.example',
  '/\n/evil.example',
  '/\r/evil.example',
  '/settings\r\nSet-Cookie: a=b',
  '/settings\u0000',
  '/settings\u007f',
  ' //evil.example',
  ' /settings',
  '/.//evil.example',
  '/..//evil.example',
  '/./..//evil.example',
  '/%2e//evil.example',
  '/%2e%2e//evil.example',
  'http://evil.example',
  'https://evil.example/',
  'https:evil.example',
  'https:/evil.example',
  'HTTPS://EVIL.EXAMPLE',
  'http://localhost:3000/settings',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\nscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:msgbox(1)',
  'blob:null',
  'file:///etc/passwd',
  'mailto:a@example.com',
  '@evil.example',
  'user:password@evil.example',
  '//user@evil.example',
  '//localhost:3000@evil.example',
  '//evil.example:80',
  '//[::1]/',
  '//\u3002evil.example',
  '\uff0f\uff0fevil.example',
  `/${'x'.repeat(1024)}`,
];
const NO_STRING = [
  undefined,
  null,
  0,
  1,
  true,
  {},
  [],
  ['/settings'],
  { toString: () => '/settings' },
];

/** Local paths, and their normalized form. */
const OWN = [
  ['/', '/'],
  ['/settings', '/settings'],
  ['/settings/sessions?after=1.a', '/settings/sessions?after=1.a'],
  ['/settings#delete', '/settings#delete'],
  ['/%2f%2fevil.example', '/%2f%2fevil.example'],
  ['/%5cevil.example', '/%5cevil.example'],
  ['/%09/evil.example', '/%09/evil.example'],
  ['/%0d%0aSet-Cookie:%20a=b', '/%0d%0aSet-Cookie:%20a=b'],
  ['/@evil.example', '/@evil.example'],
  ['/settings/../settings/./data', '/settings/data'],
  ['/https://evil.example', '/https://evil.example'],
  ['/settings?redirectTo=//evil.example', '/settings?redirectTo=//evil.example'],
  ['/settings//evil.example', '/settings//evil.example'],
  ['/sessions of mine', '/sessions%20of%20mine'],
  ['/\u00e9\u{1f511}', '/%C3%A9%F0%9F%94%91'],
  ['/\u2028', '/%E2%80%A8'],
  ['/"><script>', '/%22%3E%3Cscript%3E'],
  [`/${'x'.repeat(1023)}`, `/${'x'.repeat(1023)}`],
] as const;

test.each(REFUSED)('%j is not a local path', (wanted) => {
  expect(localPath(wanted)).toBeNull();
  expect(safeReturnPath(wanted)).toBe('/');
  expect(safeReturnPath(wanted, '/settings')).toBe('/settings');
});

test.each(NO_STRING)('the value %j, which is not a string, is not a local path', (wanted) => {
  expect(localPath(wanted)).toBeNull();
});

test.each(OWN)('the local path %j becomes %j', (wanted, path) => {
  expect(localPath(wanted)).toBe(path);
});

test('for any string, a redirect to localPath() stays on the origin', () => {
  const pieces = fc.constantFrom(
    ...['/', '//', '\\', '.', '..', '%2f', '%5c', '%2e', '@', ':', '?', '#', '\t', '\n', '\r', ' '],
    ...['\u0000', '\u3002', '\uff0f', 'evil.example', 'https:', 'javascript:', 'settings', 'login'],
  );
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(pieces).map((parts) => parts.join('')),
    fc.array(pieces).map((parts) => `/${parts.join('')}`),
  );
  fc.assert(
    fc.property(texts, (wanted) => {
      const path = localPath(wanted);
      if (path === null) return;
      expect(path).toMatch(/^\/(?![/\\])[\x21-\x7e]*$/);
      expect(new URL(path, ORIGIN).origin).toBe(ORIGIN);
      // The result is stable: applying the function again changes nothing.
      expect(localPath(path)).toBe(path.length > 1024 ? null : path);
    }),
    { numRuns: 5000 },
  );
});

describe('the path after signing in', () => {
  test.each([
    '/login',
    '/login/',
    '/login?redirectTo=/login',
    '/login#x',
    '/logout',
    '/signup',
    '/signup?x',
    '/theme',
    '/settings/../login',
    '/./logout',
  ])('%s is refused as a return path, because it is a sign-in page or an action', (wanted) => {
    expect(safeReturnPath(wanted)).toBe('/');
  });

  test.each(['/loginx', '/settings/login', '/themes', '/settings?x=/login'])(
    '%s is accepted as a return path',
    (wanted) => {
      expect(safeReturnPath(wanted)).toBe(wanted);
    },
  );
});

describe('the redirect to the login page', () => {
  const requestFor = (path: string, init?: RequestInit) => new Request(`${ORIGIN}${path}`, init);

  test('the redirect to the login page has the requested page as its return path', () => {
    expect(loginPath(requestFor('/settings/data?x=1&y=2'), ORIGIN)).toBe(
      '/login?redirectTo=%2Fsettings%2Fdata%3Fx%3D1%26y%3D2',
    );
  });

  test('the redirect to the login page has no return path for the home page', () => {
    expect(loginPath(requestFor('/'), ORIGIN)).toBe('/login');
  });

  test("a form's return path is its own page, not the address it was sent to", () => {
    const headers = { referer: `${ORIGIN}/settings/sessions` };
    expect(loginPath(requestFor('/settings/x', { method: 'POST', headers }), ORIGIN)).toBe(
      '/login?redirectTo=%2Fsettings%2Fsessions',
    );
  });

  test.each([
    ['without a referrer', undefined],
    ['with a referrer on another site', 'https://evil.example/settings'],
    ['with a referrer on another port', 'http://localhost:3001/settings'],
    ['with a referrer that begins like our origin', `${ORIGIN}.evil.example/settings`],
    ['with a referrer that is not a URL', 'settings'],
    ['with a referrer with two slashes', `${ORIGIN}//evil.example`],
    ['with the login page as its referrer', `${ORIGIN}/login?redirectTo=/settings`],
  ])('a form %s gets no return path', (_what, referer) => {
    const headers = referer === undefined ? undefined : { referer };
    expect(loginPath(requestFor('/settings/x', { method: 'POST', headers }), ORIGIN)).toBe(
      '/login',
    );
  });

  test('a request with a foreign host gets no return path', () => {
    const request = new Request('http://evil.example//evil.example/settings');
    expect(loginPath(request, ORIGIN)).toBe('/login');
  });
});
