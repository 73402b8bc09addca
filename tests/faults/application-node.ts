import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { vi } from 'vitest';
import { startScript, type RunningScript } from '../tooling/run-script.ts';
import type { FaultyNode, Target, Verdict } from './checker.ts';

const READY_WITHIN = { timeout: 30_000, interval: 50 };
const ANSWER_WITHIN_MS = 15_000;

export interface ApplicationNodeOptions {
  databaseUrl: string;
  /** With the secrets that all nodes share. */
  folder: string;
  env?: Record<string, string>;
}

/** One process of the built application, as a supervisor runs it. */
export class ApplicationNode implements FaultyNode {
  #running: RunningScript | null = null;
  #port = 0;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(readonly options: ApplicationNodeOptions) {}

  get origin(): string {
    return `http://localhost:${this.#port}`;
  }

  get process() {
    return this.#running!.process;
  }

  async start(): Promise<void> {
    const { databaseUrl, folder, env } = this.options;
    this.#running = startScript(
      'run-built.js',
      {
        ...{ PORT: String(this.#port), DATABASE_URL: databaseUrl, BCRYPT_COST: '4' },
        ...{ SECRETS_FILE: join(folder, 'secrets.json'), OUTBOX_FOLDER: join(folder, 'outbox') },
        ...{ ERASURE_JOURNAL: join(folder, 'erasures.jsonl'), PWNED_PASSWORDS: 'off' },
        ...env,
      },
      { args: ['server'] },
    );
    const [, port] = await this.#running.said(
      /"origin":"http:\/\/localhost:(\d+)","msg":"Latchkey is serv/,
    );
    // The next start is at the same address, as behind a load balancer.
    this.#port = Number(port);
    await this.untilReady();
  }

  async untilReady(): Promise<void> {
    await vi.waitFor(async () => {
      const { status } = await this.#send('GET', '/readyz', {});
      if (status !== 200) throw new Error(`/readyz answers ${status}`);
    }, READY_WITHIN);
  }

  async kill(): Promise<void> {
    const { process, finished } = this.#running!;
    process.kill('SIGKILL');
    await finished;
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    if (!this.#running || this.process.exitCode !== null) return;
    this.process.kill('SIGCONT');
    this.process.kill('SIGTERM');
    await this.#running.finished;
  }

  pause(): void {
    this.process.kill('SIGSTOP');
  }

  resume(): void {
    this.process.kill('SIGCONT');
  }

  async ask(token: string, path = '/settings/profile.data'): Promise<Verdict> {
    try {
      const { status } = await this.#send('GET', path, {
        Cookie: `session=${token}`,
        'Sec-Fetch-Site': 'same-origin',
      });
      if (status === 503) return 'unavailable';
      return status === 200 ? 'live' : 'refused';
    } catch {
      return 'unavailable';
    }
  }

  /** By its own browser, as people do. */
  async revoke({ token }: Target): Promise<true | 'unavailable'> {
    try {
      const { status } = await this.#send('POST', '/logout', {
        ...{ Cookie: `session=${token}`, Origin: this.origin, 'Sec-Fetch-Site': 'same-origin' },
        ...{ 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': '0' },
      });
      return status === 302 ? true : 'unavailable';
    } catch {
      return 'unavailable';
    }
  }

  async #send(method: string, path: string, headers: Record<string, string>) {
    const sent = request(this.origin + path, {
      ...{ method, agent: this.#agent, timeout: ANSWER_WITHIN_MS },
      headers: { Accept: 'text/html', ...headers },
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.resume();
    await once(response, 'close');
    if (!response.complete) throw new Error('the answer was cut off');
    return { status: response.statusCode ?? 0 };
  }
}
