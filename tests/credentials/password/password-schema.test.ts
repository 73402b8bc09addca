import { describe, expect, test } from 'vitest';
import {
  emailSchema,
  newPasswordSchema,
  passwordSchema,
} from '#app/credentials/password/password-schema.ts';

const EMOJI = '\u{1f511}';
const messageOf = (result: { error?: { issues: { message: string }[] } }) =>
  result.error?.issues[0]?.message;

describe('a new password', () => {
  test.each([
    '12345678',
    EMOJI.repeat(8),
    'x'.repeat(256),
    EMOJI.repeat(256),
    '        ',
    '\u0000'.repeat(8),
  ])('the new password %j is accepted unchanged', (password) => {
    expect(newPasswordSchema.parse(password)).toBe(password);
  });

  test.each([
    [undefined, 'Choose a password.'],
    [12345678, 'Choose a password.'],
    ['', 'Use at least 8 characters.'],
    ['1234567', 'Use at least 8 characters.'],
    [EMOJI.repeat(7), 'Use at least 8 characters.'],
    ['x'.repeat(257), 'Use at most 256 characters.'],
    [EMOJI.repeat(257), 'Use at most 256 characters.'],
  ])('the new password %j is refused with: %s', (password, message) => {
    expect(messageOf(newPasswordSchema.safeParse(password))).toBe(message);
  });
});

test('a password to check may be short, but not longer than a new password may be', () => {
  expect(passwordSchema.parse(' x ')).toBe(' x ');
  expect(passwordSchema.parse('x'.repeat(256))).toHaveLength(256);
  expect(messageOf(passwordSchema.safeParse('x'.repeat(257)))).toMatch(/longer than any password/);
  expect(messageOf(passwordSchema.safeParse(undefined))).toBe('Enter your password.');
});

describe('an e-mail address', () => {
  test.each([
    ['ada@example.com', 'ada@example.com'],
    ['  Ada@Example.COM\t', 'ada@example.com'],
    ["o'brien+tag@sub.example.co.uk", "o'brien+tag@sub.example.co.uk"],
    [`${'a'.repeat(63)}@${'b'.repeat(60)}.com`, `${'a'.repeat(63)}@${'b'.repeat(60)}.com`],
  ])('the e-mail address %j becomes %j', (email, normalized) => {
    expect(emailSchema.parse(email)).toBe(normalized);
  });

  test.each([
    undefined,
    '',
    'ada',
    'ada@',
    '@example.com',
    'ada@example',
    'ada@@example.com',
    'ada @example.com',
    'ada@exam ple.com',
    'ada@example.com\nBcc: b@example.com',
    'ada\u0000@example.com',
    'ada@example.com,b@example.com',
    'Ada <ada@example.com>',
    '<script>@example.com',
    '"ada"@example.com',
    'ada@[127.0.0.1]',
    'ada@\u212aelvin.example', // the Kelvin sign, "k" in lower case in some languages
    '\u0131da@example.com',
    `${'a'.repeat(250)}@example.com`,
  ])('%j is not an e-mail address', (email) => {
    expect(emailSchema.safeParse(email).success).toBe(false);
  });
});
