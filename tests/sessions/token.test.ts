import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  createToken,
  formatToken,
  hashSecret,
  matchesHash,
  parseToken,
  renewToken,
} from '../../app/sessions/token.ts';

describe('a token', () => {
  test('a token has a public id of 128 bits and a secret of 256 bits, in base64url', () => {
    const { id, secret } = createToken();
    expect(id).toMatch(/^[\w-]{22}$/);
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(Buffer.from(id, 'base64url')).toHaveLength(16);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  });

  test('every new token differs, and every bit of its secret varies', () => {
    const tokens = Array.from({ length: 2000 }, createToken);
    expect(new Set(tokens.map(({ id }) => id)).size).toBe(2000);
    expect(new Set(tokens.map(({ secret }) => secret)).size).toBe(2000);
    const counts = new Array<number>(256).fill(0);
    for (const { secret } of tokens) {
      Buffer.from(secret, 'base64url').forEach((byte, index) => {
        for (let bit = 0; bit < 8; bit += 1) if (byte & (1 << bit)) counts[index * 8 + bit]! += 1;
      });
    }
    // 2,000 fair coin flips have 1,000 heads, plus or minus eight standard deviations of 22.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(180);
  });

  test('formatToken and parseToken are inverse', () => {
    const token = createToken();
    expect(formatToken(token)).toBe(`${token.id}.${token.secret}`);
    expect(parseToken(formatToken(token))).toEqual(token);
  });

  test('a renewed token keeps its id and gets a new secret', () => {
    const token = createToken();
    const renewed = renewToken(token.id);
    expect(renewed.id).toBe(token.id);
    expect(renewed.secret).toMatch(/^[\w-]{43}$/);
    expect(renewed.secret).not.toBe(token.secret);
  });

  test.each([
    '',
    '.',
    'a'.repeat(22),
    `${'a'.repeat(21)}.${'b'.repeat(43)}`,
    `${'a'.repeat(23)}.${'b'.repeat(43)}`,
    `${'a'.repeat(22)}.${'b'.repeat(42)}`,
    `${'a'.repeat(22)}.${'b'.repeat(44)}`,
    `${'a'.repeat(22)}-${'b'.repeat(43)}`,
    `${'a'.repeat(22)}.${'b'.repeat(42)}=`,
    `${'a'.repeat(22)}.${'b'.repeat(42)}+`,
    `${'ä'.repeat(22)}.${'b'.repeat(43)}`,
    `${'a'.repeat(22)}.${'b'.repeat(43)}\n`,
    `\n${'a'.repeat(22)}.${'b'.repeat(43)}`,
    `x ${'a'.repeat(22)}.${'b'.repeat(43)}`,
  ])('parseToken returns null for %j', (text) => {
    expect(parseToken(text)).toBeNull();
  });
});

describe('the hash of a secret', () => {
  test('hashSecret returns the SHA-256 of the secret', () => {
    // The one-block example of FIPS 180-4.
    expect(Buffer.from(hashSecret('abc'), 'base64url').toString('hex')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    const { secret } = createToken();
    expect(hashSecret(secret)).toBe(createHash('sha256').update(secret).digest('base64url'));
  });

  test('matchesHash is true only for the hash of the secret', () => {
    const { secret } = createToken();
    expect(matchesHash(secret, hashSecret(secret))).toBe(true);
    expect(matchesHash(createToken().secret, hashSecret(secret))).toBe(false);
    expect(matchesHash(secret, '')).toBe(false);
    expect(matchesHash(secret, hashSecret(secret).slice(0, 40))).toBe(false);
    expect(matchesHash(secret, `${hashSecret(secret)}AAAA`)).toBe(false);
    expect(matchesHash(hashSecret(secret), hashSecret(secret))).toBe(false);
  });
});
