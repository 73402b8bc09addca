import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loginPath, localPath, safeReturnPath } from '#app/http/return-path.server.ts';

const ORIGIN = 'http://localhost:3000';

/** Ways to be sent elsewhere, or nowhere. */
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
const NO_TEXT = [
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

/** Own paths, and how they are handed on. */
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

test.each(REFUSED)('%j is no path of ours', (wanted) => {
  expect(localPath(wanted)).toBeNull();
  expect(safeReturnPath(wanted)).toBe('/');
  expect(safeReturnPath(wanted, '/settings')).toBe('/settings');
});

test.each(NO_TEXT)('what is no text is no path: %j', (wanted) => {
  expect(localPath(wanted)).toBeNull();
});

test.each(OWN)('%j is handed on as %j', (wanted, path) => {
  expect(localPath(wanted)).toBe(path);
});

test('whatever is answered, a browser that is sent there stays with us', () => {
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
      // What is handed on is handed on again as it is.
      expect(localPath(path)).toBe(path.length > 1024 ? null : path);
    }),
    { numRuns: 5000 },
  );
});

describe('a place to go after signing in', () => {
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
  ])('is never a door or an action: %s', (wanted) => {
    expect(safeReturnPath(wanted)).toBe('/');
  });

  test.each(['/loginx', '/settings/login', '/themes', '/settings?x=/login'])(
    'may well be %s',
    (wanted) => {
      expect(safeReturnPath(wanted)).toBe(wanted);
    },
  );
});

describe('the way to the login page', () => {
  const asked = (path: string, init?: RequestInit) => new Request(`${ORIGIN}${path}`, init);

  test('comes back to the page that was asked for', () => {
    expect(loginPath(asked('/settings/data?x=1&y=2'), ORIGIN)).toBe(
      '/login?redirectTo=%2Fsettings%2Fdata%3Fx%3D1%26y%3D2',
    );
  });

  test('has nothing to say of the front page', () => {
    expect(loginPath(asked('/'), ORIGIN)).toBe('/login');
  });

  test('comes back to the page that a form stood on, not to where it was sent', () => {
    const headers = { referer: `${ORIGIN}/settings/sessions` };
    expect(loginPath(asked('/settings/x', { method: 'POST', headers }), ORIGIN)).toBe(
      '/login?redirectTo=%2Fsettings%2Fsessions',
    );
  });

  test.each([
    ['none', undefined],
    ['of another site', 'https://evil.example/settings'],
    ['of another port', 'http://localhost:3001/settings'],
    ['that begins like ours', `${ORIGIN}.evil.example/settings`],
    ['that is no address', 'settings'],
    ['of two slashes', `${ORIGIN}//evil.example`],
    ['of the login page', `${ORIGIN}/login?redirectTo=/settings`],
  ])('goes home when the form has a referrer %s', (_what, referer) => {
    const headers = referer === undefined ? undefined : { referer };
    expect(loginPath(asked('/settings/x', { method: 'POST', headers }), ORIGIN)).toBe('/login');
  });

  test('leads nowhere else, whatever host the request claims', () => {
    const request = new Request('http://evil.example//evil.example/settings');
    expect(loginPath(request, ORIGIN)).toBe('/login');
  });
});
