import { expect, test } from 'vitest';
import { z } from 'zod';
import { createKeyring } from '#app/config/keyring.server.ts';
import { sealedCookies } from '#app/http/sealed-cookie.server.ts';

const NOW = new Date('2026-11-21T12:00:00.000Z');
const MAX_AGE_SECONDS = 600;
const keyring = createKeyring([{ id: 'test', secret: Buffer.alloc(32, 1) }]);
const over = (origin: string) => (name: string) =>
  sealedCookies(
    keyring,
    origin,
  )({ name, schema: z.object({ userId: z.string() }), maxAgeSeconds: MAX_AGE_SECONDS });
const overHttp = over('http://localhost:3000');
const overHttps = over('https://latchkey.example');

const cookie = overHttp('pending');
const written = cookie.write({ userId: 'ada' }, NOW).split(';')[0]!;
const after = (ms: number) => new Date(NOW.getTime() + ms);

test.each([
  ['http', overHttp, 'pending', false],
  ['https', overHttps, '__Host-pending', true],
])('over %s scripts, other sites and other hosts are kept from it', (_how, make, name, secure) => {
  const set = make('pending').write({ userId: 'ada' }, NOW);
  const [pair = '', ...attributes] = set.split('; ');
  expect(pair.startsWith(`${name}=`)).toBe(true);
  const expected = ['HttpOnly', `Max-Age=${MAX_AGE_SECONDS}`, 'Path=/', 'SameSite=Lax'];
  expect(attributes.sort()).toEqual([...expected, ...(secure ? ['Secure'] : [])]);
  expect(pair).not.toContain('ada');
  const cleared = make('pending').clear();
  expect(cleared.startsWith(`${name}=;`)).toBe(true);
  expect(cleared).toContain('Max-Age=0');
});

test('it is read until its time is over, whatever the browser makes of its age', () => {
  const lastMoment = after(MAX_AGE_SECONDS * 1000 - 1);
  expect(cookie.read(written, NOW)).toEqual({ userId: 'ada' });
  expect(cookie.read(`theme=dark; ${written}; more=1`, lastMoment)).toEqual({ userId: 'ada' });
  expect(cookie.read(written, after(MAX_AGE_SECONDS * 1000))).toBeNull();
});

test('shown under the name of another one it is none', () => {
  const value = written.slice('pending='.length);
  expect(overHttp('reset').read(`reset=${value}`, NOW)).toBeNull();
  expect(overHttps('pending').read(`pending=${value}`, NOW)).toBeNull();
  expect(overHttps('pending').read(`__Host-pending=${value}`, NOW)).toEqual({ userId: 'ada' });
});

test.each([
  ['twice', `${written}; ${written}`],
  ['with an empty one before it', `pending=; ${written}`],
  ['with another one behind it', `${written}; pending=x`],
  ['not at all', 'theme=dark'],
  ['in no header', null],
])('shown %s it is none', (_how, header) => {
  expect(cookie.read(header, NOW)).toBeNull();
});

test('one of an earlier shape is none', () => {
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
