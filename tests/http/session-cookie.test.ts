import { describe, expect, test } from 'vitest';
import { createSessionCookie } from '#app/http/session-cookie.server.ts';
import { cookiesWrittenBy, createTestVisit } from '../fixtures/visit.ts';

const TOKEN = `${'A'.repeat(22)}.${'b'.repeat(43)}`;
const local = createSessionCookie('http://localhost:3000', { rememberedLifetimeMs: 60_000 });
const secure = createSessionCookie('https://latchkey.example', { rememberedLifetimeMs: 60_000 });

describe.each([
  ['session', local],
  ['__Host-session', secure],
])('the cookie %s', (name, cookie) => {
  test('the session cookie has this name', () => {
    expect(cookie.name).toBe(name);
  });

  test.each([
    ['alone', `${name}=${TOKEN}`],
    ['first', `${name}=${TOKEN}; theme=dark`],
    ['last', `theme=dark; ${name}=${TOKEN}`],
    ['between spaces', ` theme=dark ;  ${name} = ${TOKEN} `],
    ['without spaces', `theme=dark;${name}=${TOKEN};a=b`],
    ['beside similar names', `${name}2=x; x${name}=x; ${name.toUpperCase()}=x; ${name}=${TOKEN}`],
    ['beside junk', `;;=;=x; ; "; %; ${name}=${TOKEN};;`],
    ['beside its name as a value', `a=${name}; b=${name}=x; ${name}=${TOKEN}`],
  ])('the session cookie is read %s', (_where, header) => {
    expect(cookie.read(header)).toBe(TOKEN);
  });

  test.each([
    ['no header', null],
    ['no value', undefined],
    ['an empty header', ''],
    ['other cookies', 'theme=dark'],
    ['its name alone', name],
    ['two', `${name}=${TOKEN}; ${name}=${TOKEN}`],
    ['two, one of them empty', `${name}=; ${name}=${TOKEN}`],
    ['two, one of them without a value', `${name}; ${name}=${TOKEN}`],
    ['two, oddly spaced', `${name}=${TOKEN};\t${name} =x`],
    ['another name', `Session=${TOKEN}`],
  ])('a header with %s carries no token', (_what, header) => {
    expect(cookie.read(header)).toBeNull();
  });

  test('an empty session cookie counts as none', () => {
    expect(cookie.read(`${name}=`) || null).toBeNull();
  });

  test('badly encoded values do not throw', () => {
    expect(() => cookie.read(`${name}=%E0%A4%A; a=%`)).not.toThrow();
  });
});

test('the cookie name of the other scheme is not read', () => {
  expect(local.read(`__Host-session=${TOKEN}`)).toBeNull();
  expect(secure.read(`session=${TOKEN}`)).toBeNull();
});

type SessionCookie = typeof local;

const write = (cookie: SessionCookie, remember: boolean) =>
  cookiesWrittenBy((visit) => cookie.write(visit, TOKEN, { remember }))[0]!;

test('the session cookie is hidden from scripts, other sites, other hosts and plain HTTP', () => {
  const attributes = (line: string) => line.split('; ').slice(1).sort();
  const expected = ['HttpOnly', 'Path=/', 'SameSite=Lax', 'Secure'];
  expect(attributes(write(secure, false))).toEqual(expected);
  expect(attributes(write(secure, true))).toEqual([...expected, 'Max-Age=60'].sort());
  const [removed = ''] = cookiesWrittenBy((visit) => secure.remove(visit));
  expect(attributes(removed)).toEqual([...expected, 'Max-Age=0'].sort());
  expect(attributes(write(local, false))).toEqual(['HttpOnly', 'Path=/', 'SameSite=Lax']);
});

test('a written session cookie is read again', () => {
  for (const cookie of [local, secure]) {
    expect(cookie.read(write(cookie, false).split(';')[0])).toBe(TOKEN);
  }
});

test('removing the session cookie also clears the browser cache', () => {
  const visit = createTestVisit();
  expect(visit.jar.clearsCache()).toBe(false);
  secure.remove(visit);
  expect(visit.jar.clearsCache()).toBe(true);
});

test('a new session token is sent with a 503 too, because the old one is dead', () => {
  const cookies = cookiesWrittenBy((visit) => secure.write(visit, TOKEN, { remember: false }), 503);
  expect(cookies).toHaveLength(1);
});
