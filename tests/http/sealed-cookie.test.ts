import { expect, test } from 'vitest';
import { z } from 'zod';
import { createKeyring } from '#app/config/keyring.server.ts';
import { sealedCookies } from '#app/http/sealed-cookie.server.ts';

const NOW = new Date('2026-11-21T12:00:00.000Z');
const MAX_AGE_SECONDS = 600;
const keyring = createKeyring([{ id: 'test', secret: Buffer.alloc(32, 1) }]);
const cookieFactory = (origin: string) => (name: string) =>
  sealedCookies(
    keyring,
    origin,
  )({ name, schema: z.object({ userId: z.string() }), maxAgeSeconds: MAX_AGE_SECONDS });
const overHttp = cookieFactory('http://localhost:3000');
const overHttps = cookieFactory('https://latchkey.example');

const cookie = overHttp('pending');
const written = cookie.write({ userId: 'ada' }, NOW).split(';')[0]!;
const after = (ms: number) => new Date(NOW.getTime() + ms);

test.each([
  ['http', overHttp, 'pending', false],
  ['https', overHttps, '__Host-pending', true],
])(
  'a sealed cookie over %s is protected from scripts and other sites',
  (_how, make, name, secure) => {
    const set = make('pending').write({ userId: 'ada' }, NOW);
    const [pair = '', ...attributes] = set.split('; ');
    expect(pair.startsWith(`${name}=`)).toBe(true);
    const expected = ['HttpOnly', `Max-Age=${MAX_AGE_SECONDS}`, 'Path=/', 'SameSite=Lax'];
    expect(attributes.sort()).toEqual([...expected, ...(secure ? ['Secure'] : [])]);
    expect(pair).not.toContain('ada');
    const cleared = make('pending').clear();
    expect(cleared.startsWith(`${name}=;`)).toBe(true);
    expect(cleared).toContain('Max-Age=0');
  },
);

test('a sealed cookie can be read until it expires, even if the browser keeps it longer', () => {
  const lastMoment = after(MAX_AGE_SECONDS * 1000 - 1);
  expect(cookie.read(written, NOW)).toEqual({ userId: 'ada' });
  expect(cookie.read(`theme=dark; ${written}; more=1`, lastMoment)).toEqual({ userId: 'ada' });
  expect(cookie.read(written, after(MAX_AGE_SECONDS * 1000))).toBeNull();
});

test('a sealed cookie cannot be read under another name', () => {
  const value = written.slice('pending='.length);
  expect(overHttp('reset').read(`reset=${value}`, NOW)).toBeNull();
  expect(overHttps('pending').read(`pending=${value}`, NOW)).toBeNull();
  expect(overHttps('pending').read(`__Host-pending=${value}`, NOW)).toEqual({ userId: 'ada' });
});

test.each([
  ['has the cookie twice', `${written}; ${written}`],
  ['has an empty cookie of the same name before it', `pending=; ${written}`],
  ['has another cookie of the same name after it', `${written}; pending=x`],
  ['has no such cookie', 'theme=dark'],
  ['is missing', null],
])('no sealed cookie is read from a header that %s', (_how, header) => {
  expect(cookie.read(header, NOW)).toBeNull();
});

test('a sealed cookie with content of another schema is not read', () => {
  const other = sealedCookies(
    keyring,
    'http://localhost:3000',
  )({
    name: 'pending',
    schema: z.object({ id: z.number() }),
    maxAgeSeconds: MAX_AGE_SECONDS,
  });
  expect(cookie.read(other.write({ id: 1 }, NOW).split(';')[0], NOW)).toBeNull();
});
