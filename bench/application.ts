import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../tests/fixtures/guarded-process.ts';
import { processFigures } from './process-figures.ts';

/** The demo user that the seed creates. */
export const DEMO = {
  email: 'demo@latchkey.example',
  password: 'correct horse battery staple',
};

/** The built application, in a separate process, as in production. */
export interface BenchApplication {
  origin: string;
  pid: number;
  /** From the start of the process to the first complete page, in milliseconds. */
  startedInMs: number;
  /** Signs in the demo user through the API, and returns the token. @throws if that fails. */
  signIn(): Promise<string>;
  cpuMicroseconds(): Promise<number>;
  residentMiB(): number;
  stop(): Promise<void>;
}

export interface BenchApplicationOptions {
  /** For its files: secrets, log, mails, and the database unless DATABASE_URL is set. */
  folder: string;
  env?: Record<string, string>;
  /** Starts the application; by default `node scripts/run-built.js server`, as in a container. */
  command?: [program: string, ...args: string[]];
}

/** Not available as a command in production, because the demo user's password is public. */
const SEED = "import('./dist/seed.js').then((seed) => seed.main())";
const RUN_BUILT = ['scripts/run-built.js'];
const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const POLL_MS = 5;
const START_TIMEOUT_MS = 60_000;

/** Effectively no limit: the bench signs in more often than users do. */
const UNLIMITED = '1000000';
const LIMITS = Object.fromEntries(
  [
    'PASSWORD_TRIES_PER_ACCOUNT',
    'PASSWORD_TRIES_PER_NETWORK',
    'PASSWORD_TRIES_IN_ALL',
    'MAILS_PER_ADDRESS',
    'MAILS_PER_NETWORK',
    'MAILS_IN_ALL',
  ].map((name) => [name, UNLIMITED]),
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

/** Creates the database with the demo user. */
export async function seed(options: BenchApplicationOptions): Promise<void> {
  const child = spawn(process.execPath, ['--eval', SEED], {
    cwd: PROJECT,
    env: { ...environmentOf(options), NODE_ENV: 'development' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error('creating the demo user failed; is the project built?');
}

/** Starts the application, and waits for its first page. */
export async function startBenchApplication(
  options: BenchApplicationOptions,
): Promise<BenchApplication> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  // Written because production writes it too. Used only if the start fails.
  const log = openSync(join(options.folder, 'log'), 'a');
  const [program, ...args] = options.command ?? [process.execPath, ...RUN_BUILT, 'server'];
  const startedAt = performance.now();
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
    // Its own process group, because npm has child processes.
    detached: true,
  });
  const startedInMs = await firstPage(`http://127.0.0.1:${port}/login`, child, startedAt).catch(
    (cause: unknown) => {
      const output = readFileSync(join(options.folder, 'log'), 'utf8').slice(-2000);
      throw new Error(`The application does not start; its output:\n${output}`, { cause });
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
      if (!token) throw new Error(`signing in failed with ${answer.status}`);
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

/** Waits for the first complete page. Returns the time since `startedAt` in milliseconds. */
async function firstPage(url: string, child: ChildProcess, startedAt: number): Promise<number> {
  while (performance.now() - startedAt < START_TIMEOUT_MS) {
    if (child.exitCode !== null) throw new Error('the application ended before its first page');
    try {
      const answer = await fetch(url);
      const page = await answer.text();
      if (answer.ok && page.includes('</html>')) return performance.now() - startedAt;
    } catch {
      // The application does not listen yet.
    }
    await delay(POLL_MS);
  }
  throw new Error('the application did not respond in time');
}
