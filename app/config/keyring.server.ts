import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/** A secret from which the application's keys are derived, and its name. */
export interface NamedKey {
  /** Letters and digits; readable in every text sealed with the key. */
  id: string;
  /** At least 32 random bytes. */
  secret: Buffer;
}

/**
 * Encrypts texts that only the application may read, and digests texts that it only needs to
 * recognise. Every result is bound to a purpose: a text sealed for one purpose does not open for
 * another.
 */
export interface Keyring {
  /** Encrypts a text: `keyId.nonce.ciphertext`, base64url (AES-256-GCM, NIST SP 800-38D). */
  seal(purpose: string, text: string): string;
  /**
   * Decrypts a sealed text. `null` if it was sealed for another purpose, with a key that was removed,
   * or not by this application.
   */
  open(purpose: string, sealed: string): string | null;
  /** Returns a keyed digest, `keyId.hmac` (HMAC-SHA-256). The same text always gives the same digest. */
  digest(purpose: string, text: string): string;
  /** Returns the digest under every active key, the current key first: for looking up stored digests. */
  digests(purpose: string, text: string): string[];
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Creates a keyring.
 *
 * @param keys the first key seals; the others only open what they sealed before. To rotate keys, put
 *   the new key first, and remove the old key when nothing is sealed with it any more.
 */
export function createKeyring(keys: [NamedKey, ...NamedKey[]]): Keyring {
  // One derived key per purpose: a key for one purpose reveals nothing about another (RFC 5869).
  const derived = new Map<string, Buffer>();
  const keyFor = ({ id, secret }: NamedKey, use: string, purpose: string) => {
    const info = `latchkey ${use} ${purpose}`;
    const cached = derived.get(`${id} ${info}`);
    if (cached) return cached;
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
      // Decoding ignores surplus characters, so that one value would have several spellings.
      if (bytes.toString('base64url') !== rest) return null;
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
