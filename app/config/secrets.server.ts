import { hkdfSync, randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod';
import type { Env } from './env.server.ts';
import type { NamedKey } from './keyring.server.ts';
import { createPrivateFolder } from './private-folder.server.ts';
import { StartupError } from './startup-error.ts';

/** Keys that the application cannot do without. They reach no log, page or column. */
export interface Secrets {
  /** Keys the digest that a password is reduced to before bcrypt. */
  passwordPepper: string;
  /** Seal cookies, codes and tokens; the first one is for what is new. See `keyring.server.ts`. */
  encryptionKeys: [NamedKey, ...NamedKey[]];
}

type KeptSecrets = Pick<Secrets, 'passwordPepper'>;

const SECRET_BYTES = 32;
const OWNER_ONLY = 0o600;

const fileSchema = z.object({ passwordPepper: z.string().min(32) });

/**
 * The secrets of the environment; on localhost, where none are given, those of a file that is made
 * on first start (mode 0600) and reused.
 *
 * @throws {StartupError} when a deployment does not give them, or the file cannot be used.
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
  // One secret less to keep for whoever tries this out; the pepper itself is not used (RFC 5869).
  const secret = hkdfSync('sha256', passwordPepper, '', 'latchkey encryption', SECRET_BYTES);
  return [{ id: 'local', secret: Buffer.from(secret) }];
}

function readSecrets(file: string): KeptSecrets | null {
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
    // Making new ones would lock everybody out of their account.
    throw new StartupError(
      `The secrets file ${file} is damaged; restore it, or delete it if no account needs it.`,
    );
  }
}

function createSecrets(file: string): KeptSecrets {
  const secrets: KeptSecrets = { passwordPepper: randomBytes(SECRET_BYTES).toString('base64url') };
  try {
    createPrivateFolder(dirname(file));
    writeWhole(file, `${JSON.stringify(secrets, null, 2)}\n`);
    return secrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      // Another process that boots at the same time was quicker.
      const theirs = readSecrets(file);
      if (theirs) return theirs;
    }
    throw new StartupError(
      `The secrets file ${file} cannot be written; make its folder writable or set PASSWORD_PEPPER.`,
    );
  }
}

/** Makes the file with all that is in it at once: another process never reads half of it. */
function writeWhole(file: string, text: string): void {
  const draft = `${file}.${randomUUID()}`;
  try {
    writeFileSync(draft, text, { mode: OWNER_ONLY, flag: 'wx' });
    chmodSync(draft, OWNER_ONLY);
    // Unlike a rename it takes no other file's place.
    linkSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}
