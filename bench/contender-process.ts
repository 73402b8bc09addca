import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PERSON, type Surroundings } from './contenders/contender.ts';

/** A contender that serves. */
export interface ContenderProcess {
  name: string;
  url: string;
  headers: Record<string, string>;
  /** Asks whether it answers what it must, and refuses who is not signed in. @throws when not. */
  check(): Promise<void>;
  /** Ends the session, and asks whether it is refused from the next request on. False: it cannot be ended. */
  checkEnd(): Promise<boolean>;
  /** CPU time that the process has taken since it began, all threads, in microseconds. */
  cpuMicroseconds(): Promise<number>;
  stop(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('./serve.ts', import.meta.url));

export async function startContender(
  name: string,
  surroundings: Surroundings,
): Promise<ContenderProcess> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', PROGRAM, name, JSON.stringify(surroundings)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_ENV: 'production' },
    },
  );
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const say = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name} ended before its time.`);
    return value;
  };
  const { port, headers, canEnd } = JSON.parse(await say()) as {
    port: number;
    headers: Record<string, string>;
    canEnd: boolean;
  };
  const url = `http://127.0.0.1:${port}/me`;
  const isSignInNeeded = Object.keys(headers).length > 0;
  return {
    name,
    url,
    headers,
    async check() {
      const answer = await fetch(url, { headers });
      const said = await answer.text();
      if (answer.status !== 200 || said !== JSON.stringify(PERSON)) {
        throw new Error(`${name} answers ${answer.status}: ${said.slice(0, 200)}`);
      }
      if (!isSignInNeeded) return;
      const { status } = await fetch(url);
      if (status !== 401) throw new Error(`${name} answers a stranger with ${status}`);
    },
    async checkEnd() {
      if (!canEnd) return false;
      child.stdin!.write('end\n');
      await say();
      const { status } = await fetch(url, { headers });
      if (status !== 401) throw new Error(`${name} lets in whose session was ended (${status})`);
      return true;
    },
    async cpuMicroseconds() {
      child.stdin!.write('cpu\n');
      return Number(await say());
    },
    async stop() {
      const exited = once(child, 'exit');
      child.stdin!.end();
      await exited;
    },
  };
}
