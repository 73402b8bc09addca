import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { USER, type Environment } from './contenders/contender.ts';

/** A contender that runs as a server in a separate process. */
export interface ContenderProcess {
  name: string;
  url: string;
  headers: Record<string, string>;
  /** Checks the response, and that a request without a session is refused. @throws if not. */
  check(): Promise<void>;
  /**
   * Revokes the session, and checks that the next request is refused. Returns false if the contender cannot
   * revoke sessions.
   */
  checkRevocation(): Promise<boolean>;
  /** Returns the CPU time of the process since its start, of all threads, in microseconds. */
  cpuMicroseconds(): Promise<number>;
  stop(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('./serve.ts', import.meta.url));

export async function startContender(
  name: string,
  environment: Environment,
): Promise<ContenderProcess> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', PROGRAM, name, JSON.stringify(environment)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_ENV: 'production' },
    },
  );
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const readLine = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name} ended unexpectedly.`);
    return value;
  };
  const { port, headers, canRevoke } = JSON.parse(await readLine()) as {
    port: number;
    headers: Record<string, string>;
    canRevoke: boolean;
  };
  const url = `http://127.0.0.1:${port}/me`;
  const isSignInNeeded = Object.keys(headers).length > 0;
  return {
    name,
    url,
    headers,
    async check() {
      const answer = await fetch(url, { headers });
      const body = await answer.text();
      if (answer.status !== 200 || body !== JSON.stringify(USER)) {
        throw new Error(`${name} returned ${answer.status}: ${body.slice(0, 200)}`);
      }
      if (!isSignInNeeded) return;
      const { status } = await fetch(url);
      if (status !== 401) throw new Error(`${name} returned ${status} without a session`);
    },
    async checkRevocation() {
      if (!canRevoke) return false;
      child.stdin!.write('revoke\n');
      await readLine();
      const { status } = await fetch(url, { headers });
      if (status !== 401) throw new Error(`${name} accepts a revoked session (${status})`);
      return true;
    },
    async cpuMicroseconds() {
      child.stdin!.write('cpu\n');
      return Number(await readLine());
    },
    async stop() {
      const exited = once(child, 'exit');
      child.stdin!.end();
      await exited;
    },
  };
}
