import { expect, test } from 'vitest';
import { createKeyring } from '#app/config/keyring.server.ts';
import { sealedCookies } from '#app/http/sealed-cookie.server.ts';
import { createToast, othersText, withOthers } from '#app/http/toast.server.ts';
import { cookiesWrittenBy, createTestVisit } from '../fixtures/visit.ts';

const keyring = createKeyring([{ id: 'test', secret: Buffer.alloc(32, 1) }]);
const toast = createToast(sealedCookies(keyring, 'http://localhost:3000'));
const planted = (value: unknown) =>
  `toast=${Buffer.from(JSON.stringify(value)).toString('base64url')}`;
const MESSAGE = 'The device is now called \u{1f511}; a=b.';
const [line = ''] = cookiesWrittenBy((visit) => toast.show(visit, MESSAGE));
const written = line.split(';')[0]!;

test('the next page takes the message that was shown', () => {
  expect(line.split('; ').slice(1).sort()).toEqual([
    'HttpOnly',
    'Max-Age=60',
    'Path=/',
    'SameSite=Lax',
  ]);
  expect(line).not.toContain('device');
  expect(toast.take(createTestVisit({ cookieHeader: written }))).toBe(MESSAGE);
});

test('a message is removed by the page that shows it, and not by a redirect or an error', () => {
  const visit = createTestVisit({ cookieHeader: written });
  toast.take(visit);
  expect(visit.jar.cookiesFor(200)).toEqual([expect.stringMatching(/^toast=; Max-Age=0; Path=\//)]);
  for (const status of [202, 302, 303, 307, 503]) expect(visit.jar.cookiesFor(status)).toEqual([]);
});

test.each([
  ['no header', null],
  ['an empty header', ''],
  ['an empty value', 'toast='],
  ['no base64', 'toast=%%%'],
  ['a planted text', planted('Call this number')],
  ['a planted object of an earlier version', planted({ kind: 'signed-out' })],
  ['a planted envelope', planted({ until: 9e15, value: 'Call this number' })],
  ['two messages', `${written}; ${written}`],
])('%s makes no page say anything', (_what, cookieHeader) => {
  const visit = createTestVisit({ cookieHeader });
  expect(toast.take(visit)).toBeNull();
  expect(visit.jar.cookiesFor(200)).toEqual([]);
});

test.each([
  [0, 'No other device was signed in.'],
  [1, '1 other device is signed out.'],
  [99, '99 other devices are signed out.'],
])('%d signed-out devices read as a sentence', (count, text) => {
  expect(othersText(count)).toBe(text);
  expect(withOthers('Done.', count)).toBe(`Done. ${text}`);
});

test('a message says nothing about other devices if none were to be signed out', () => {
  expect(withOthers('Your password is changed.', null)).toBe('Your password is changed.');
});
