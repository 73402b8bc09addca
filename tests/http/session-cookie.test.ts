import { describe, expect, test } from 'vitest';
import { createSessionCookie } from '#app/http/session-cookie.server.ts';

const TOKEN = `${'A'.repeat(22)}.${'b'.repeat(43)}`;
const local = createSessionCookie('http://localhost:3000');
const secure = createSessionCookie('https://latchkey.example');

describe.each([
  ['session', local],
  ['__Host-session', secure],
])('the cookie %s', (name, cookie) => {
  test('the name of the session cookie depends on the scheme', () => {
    expect(cookie.name).toBe(name);
  });

  test.each([
    ['alone', `${name}=${TOKEN}`],
    ['first', `${name}=${TOKEN}; theme=dark`],
    ['last', `theme=dark; ${name}=${TOKEN}`],
    ['with spaces', ` theme=dark ;  ${name} = ${TOKEN} `],
    ['without spaces', `theme=dark;${name}=${TOKEN};a=b`],
    [
      'next to cookies with similar names',
      `${name}2=x; x${name}=x; ${name.toUpperCase()}=x; ${name}=${TOKEN}`,
    ],
    ['next to malformed cookies', `;;=;=x; ; "; %; ${name}=${TOKEN};;`],
    ['next to cookies with its name as their value', `a=${name}; b=${name}=x; ${name}=${TOKEN}`],
  ])('the session cookie is read %s', (_where, header) => {
    expect(cookie.read(header)).toBe(TOKEN);
  });

  test.each([
    ['no header', null],
    ['an undefined header', undefined],
    ['an empty header', ''],
    ['other cookies', 'theme=dark'],
    ['the name without a value', name],
    ['two session cookies', `${name}=${TOKEN}; ${name}=${TOKEN}`],
    ['two session cookies, one of them empty', `${name}=; ${name}=${TOKEN}`],
    ['two session cookies, one of them without a value', `${name}; ${name}=${TOKEN}`],
    ['two session cookies with odd spaces', `${name}=${TOKEN};\t${name} =x`],
    ['a name in another case', `Session=${TOKEN}`],
  ])('no token is read from %s', (_what, header) => {
    expect(cookie.read(header)).toBeNull();
  });

  test('an empty session cookie counts as none', () => {
    expect(cookie.read(`${name}=`) || null).toBeNull();
  });

  test('badly encoded values do not throw', () => {
    expect(() => cookie.read(`${name}=%E0%A4%A; a=%`)).not.toThrow();
  });
});

test('the session cookie is not read under the name for the other scheme', () => {
  expect(local.read(`__Host-session=${TOKEN}`)).toBeNull();
  expect(secure.read(`session=${TOKEN}`)).toBeNull();
});

test('the session cookie is protected from scripts, other sites, other hosts and plain HTTP', () => {
  const attributes = (line: string) => line.split('; ').slice(1).sort();
  expect(attributes(secure.write(TOKEN, null))).toEqual([
    'HttpOnly',
    'Path=/',
    'SameSite=Lax',
    'Secure',
  ]);
  expect(attributes(secure.write(TOKEN, 60))).toEqual([
    'HttpOnly',
    'Max-Age=60',
    'Path=/',
    'SameSite=Lax',
    'Secure',
  ]);
  expect(attributes(secure.clear())).toEqual([
    'HttpOnly',
    'Max-Age=0',
    'Path=/',
    'SameSite=Lax',
    'Secure',
  ]);
  expect(attributes(local.write(TOKEN, null))).toEqual(['HttpOnly', 'Path=/', 'SameSite=Lax']);
});

test('a written session cookie can be read', () => {
  for (const cookie of [local, secure]) {
    expect(cookie.read(cookie.write(TOKEN, null).split(';')[0])).toBe(TOKEN);
  }
});
