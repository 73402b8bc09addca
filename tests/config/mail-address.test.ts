import { describe, expect, test } from 'vitest';
import { defaultSender, isPlainAddress, parseSender } from '#app/config/mail-address.ts';

describe('isPlainAddress', () => {
  test.each(['a@b', 'ada@example.com', "o'brien+tag_x.y-z@sub.example.com", 'a@localhost'])(
    '%s is a plain address',
    (address) => expect(isPlainAddress(address)).toBe(true),
  );

  test.each([
    '',
    'ada',
    '@example.com',
    'ada@',
    'ada@@example.com',
    'ada@example.com@evil.example',
    'ada@example.com\r\nBcc: eve@evil.example',
    'ada@example.com\n',
    'ada\r@example.com',
    'ada@example.com, eve@evil.example',
    'ada@example.com;eve@evil.example',
    '<ada@example.com>',
    'Ada <ada@example.com>',
    '"a b"@example.com',
    'a b@example.com',
    'ada@example.com>',
    'ada(x)@example.com',
    'ada@exa mple.com',
    'ada@[127.0.0.1]',
    'ada@example.com\u0000',
    'ada@example.com\u2028',
    'ad\u00e4@example.com',
    'a:b@c',
    `${'a'.repeat(250)}@b.co`,
  ])('%j is not a single plain address', (address) => expect(isPlainAddress(address)).toBe(false));
});

describe('the sender of mails', () => {
  test.each([
    ['no-reply@example.com', { name: '', address: 'no-reply@example.com' }],
    ['Latchkey <mail@example.com>', { name: 'Latchkey', address: 'mail@example.com' }],
    [' T\u00fcr & Co <mail@example.com> ', { name: 'T\u00fcr & Co', address: 'mail@example.com' }],
  ])('%s is parsed into a name and an address', (text, sender) =>
    expect(parseSender(text)).toEqual(sender),
  );

  test.each([
    '',
    'Latchkey',
    'Latchkey <>',
    'Latchkey <a@b',
    '<a@b> Latchkey',
    'a@b, c@d',
    'Latchkey\r\nBcc: eve@evil.example <a@b>',
    'Latchkey <a@b\r\n>',
    'A <a@b> <c@d>',
  ])('%j is not a valid sender', (text) => expect(parseSender(text)).toBeNull());

  test.each([
    ['https://latchkey.example', 'no-reply@latchkey.example'],
    ['http://localhost:3000', 'no-reply@localhost'],
    ['http://[::1]:3000', 'no-reply@localhost'],
  ])('the default sender for %s is %s', (origin, address) => {
    expect(defaultSender(origin)).toEqual({ name: 'Latchkey', address });
    expect(isPlainAddress(address)).toBe(true);
  });
});
