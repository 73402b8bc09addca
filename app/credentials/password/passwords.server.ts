import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import Piscina from 'piscina';
import type { Database } from '#app/database/database.server.ts';
import { passwordDigest } from './password-digest.ts';
import type { PasswordTask } from './password-worker.ts';

interface PasswordsOptions {
  db: Database['client'];
  pepper: string;
  /** The cost of bcrypt: 2^cost rounds. */
  cost: number;
  /** The module that hashes. Default: `password-worker.ts`. */
  worker?: URL;
  /** Node options for the worker threads, such as a TypeScript loader in development. */
  execArgv?: string[];
}

/** Passwords as a credential. */
export interface Passwords {
  /** Returns the user's id; `null` for an unknown e-mail or a wrong password, at the same cost. */
  authenticate(email: string, password: string): Promise<string | null>;
  /** True if the user has a password. */
  isSet(userId: string): Promise<boolean>;
  /** True if this is the user's password. */
  confirm(userId: string, password: string): Promise<boolean>;
  /** Returns what to store: the bcrypt hash of the password's keyed digest. */
  hash(password: string): Promise<string>;
  /** Sets the user's password, or the first one of an account without a password. */
  set(userId: string, password: string, now: Date): Promise<void>;
  /** Returns how many passwords wait for a thread. */
  waiting(): number;
  /** Stops the threads. */
  close(): Promise<void>;
}

const IDLE_THREAD_MS = 30_000;
/** On Unix: the threads get about a tenth of the CPU share of other threads. Elsewhere it has no effect. */
const HASHING_NICENESS = 10;
const MAX_WAITING = 512;
const BCRYPT_ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const SALT_AND_HASH_CHARACTERS = 53;

/** Starts the pool of threads that hash. */
export function createPasswords(options: PasswordsOptions): Passwords {
  const { db, pepper, cost } = options;
  const { worker, execArgv } = { ...passwordThreads(), ...options };
  const pool = new Piscina<PasswordTask, string | boolean>({
    filename: worker.href,
    minThreads: 0,
    // One core stays free for users who are signed in already.
    maxThreads: Math.max(1, availableParallelism() - 1),
    // Hashing yields to other threads: a surge of sign-ins does not slow down other requests.
    niceIncrement: HASHING_NICENESS,
    idleTimeout: IDLE_THREAD_MS,
    maxQueue: MAX_WAITING,
    ...(execArgv ? { execArgv } : {}),
  });
  const dummyHash = makeDummyHash(cost);

  const compare = async (password: string, hash: string) =>
    (await pool.run({ kind: 'compare', digest: passwordDigest(password, pepper), hash })) === true;
  const hashOf = async (password: string) =>
    String(await pool.run({ kind: 'hash', digest: passwordDigest(password, pepper), cost }));

  return {
    async authenticate(email, password) {
      // One statement for known and unknown users alike.
      const stored = await db.password.findFirst({
        where: { user: { email } },
        select: { userId: true, hash: true },
      });
      const matches = await compare(password, stored?.hash ?? dummyHash);
      return matches && stored ? stored.userId : null;
    },
    async confirm(userId, password) {
      const stored = await db.password.findUnique({ where: { userId }, select: { hash: true } });
      const matches = await compare(password, stored?.hash ?? dummyHash);
      return matches && stored !== null;
    },
    async isSet(userId) {
      return (await db.password.count({ where: { userId } })) > 0;
    },
    hash: hashOf,
    async set(userId, password, now) {
      const hash = await hashOf(password);
      const columns = { hash, changedAt: now };
      await db.password.upsert({
        where: { userId },
        update: columns,
        create: { userId, ...columns },
        select: { userId: true },
      });
    },
    waiting: () => pool.queueSize,
    close: () => pool.close({ force: true }),
  };
}

// A valid hash of no password: comparing with it costs as much as with any other.
function makeDummyHash(cost: number): string {
  const characters = Array.from(
    { length: SALT_AND_HASH_CHARACTERS },
    () => BCRYPT_ALPHABET[randomInt(BCRYPT_ALPHABET.length)],
  );
  return `$2b$${String(cost).padStart(2, '0')}$${characters.join('')}`;
}

// In the bundle the worker is a file beside the server; from source it needs a TypeScript loader.
function passwordThreads(): { worker: URL; execArgv?: string[] } {
  return import.meta.url.endsWith('.ts')
    ? {
        worker: new URL('./password-worker.ts', import.meta.url),
        execArgv: ['--import', 'tsx'],
      }
    : { worker: new URL('./password-worker.js', import.meta.url) };
}
