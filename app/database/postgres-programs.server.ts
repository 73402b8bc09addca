import { spawn } from 'node:child_process';
import { StartupError } from '#app/config/startup-error.ts';
import type { DatabaseAddress } from './address.server.ts';

type PostgresAddress = Extract<DatabaseAddress, { provider: 'postgresql' }>;

const LAST_LINES = 3;

/**
 * Runs a PostgreSQL program on the database of an address. Passes the password in the environment,
 * because every user of the machine can read arguments.
 *
 * @returns its standard output.
 * @throws {StartupError} if the program is not installed, or fails; with its last lines of output.
 */
export async function runPostgresProgram(
  name: 'pg_dump' | 'pg_restore',
  args: string[],
  address: PostgresAddress | null,
): Promise<string> {
  const child = spawn(name, [...args, ...(address ? connectionArguments(address) : [])], {
    env: { ...process.env, ...(address ? { PGPASSWORD: passwordOf(address) } : {}) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errorOutput = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errorOutput += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(programMissingError(name, error)));
    child.once('close', resolve);
  });
  if (code === 0) return output;
  const reason = errorOutput.trim().split('\n').slice(-LAST_LINES).join(' ').replace(/\.$/, '');
  throw new StartupError(`${name} failed: ${reason || `it ended with ${code}`}.`);
}

function programMissingError(name: string, error: unknown): StartupError {
  return new StartupError(
    `${name} is needed and not found on PATH; install the client programs of PostgreSQL, of the server's version or newer (on Debian: apt-get install postgresql-client).`,
    { cause: error },
  );
}

function passwordOf({ connectionString }: PostgresAddress): string {
  return decodeURIComponent(new URL(connectionString).password);
}

function connectionArguments({ connectionString }: PostgresAddress): string[] {
  const url = new URL(connectionString);
  url.password = '';
  return ['--no-password', '--dbname', url.href];
}
