import { describe, expect, test } from 'vitest';
import { createKeyring, type NamedKey } from '#app/config/keyring.server.ts';

const key = (id: string, byte: number): NamedKey => ({ id, secret: Buffer.alloc(32, byte) });
const keyring = createKeyring([key('a', 1)]);

test('open() returns the sealed text, and sealing a text twice gives different results', () => {
  for (const text of ['', 'x', 'Ünïcödé 🗝', 'long '.repeat(5000)]) {
    const sealed = keyring.seal('purpose', text);
    expect(keyring.open('purpose', sealed)).toBe(text);
    expect(keyring.seal('purpose', text)).not.toBe(sealed);
    if (text.length > 1) expect(sealed).not.toContain(text);
  }
});

// If the derivation of keys changed, no stored value could be opened any more.
test('values that an earlier version sealed or digested still work', () => {
  const sealed = 'a.CQkJCQkJCQkJCQkJ.ChS_COfCxKUHulqsq4uCQIa-l9ib68-rmnIG';
  expect(keyring.open('totp', sealed)).toBe('of long ago');
  const digest = 'a.4rDaceKTz-7-ty-ykR7CxdcmHST-7f2i-fiXAAyKDZk';
  expect(keyring.digest('totp', 'of long ago')).toBe(digest);
});

test('a value that was sealed for one purpose opens for no other', () => {
  const sealed = keyring.seal('pending sign-in', 'user');
  for (const purpose of ['', 'pending', 'pending sign-in ', 'totp']) {
    expect(keyring.open(purpose, sealed)).toBeNull();
  }
});

test('a sealed value in another spelling of the same bytes is refused', () => {
  const sealed = keyring.seal('purpose', 'text');
  // Decoding ignores padding, line breaks and a surplus character.
  for (const suffix of ['=', '==', '\n', 'A']) {
    expect(keyring.open('purpose', sealed + suffix), JSON.stringify(suffix)).toBeNull();
  }
});

test('a sealed value with any character replaced, removed or doubled is refused', () => {
  const sealed = keyring.seal('purpose', 'text');
  for (let at = 0; at < sealed.length; at += 1) {
    // The last character of a part may have unused bits.
    if (at + 1 === sealed.length || sealed[at + 1] === '.') continue;
    const flipped = sealed[at] === 'A' ? 'B' : 'A';
    for (const instead of [flipped, '', sealed[at]! + sealed[at]!, '.']) {
      const forged = sealed.slice(0, at) + instead + sealed.slice(at + 1);
      if (forged === sealed) continue;
      expect(keyring.open('purpose', forged), forged).toBeNull();
    }
  }
});

test.each([
  '',
  '.',
  '..',
  'a',
  'a..',
  'a.AAAA.AAAA',
  'b.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAA',
  'a.a.a.a',
])('the malformed value %j does not open', (text) => {
  expect(keyring.open('purpose', text)).toBeNull();
});

describe('after a new key was added in front', () => {
  const rotated = createKeyring([key('b', 2), key('a', 1)]);

  test('values sealed with the old key still open, and new ones are sealed with the new key', () => {
    expect(rotated.open('purpose', keyring.seal('purpose', 'text'))).toBe('text');
    expect(rotated.seal('purpose', 'text')).toMatch(/^b\./);
    expect(keyring.open('purpose', rotated.seal('purpose', 'text'))).toBeNull();
  });

  test('digests() returns the digests of the new and the old key', () => {
    const old = keyring.digest('purpose', 'text');
    expect(rotated.digests('purpose', 'text')).toEqual([rotated.digest('purpose', 'text'), old]);
  });
});

test('another key with the same id opens no sealed value', () => {
  expect(createKeyring([key('a', 9)]).open('purpose', keyring.seal('purpose', 'text'))).toBeNull();
});

test('a digest depends only on the key, the purpose and the text', () => {
  const digest = keyring.digest('purpose', 'text');
  expect(keyring.digest('purpose', 'text')).toBe(digest);
  const others = [
    keyring.digest('purpose', 'texts'),
    keyring.digest('other', 'text'),
    createKeyring([key('a', 2)]).digest('purpose', 'text'),
  ];
  expect(new Set([digest, ...others]).size).toBe(4);
});
