import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../tests/fixtures/guarded-process.ts';
import { processFigures } from './process-figures.ts';

/** Whom the seed makes. */
export const DEMO = {
  email: 'demo@latchkey.example',
  password: 'correct horse battery staple',
};

/** The built application, in a process of its own, as it is run in production. */
export interface BenchApplication {
  origin: string;
  pid: number;
  /** From the start of the process to the first page that was answered whole, in milliseconds. */
  startedInMs: number;
  /** Signs the demo person in by the API, and gives back the token. @throws when that fails. */
  signIn(): Promise<string>;
  cpuMicroseconds(): Promise<number>;
  residentMiB(): number;
  stop(): Promise<void>;
}

export interface BenchApplicationOptions {
  /** For its files: secrets, log, mail, and the database unless DATABASE_URL says where it is. */
  folder: string;
  env?: Record<string, string>;
  /** What starts it; default: `node scripts/run-built.js server`, as a container does. */
  command?: [program: string, ...args: string[]];
}

/** No command of production: the person has a password that everybody knows. */
const SEED = "import('./dist/seed.js').then((seed) => seed.main())";
const RUN_BUILT = ['scripts/run-built.js'];
const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const ASK_AGAIN_MS = 5;
const GIVE_UP_MS = 60_000;

/** Far from any limit: the bench signs in more often than people do. */
const MANY = '1000000';
const LIMITS = Object.fromEntries(
  [
    'PASSWORD_TRIES_PER_ACCOUNT',
    'PASSWORD_TRIES_PER_NETWORK',
    'PASSWORD_TRIES_IN_ALL',
    'MAILS_PER_ADDRESS',
    'MAILS_PER_NETWORK',
    'MAILS_IN_ALL',
  ].map((name) => [name, MANY]),
);

const environmentOf = ({ folder, env }: BenchApplicationOptions) => ({
  ...process.env,
  ...LIMITS,
  DATABASE_URL: `file:${join(folder, 'bench.db')}`,
  SECRETS_FILE: join(folder, 'secrets.json'),
  OUTBOX_FOLDER: join(folder, 'outbox'),
  ERASURE_JOURNAL: join(folder, 'erasures.jsonl'),
  PWNED_PASSWORDS: 'off',
  ...env,
});

/** Makes the database, and the demo person in it. */
export async function seed(options: BenchApplicationOptions): Promise<void> {
  const child = spawn(process.execPath, ['--eval', SEED], {
    cwd: PROJECT,
    env: { ...environmentOf(options), NODE_ENV: 'development' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error('the demo person could not be made; is the project built?');
}

/** Starts it, and waits for its first page. */
export async function startBenchApplication(
  options: BenchApplicationOptions,
): Promise<BenchApplication> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  // Written like any log of production, and read by nobody.
  const log = openSync(join(options.folder, 'log'), 'a');
  const [program, ...args] = options.command ?? [process.execPath, ...RUN_BUILT, 'server'];
  const began = performance.now();
  const child = spawn(program, args, {
    cwd: PROJECT,
    env: {
      ...environmentOf(options),
      NODE_ENV: 'production',
      PORT: String(port),
      HOST: '127.0.0.1',
      ORIGIN: origin,
    },
    stdio: ['ignore', log, log],
    // A group of its own: npm has children.
    detached: true,
  });
  const startedInMs = await firstPage(`http://127.0.0.1:${port}/login`, child, began).catch(
    (cause: unknown) => {
      const said = readFileSync(join(options.folder, 'log'), 'utf8').slice(-2000);
      throw new Error(`The application does not start; it says:\n${said}`, { cause });
    },
  );
  const pid = child.pid!;
  return {
    origin: `http://127.0.0.1:${port}`,
    pid,
    startedInMs,
    async signIn() {
      const answer = await fetch(`http://127.0.0.1:${port}/api/login`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(DEMO),
      });
      const { token } = (await answer.json()) as { token?: string };
      if (!token) throw new Error(`signing in was answered with ${answer.status}`);
      return token;
    },
    cpuMicroseconds: () => Promise.resolve(processFigures.cpuMicroseconds(pid)),
    residentMiB: () => processFigures.residentMiB(pid),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      process.kill(-pid, 'SIGTERM');
      await exited;
    },
  };
}

async function firstPage(url: string, child: ChildProcess, began: number): Promise<number> {
  while (performance.now() - began < GIVE_UP_MS) {
    if (child.exitCode !== null) throw new Error('the application ended before its first page');
    try {
      const answer = await fetch(url);
      const page = await answer.text();
      if (answer.ok && page.includes('</html>')) return performance.now() - began;
    } catch {
      // It does not listen yet.
    }
    await delay(ASK_AGAIN_MS);
  }
  throw new Error('the application did not answer');
}
