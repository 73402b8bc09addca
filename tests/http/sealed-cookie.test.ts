import { expect, test } from 'vitest';
import { z } from 'zod';
import { createKeyring } from '#app/config/keyring.server.ts';
import { sealedCookies } from '#app/http/sealed-cookie.server.ts';
import { cookiesWrittenBy, createTestVisit } from '../fixtures/visit.ts';

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
const writeAda = (sealed: typeof cookie) =>
  cookiesWrittenBy((visit) => sealed.write(visit, { userId: 'ada' }))[0]!;
const written = writeAda(cookie).split(';')[0]!;
const after = (ms: number) => new Date(NOW.getTime() + ms);
const read = (sealed: typeof cookie, cookieHeader: string | null, now = NOW) =>
  sealed.read(createTestVisit({ cookieHeader, now }));

test.each([
  ['http', overHttp, 'pending', false],
  ['https', overHttps, '__Host-pending', true],
])('over %s the cookie is hidden from scripts and other sites', (_how, make, name, secure) => {
  const [pair = '', ...attributes] = writeAda(make('pending')).split('; ');
  expect(pair.startsWith(`${name}=`)).toBe(true);
  const expected = ['HttpOnly', `Max-Age=${MAX_AGE_SECONDS}`, 'Path=/', 'SameSite=Lax'];
  expect(attributes.sort()).toEqual([...expected, ...(secure ? ['Secure'] : [])]);
  expect(pair).not.toContain('ada');
  const [removed = ''] = cookiesWrittenBy((visit) => make('pending').remove(visit));
  expect(removed.startsWith(`${name}=;`)).toBe(true);
  expect(removed).toContain('Max-Age=0');
});

test('a sealed cookie expires at its time, even if the browser still sends it', () => {
  const lastMoment = after(MAX_AGE_SECONDS * 1000 - 1);
  expect(read(cookie, written)).toEqual({ userId: 'ada' });
  expect(read(cookie, `theme=dark; ${written}; more=1`, lastMoment)).toEqual({ userId: 'ada' });
  expect(read(cookie, written, after(MAX_AGE_SECONDS * 1000))).toBeNull();
});

test('the value of one sealed cookie does not open under the name of another', () => {
  const value = written.slice('pending='.length);
  expect(read(overHttp('reset'), `reset=${value}`)).toBeNull();
  expect(read(overHttps('pending'), `pending=${value}`)).toBeNull();
  expect(read(overHttps('pending'), `__Host-pending=${value}`)).toEqual({ userId: 'ada' });
});

test.each([
  ['twice', `${written}; ${written}`],
  ['after an empty one', `pending=; ${written}`],
  ['before another one', `${written}; pending=x`],
  ['not at all', 'theme=dark'],
  ['without a header', null],
])('a sealed cookie that is sent %s is not read', (_how, header) => {
  expect(read(cookie, header)).toBeNull();
});

test('a sealed cookie of an earlier shape is not read', () => {
  const other = sealedCookies(
    keyring,
    'http://localhost:3000',
  )({
    name: 'pending',
    schema: z.object({ id: z.number() }),
    maxAgeSeconds: MAX_AGE_SECONDS,
  });
  const [line = ''] = cookiesWrittenBy((visit) => other.write(visit, { id: 1 }));
  expect(read(cookie, line.split(';')[0]!)).toBeNull();
});
