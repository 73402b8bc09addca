import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import Piscina from 'piscina';
import type { Database } from '#app/database/database.server.ts';
import { passwordDigest } from './password-digest.ts';
import type { PasswordTask } from './password-worker.ts';

export interface PasswordsOptions {
  db: Database['client'];
  pepper: string;
  /** bcrypt's cost: 2^cost rounds. */
  cost: number;
  /** The module that hashes. Default: `password-worker.ts`. */
  worker?: URL;
  /** Node options for the worker threads, such as a TypeScript loader in development. */
  execArgv?: string[];
}

/** Passwords as a credential: each question is answered with a user id or null, true or false. */
export interface Passwords {
  /** The user whose e-mail and password these are; null for an unknown e-mail and a wrong password alike, at the same cost. */
  authenticate(email: string, password: string): Promise<string | null>;
  /** True when the user has one. */
  isSet(userId: string): Promise<boolean>;
  /** True when this is the user's password. */
  confirm(userId: string, password: string): Promise<boolean>;
  /** What to store of a password: bcrypt of its keyed digest. */
  hash(password: string): Promise<string>;
  /** Sets the user's password, also the first one of an account without. */
  set(userId: string, password: string, now: Date): Promise<void>;
  /** How many passwords wait for a thread just now. */
  waiting(): number;
  /** Ends the threads. */
  close(): Promise<void>;
}

const IDLE_THREAD_MS = 30_000;
/** On Unix; where it cannot be had the threads are as all others. About a tenth of the share of others. */
const HASHING_NICENESS = 10;
const MAX_WAITING = 512;
const BCRYPT_ALPHABET = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const SALT_AND_HASH_CHARACTERS = 53;

/** Opens the pool of threads that hash. */
export function createPasswords(options: PasswordsOptions): Passwords {
  const { db, pepper, cost } = options;
  const { worker, execArgv } = { ...passwordThreads(), ...options };
  const pool = new Piscina<PasswordTask, string | boolean>({
    filename: worker.href,
    minThreads: 0,
    // One core stays free for everybody who is signed in already.
    maxThreads: Math.max(1, availableParallelism() - 1),
    // And where cores are shared, hashing gives way: a storm of sign-ins slows down nobody else.
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
      // One statement for known and unknown people alike.
      const kept = await db.password.findFirst({
        where: { user: { email } },
        select: { userId: true, hash: true },
      });
      const matches = await compare(password, kept?.hash ?? dummyHash);
      return matches && kept ? kept.userId : null;
    },
    async confirm(userId, password) {
      const kept = await db.password.findUnique({ where: { userId }, select: { hash: true } });
      const matches = await compare(password, kept?.hash ?? dummyHash);
      return matches && kept !== null;
    },
    async isSet(userId) {
      return (await db.password.count({ where: { userId } })) > 0;
    },
    hash: hashOf,
    async set(userId, password, now) {
      const hash = await hashOf(password);
      const kept = { hash, changedAt: now };
      await db.password.upsert({
        where: { userId },
        update: kept,
        create: { userId, ...kept },
        select: { userId: true },
      });
    },
    waiting: () => pool.queueSize,
    close: () => pool.close({ force: true }),
  };
}

// Of the right form and of no password: comparing with it costs what any comparison costs.
function makeDummyHash(cost: number): string {
  const characters = Array.from(
    { length: SALT_AND_HASH_CHARACTERS },
    () => BCRYPT_ALPHABET[randomInt(BCRYPT_ALPHABET.length)],
  );
  return `$2b$${String(cost).padStart(2, '0')}$${characters.join('')}`;
}

// Bundled, the worker lies beside the server; the sources need a loader for TypeScript.
function passwordThreads(): { worker: URL; execArgv?: string[] } {
  return import.meta.url.endsWith('.ts')
    ? {
        worker: new URL('./password-worker.ts', import.meta.url),
        execArgv: ['--import', 'tsx'],
      }
    : { worker: new URL('./password-worker.js', import.meta.url) };
}
