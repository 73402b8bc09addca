import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const WITHIN_MS = 3000;

/** Programs that find the process on a port, and how to read its id and name from their output. */
const sources: { program: string; args: (port: number) => string[]; read: RegExp }[] = [
  {
    // On macOS and most Linux machines. `-F` prints "p<process>" and "c<command>", each on a line.
    program: 'lsof',
    args: (port) => ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'],
    read: /^p(?<pid>\d+)\nc(?<name>.+)$/m,
  },
  {
    // On other Linux machines. Prints users:(("node",pid=123,fd=20)).
    program: 'ss',
    args: (port) => ['-Hltnp', `sport = :${port}`],
    read: /\(\("(?<name>[^"]+)",pid=(?<pid>\d+)/,
  },
];

/**
 * Returns the program that listens on a port, as "node (process 123)"; `null` if it cannot be found: the
 * system shows users only their own processes.
 */
export async function programOnPort(port: number): Promise<string | null> {
  for (const { program, args, read } of sources) {
    const output = await outputOf(program, args(port));
    const { name, pid } = read.exec(output)?.groups ?? {};
    if (name && pid) return `${name} (process ${pid})`;
  }
  return null;
}

/** Returns the output of a program; '' if the program fails or is missing. */
async function outputOf(program: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout: WITHIN_MS });
    return stdout;
  } catch {
    return '';
  }
}
