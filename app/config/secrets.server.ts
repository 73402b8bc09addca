import { hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod';
import type { Env } from './env.server.ts';
import type { NamedKey } from './keyring.server.ts';
import { createPrivateFolder } from './private-folder.server.ts';
import { StartupError } from './startup-error.ts';

/** Keys that the application needs to run. They never appear in a log, page or database column. */
interface Secrets {
  /** Key of the digest that is computed of a password before bcrypt. */
  passwordPepper: string;
  /** Keys that seal cookies, codes and tokens; new values use the first. See `keyring.server.ts`. */
  encryptionKeys: [NamedKey, ...NamedKey[]];
}

type StoredSecrets = Pick<Secrets, 'passwordPepper'>;

const SECRET_BYTES = 32;
const OWNER_ONLY = 0o600;

const fileSchema = z.object({ passwordPepper: z.string().min(32) });

/**
 * Returns the secrets of the environment. On localhost a missing pepper is read from a file, which the
 * first start creates (mode 0600).
 *
 * @throws {StartupError} if a deployment does not set them, or the file cannot be used.
 */
export function loadSecrets(env: Env): Secrets {
  const passwordPepper = env.PASSWORD_PEPPER ?? pepperOfFile(env);
  return { passwordPepper, encryptionKeys: encryptionKeysOf(env, passwordPepper) };
}

function pepperOfFile(env: Env): string {
  if (!env.isLocal) {
    throw new StartupError(
      'PASSWORD_PEPPER must be set to a random text of at least 32 characters (for example from `openssl rand -base64 32`).',
    );
  }
  return (readSecrets(env.SECRETS_FILE) ?? createSecrets(env.SECRETS_FILE)).passwordPepper;
}

function encryptionKeysOf(env: Env, passwordPepper: string): Secrets['encryptionKeys'] {
  const [first, ...others] = (env.ENCRYPTION_KEYS?.split(',') ?? []).map((entry): NamedKey => {
    const [id = '', secret = ''] = entry.trim().split(':');
    return { id, secret: Buffer.from(secret, 'base64') };
  });
  if (first) return [first, ...others];
  if (!env.isLocal) {
    throw new StartupError(
      'ENCRYPTION_KEYS must be set to a name and 32 random bytes in base64, such as "2026:…" (for example from `echo 2026:$(openssl rand -base64 32)`).',
    );
  }
  // Saves developers a second secret. The key is derived, so it does not reveal the pepper (RFC 5869).
  const secret = hkdfSync('sha256', passwordPepper, '', 'latchkey encryption', SECRET_BYTES);
  return [{ id: 'local', secret: Buffer.from(secret) }];
}

function readSecrets(file: string): StoredSecrets | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new StartupError(`The secrets file ${file} cannot be read; check its permissions.`);
  }
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch {
    // A new pepper would make every stored password unusable.
    throw new StartupError(
      `The secrets file ${file} is damaged; restore it, or delete it if no account needs it.`,
    );
  }
}

function createSecrets(file: string): StoredSecrets {
  const secrets: StoredSecrets = {
    passwordPepper: randomBytes(SECRET_BYTES).toString('base64url'),
  };
  try {
    createPrivateFolder(dirname(file));
    writeAtomically(file, `${JSON.stringify(secrets, null, 2)}\n`);
    return secrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      // Another process that starts at the same time may have created it first.
      const theirs = readSecrets(file);
      if (theirs) return theirs;
    }
    throw new StartupError(
      `The secrets file ${file} cannot be written; make its folder writable or set PASSWORD_PEPPER.`,
    );
  }
}

/** Creates the file with its content in one step: another process never reads a partial file. */
function writeAtomically(file: string, text: string): void {
  const draft = `${file}.${randomUUID()}`;
  try {
    writeFileSync(draft, text, { mode: OWNER_ONLY, flag: 'wx' });
    chmodSync(draft, OWNER_ONLY);
    // Unlike a rename, a link never replaces an existing file.
    linkSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}
