import { describe, expect, test } from 'vitest';
import { createSessionCookie } from '#app/http/session-cookie.server.ts';

const TOKEN = `${'A'.repeat(22)}.${'b'.repeat(43)}`;
const local = createSessionCookie('http://localhost:3000');
const secure = createSessionCookie('https://latchkey.example');

describe.each([
  ['session', local],
  ['__Host-session', secure],
])('the cookie %s', (name, cookie) => {
  test('is called that', () => {
    expect(cookie.name).toBe(name);
  });

  test.each([
    ['alone', `${name}=${TOKEN}`],
    ['first', `${name}=${TOKEN}; theme=dark`],
    ['last', `theme=dark; ${name}=${TOKEN}`],
    ['between spaces', ` theme=dark ;  ${name} = ${TOKEN} `],
    ['without spaces', `theme=dark;${name}=${TOKEN};a=b`],
    [
      'beside names that are like it',
      `${name}2=x; x${name}=x; ${name.toUpperCase()}=x; ${name}=${TOKEN}`,
    ],
    ['beside junk', `;;=;=x; ; "; %; ${name}=${TOKEN};;`],
    ['beside its name as a value', `a=${name}; b=${name}=x; ${name}=${TOKEN}`],
  ])('is read %s', (_where, header) => {
    expect(cookie.read(header)).toBe(TOKEN);
  });

  test.each([
    ['no header', null],
    ['nothing', undefined],
    ['an empty header', ''],
    ['other cookies', 'theme=dark'],
    ['its name alone', name],
    ['two', `${name}=${TOKEN}; ${name}=${TOKEN}`],
    ['two, one of them empty', `${name}=; ${name}=${TOKEN}`],
    ['two, one of them without a value', `${name}; ${name}=${TOKEN}`],
    ['two, oddly spaced', `${name}=${TOKEN};\t${name} =x`],
    ['another name', `Session=${TOKEN}`],
  ])('of %s is no token', (_what, header) => {
    expect(cookie.read(header)).toBeNull();
  });

  test('an empty one is as good as none', () => {
    expect(cookie.read(`${name}=`) || null).toBeNull();
  });

  test('values that are badly encoded do not throw', () => {
    expect(() => cookie.read(`${name}=%E0%A4%A; a=%`)).not.toThrow();
  });
});

test('the other name is not read', () => {
  expect(local.read(`__Host-session=${TOKEN}`)).toBeNull();
  expect(secure.read(`session=${TOKEN}`)).toBeNull();
});

test('it is out of the reach of scripts, other sites, other hosts and plain HTTP', () => {
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

test('what is written is read', () => {
  for (const cookie of [local, secure]) {
    expect(cookie.read(cookie.write(TOKEN, null).split(';')[0])).toBe(TOKEN);
  }
});
