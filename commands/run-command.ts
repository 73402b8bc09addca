import { resolve } from 'node:path';
import { StartupError } from '#app/config/startup-error.ts';

/**
 * Runs a command with the arguments after its name. If it throws a {@link StartupError}, prints the
 * message without a stack and sets the exit code to 1.
 */
export async function runCommand(run: (args: string[]) => Promise<void>): Promise<void> {
  try {
    await run(process.argv.slice(3));
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

/** Prints a line on standard output. */
export function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Resolves a path against the folder in which the user called npm, which runs scripts in the project's. */
export function resolveFromCaller(file: string): string {
  return resolve(process.env.INIT_CWD ?? '', file);
}
