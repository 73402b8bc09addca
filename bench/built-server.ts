import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensureBuilt } from '../scripts/set-up/build.js';
import { inProject, projectFolder } from '../scripts/set-up/project.js';

/** The built application, as in production. */
export interface BuiltServer {
  origin: string;
  /** Runs the hourly clean-up now, in the server's process. Resolves when it is done. */
  runHourly(): Promise<void>;
  /** Runs `npm run sessions:prune`, in a separate process. */
  runPruneCommand(): Promise<void>;
  stop(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('./serve-built.ts', import.meta.url));

/**
 * Starts the built server with a database. Builds it first if it is out of date.
 *
 * @param folder for its files.
 */
export async function startBuiltServer(databaseUrl: string, folder: string): Promise<BuiltServer> {
  await ensureBuilt();
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    NODE_ENV: 'production',
    PORT: '0',
    DATABASE_URL: databaseUrl,
    SECRETS_FILE: join(folder, 'secrets.json'),
    OUTBOX_FOLDER: join(folder, 'outbox'),
    ERASURE_JOURNAL: join(folder, 'erasures.jsonl'),
  };
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, join(folder, 'log')], {
    env,
    cwd: projectFolder,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const readLine = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the built server ended unexpectedly');
    return value;
  };
  return {
    origin: await readLine(),
    async runHourly() {
      child.stdin.write('hourly\n');
      await readLine();
    },
    async runPruneCommand() {
      const args = [inProject('scripts/run-built.js'), 'sessions-prune'];
      await promisify(execFile)(process.execPath, args, { env, cwd: projectFolder });
    },
    async stop() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
}
