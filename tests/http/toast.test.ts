import { expect, test } from 'vitest';
import {
  clearToast,
  readToast,
  toastText,
  writeToast,
  type ToastMessage,
} from '#app/http/toast.server.ts';

const HTTP = 'http://localhost:3000';
const planted = (value: unknown) =>
  `toast=${Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')}`;

const messages: [ToastMessage, string][] = [
  [{ kind: 'signed-out' }, 'You are signed out.'],
  [{ kind: 'session-ended', device: 'Kitchen iPad' }, 'Kitchen iPad is signed out.'],
  [{ kind: 'session-already-ended' }, 'That device was signed out already.'],
  [{ kind: 'others-ended', count: 0 }, 'No other device was signed in.'],
  [{ kind: 'others-ended', count: 1 }, '1 other device is signed out.'],
  [{ kind: 'others-ended', count: 99 }, '99 other devices are signed out.'],
  [{ kind: 'device-named', device: '\u{1f511}; a=b' }, 'The device is now called \u{1f511}; a=b.'],
  [{ kind: 'device-unnamed' }, 'The name is gone; the device goes by what it told us.'],
  [{ kind: 'profile-saved' }, 'Your profile is saved.'],
  [{ kind: 'picture-saved' }, 'Your picture is saved.'],
  [{ kind: 'picture-removed' }, 'Your picture is removed.'],
  [{ kind: 'password-changed', count: null }, 'Your password is changed.'],
  [
    { kind: 'password-changed', count: 2 },
    'Your password is changed. 2 other devices are signed out.',
  ],
  [{ kind: 'two-factor-on', count: null }, 'Signing in now takes a code of your app as well.'],
  [
    { kind: 'two-factor-off', count: 1 },
    'Signing in takes no code any more. 1 other device is signed out.',
  ],
  [
    { kind: 'recovery-codes-new', count: 0 },
    'You have new recovery codes; the old ones are void. No other device was signed in.',
  ],
  [{ kind: 'recovery-code-used', left: 9 }, 'That recovery code is used up; 9 are left.'],
  [
    { kind: 'recovery-code-used', left: 1 },
    'That recovery code is used up; 1 is left. Make new ones in your settings.',
  ],
  [
    { kind: 'recovery-code-used', left: 0 },
    'That was your last recovery code. Make new ones in your settings.',
  ],
  [{ kind: 'sign-in-lapsed' }, 'That took too long, or was finished already. Sign in once more.'],
  [{ kind: 'account-deleted' }, 'Your account and everything kept about you are deleted.'],
  [{ kind: 'welcome' }, 'Welcome. Your account is ready.'],
];

test.each(messages)(
  'the toast %j is read as it was written, and has the text: %s',
  (message, text) => {
    const [cookie, ...attributes] = writeToast(message, HTTP).split('; ');
    expect(cookie).toMatch(/^toast=[\w-]+$/);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=60', 'Path=/', 'SameSite=Lax']);
    expect(readToast(cookie!)).toEqual(message);
    expect(toastText(message)).toBe(text);
  },
);

test('the toast cookie is Secure over https', () => {
  expect(writeToast({ kind: 'welcome' }, 'https://latchkey.example')).toContain('; Secure');
});

test('clearToast() removes the cookie', () => {
  expect(clearToast()).toMatch(/^toast=; Max-Age=0; Path=\//);
});

test.each([
  ['a missing header', null],
  ['an empty header', ''],
  ['an empty cookie', 'toast='],
  ['invalid base64', 'toast=%%%'],
  ['invalid JSON', planted('hello')],
  ['binary data', planted('\u0000\u0001')],
  ['null', planted(null)],
  ['an array', planted([])],
  ['a string', planted('"signed-out"')],
  ['a text of an attacker', planted({ text: 'Call this number' })],
  ['an unknown kind', planted({ kind: 'call-this-number' })],
  ['a prototype', planted('{"__proto__":{"kind":"welcome"}}')],
  ['a device that is too long', planted({ kind: 'session-ended', device: 'x'.repeat(81) })],
  ['a device that is not a string', planted({ kind: 'session-ended', device: {} })],
  ['a missing device', planted({ kind: 'session-ended' })],
  ['a negative count', planted({ kind: 'others-ended', count: -1 })],
  ['a fractional count', planted({ kind: 'others-ended', count: 0.5 })],
  ['a count that is too large', planted({ kind: 'others-ended', count: 1e308 })],
  ['a count that is a string', planted({ kind: 'others-ended', count: 'all' })],
])('%s is not a toast', (_what, header) => {
  expect(readToast(header)).toBeNull();
});
