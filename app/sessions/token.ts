import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * A token is `id.secret`: a public id that finds the row, and a secret that authenticates the client.
 * Stores save only the SHA-256 of the secret. A plain hash is enough for 256 random bits, because no
 * dictionary attack is possible.
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

/** Returns a new token from the system's CSPRNG: 128 bits of id, 256 bits of secret, base64url. */
export function createToken(): Token {
  return {
    id: randomBytes(ID_BYTES).toString('base64url'),
    secret: randomBytes(SECRET_BYTES).toString('base64url'),
  };
}

/** Returns a token of the same id with a new secret. */
export function renewToken(id: string): Token {
  return { id, secret: randomBytes(SECRET_BYTES).toString('base64url') };
}

/** Returns the text of the token for the cookie or the `Authorization: Bearer` header. */
export function formatToken({ id, secret }: Token): string {
  return `${id}.${secret}`;
}

/** Returns the two halves of a token; null if the text does not have the exact form of a token. */
export function parseToken(text: string): Token | null {
  const match = TOKEN_PATTERN.exec(text);
  return match?.[1] && match[2] ? { id: match[1], secret: match[2] } : null;
}

/** Returns the SHA-256 (FIPS 180-4) of the secret's text in base64url, as rows store it. */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

/** True if `secret` hashes to `secretHash`. Compares in constant time. */
export function matchesHash(secret: string, secretHash: string): boolean {
  const given = hashSecret(secret);
  // As text, because a hash as bytes would allocate memory outside of the heap for each request.
  return (
    given.length === secretHash.length &&
    timingSafeEqual(Buffer.from(given, 'latin1'), Buffer.from(secretHash, 'latin1'))
  );
}
