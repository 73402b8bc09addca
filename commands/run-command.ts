import { resolve } from 'node:path';
import { StartupError } from '#app/config/startup-error.ts';

/**
 * Runs a command with what stood after its name. A {@link StartupError} is said in its one sentence,
 * and ends the command with code 1.
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

/** Says a line to whoever runs the command. */
export function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** npm runs scripts in the project's folder, and says where it was called. */
export function fromCaller(file: string): string {
  return resolve(process.env.INIT_CWD ?? '', file);
}
