import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * A token is `id.secret`: a public id that finds the row, and a secret that proves the right to it.
 * Only the SHA-256 of the secret is stored. A plain hash is enough for 256 random bits: there is
 * no dictionary to try.
 */
export interface Token {
  id: string;
  secret: string;
}

const ID_BYTES = 16;
const SECRET_BYTES = 32;
const ID_CHARACTERS = 22;
const SECRET_CHARACTERS = 43;
const TOKEN_PATTERN = new RegExp(
  `^([A-Za-z0-9_-]{${ID_CHARACTERS}})\\.([A-Za-z0-9_-]{${SECRET_CHARACTERS}})$`,
);

/** A new token from the operating system's CSPRNG: 128 bits of id, 256 bits of secret, base64url. */
export function createToken(): Token {
  return {
    id: randomBytes(ID_BYTES).toString('base64url'),
    secret: randomBytes(SECRET_BYTES).toString('base64url'),
  };
}

/** The same id with a new secret. */
export function renewToken(id: string): Token {
  return { id, secret: randomBytes(SECRET_BYTES).toString('base64url') };
}

/** What goes into the cookie or behind `Bearer`. */
export function formatToken({ id, secret }: Token): string {
  return `${id}.${secret}`;
}

/** The two halves; null for anything that is not exactly of a token's shape. */
export function parseToken(text: string): Token | null {
  const match = TOKEN_PATTERN.exec(text);
  return match?.[1] && match[2] ? { id: match[1], secret: match[2] } : null;
}

/** SHA-256 (FIPS 180-4) of the secret's text, base64url: what a row keeps. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

/** True when `secret` hashes to `secretHash`; takes the same time wherever they differ. */
export function matchesHash(secret: string, secretHash: string): boolean {
  const given = hashSecret(secret);
  // As text: a hash that is handed out as bytes is memory outside of the heap, made for each request.
  return (
    given.length === secretHash.length &&
    timingSafeEqual(Buffer.from(given, 'latin1'), Buffer.from(secretHash, 'latin1'))
  );
}
