import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** A secret from which the application's keys are derived, and the name under which it is known. */
export interface NamedKey {
  /** Letters and digits; stands in clear in everything that was sealed under the key. */
  id: string;
  /** At least 32 random bytes. */
  secret: Buffer;
}

/**
 * Seals what is kept or handed out and must be read by nobody else, and digests what must only be
 * recognised. Everything is bound to a purpose: what was sealed for one opens for no other.
 */
export interface Keyring {
  /** Encrypts a text: `keyId.nonce.ciphertext`, base64url (AES-256-GCM, NIST SP 800-38D). */
  seal(purpose: string, text: string): string;
  /** The text; null when it was sealed for another purpose, under a key that is gone, or not by us. */
  open(purpose: string, sealed: string): string | null;
  /** Keyed digest: `keyId.hmac` (HMAC-SHA-256). The same text always gives the same digest. */
  digest(purpose: string, text: string): string;
  /** The digest under every key that still counts, the current one first: for looking up what is kept. */
  digests(purpose: string, text: string): string[];
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * @param keys the first one seals; the others still open what they once sealed, so that keys can be
 *   rotated: put the new one in front, and drop the old one when nothing is sealed under it any more.
 */
export function createKeyring(keys: [NamedKey, ...NamedKey[]]): Keyring {
  // Derived per purpose, once: a key for one purpose says nothing of that for another (RFC 5869).
  const derived = new Map<string, Buffer>();
  const keyFor = ({ id, secret }: NamedKey, use: string, purpose: string) => {
    const info = `latchkey ${use} ${purpose}`;
    const known = derived.get(`${id} ${info}`);
    if (known) return known;
    const key = Buffer.from(hkdfSync('sha256', secret, '', info, KEY_BYTES));
    derived.set(`${id} ${info}`, key);
    return key;
  };
  const digestUnder = (key: NamedKey, purpose: string, text: string) =>
    `${key.id}.${createHmac('sha256', keyFor(key, 'digest', purpose))
      .update(text)
      .digest('base64url')}`;

  return {
    seal(purpose, text) {
      const [key] = keys;
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keyFor(key, 'seal', purpose), nonce);
      const sealed = Buffer.concat([
        cipher.update(text, 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return `${key.id}.${nonce.toString('base64url')}.${sealed.toString('base64url')}`;
    },
    open(purpose, sealed) {
      const [id, nonce, rest, ...more] = sealed.split('.');
      const key = keys.find((one) => one.id === id);
      if (!key || !nonce || !rest || more.length > 0) return null;
      const bytes = Buffer.from(rest, 'base64url');
      if (bytes.length < TAG_BYTES) return null;
      try {
        const cipher = createDecipheriv(
          'aes-256-gcm',
          keyFor(key, 'seal', purpose),
          Buffer.from(nonce, 'base64url'),
          { authTagLength: TAG_BYTES },
        );
        cipher.setAuthTag(bytes.subarray(-TAG_BYTES));
        return (
          cipher.update(bytes.subarray(0, -TAG_BYTES), undefined, 'utf8') + cipher.final('utf8')
        );
      } catch {
        return null;
      }
    },
    digest: (purpose, text) => digestUnder(keys[0], purpose, text),
    digests: (purpose, text) => keys.map((key) => digestUnder(key, purpose, text)),
  };
}
