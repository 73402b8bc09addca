import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const WITHIN_MS = 3000;

/** Programs that know who listens on a port, and how to read a process and its name from what they print. */
const sources: { program: string; args: (port: number) => string[]; read: RegExp }[] = [
  {
    // macOS, and most Linux machines. `-F` prints "p<process>" and "c<command>", each on a line.
    program: 'lsof',
    args: (port) => ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'],
    read: /^p(?<pid>\d+)\nc(?<name>.+)$/m,
  },
  {
    // Every other Linux: users:(("node",pid=123,fd=20))
    program: 'ss',
    args: (port) => ['-Hltnp', `sport = :${port}`],
    read: /\(\("(?<name>[^"]+)",pid=(?<pid>\d+)/,
  },
];

/**
 * Returns the program that listens on a port, as "node (process 123)"; null if the system does not say:
 * it tells users only about their own processes.
 */
export async function programOnPort(port: number): Promise<string | null> {
  for (const { program, args, read } of sources) {
    const output = await outputOf(program, args(port));
    const { name, pid } = read.exec(output)?.groups ?? {};
    if (name && pid) return `${name} (process ${pid})`;
  }
  return null;
}

/** Returns nothing if the program fails, or is not there. */
async function outputOf(program: string, args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(program, args, { timeout: WITHIN_MS });
    return stdout;
  } catch {
    return '';
  }
}
