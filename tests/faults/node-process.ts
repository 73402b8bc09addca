import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { vi } from 'vitest';
import type { RunningScript } from '../tooling/run-script.ts';
import type { FaultyNode, Target, Verdict } from './checker.ts';

const READY_WITHIN = { timeout: 30_000, interval: 50 };
/** Twice as long as a node may wait for its database, for a machine that is busy. */
const ANSWER_WITHIN_MS = 10_000;

export interface Sent {
  method: string;
  path: string;
  headers: Record<string, string>;
}

export interface Received {
  status: number;
  retryAfter: string | null;
  text: string;
}

/** A node in a process of its own, which a test starts, kills, pauses and asks over HTTP. */
export abstract class NodeProcess implements FaultyNode {
  #running: RunningScript | null = null;
  #port = 0;
  readonly #excuses = new Map<string, number>();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  /** @param port 0 the first time; afterwards the one that it had, as behind a load balancer. */
  protected abstract launch(port: number): RunningScript;
  /** Matches what it says once it serves; its first group is the port. */
  protected abstract readonly serving: RegExp;
  /** A request that is answered with 200 to whoever is signed in by this token. */
  protected abstract asking(token: string): Sent;
  /** One that ends the session, and the status that says so. */
  protected abstract ending(token: string): Sent & { doneBy: number };

  async ask(token: string): Promise<Verdict> {
    try {
      const { status, retryAfter } = await this.send(this.asking(token));
      if (status === 503) return this.#unavailable(`503, Retry-After: ${retryAfter}`);
      return status === 200 ? 'live' : 'refused';
    } catch (error) {
      return this.#unavailable((error as Error).message);
    }
  }

  async revoke({ token }: Target): Promise<true | 'unavailable'> {
    const { doneBy, ...sent } = this.ending(token);
    try {
      const { status } = await this.send(sent);
      return status === doneBy ? true : this.#unavailable(`an end: ${status}`);
    } catch (error) {
      return this.#unavailable(`an end: ${(error as Error).message}`);
    }
  }

  tellExcuses(): string[] {
    const told = [...this.#excuses].map(([excuse, times]) => `${excuse} (${times})`);
    this.#excuses.clear();
    return told;
  }

  #unavailable(excuse: string): 'unavailable' {
    this.#excuses.set(excuse, (this.#excuses.get(excuse) ?? 0) + 1);
    return 'unavailable';
  }

  get origin(): string {
    return `http://localhost:${this.#port}`;
  }

  async start(): Promise<void> {
    this.#running = this.launch(this.#port);
    const [, port] = await this.#running.said(this.serving);
    this.#port = Number(port);
    await this.untilReady();
  }

  async untilReady(): Promise<void> {
    await vi.waitFor(async () => {
      const { status } = await this.send({ method: 'GET', path: '/readyz', headers: {} });
      if (status !== 200) throw new Error(`/readyz answers ${status}`);
    }, READY_WITHIN);
  }

  async kill(): Promise<void> {
    const { process, finished } = this.#running!;
    process.kill('SIGKILL');
    await finished;
  }

  /** As a supervisor does it: told to stop, waited for, and started again on its port. */
  async restart(): Promise<void> {
    const { process, finished } = this.#running!;
    process.kill('SIGTERM');
    await finished;
    await this.start();
  }

  /** What a signed-in browser asks for. */
  requestFor(token: string): Sent {
    return this.asking(token);
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    if (!this.#running || this.#running.process.exitCode !== null) return;
    this.resume();
    this.#running.process.kill('SIGTERM');
    await this.#running.finished;
  }

  pause(): void {
    this.#running!.process.kill('SIGSTOP');
  }

  resume(): void {
    this.#running!.process.kill('SIGCONT');
  }

  /**
   * The answer to a request. A connection may be closed just as it is used again, and that is not a fault: the
   * request goes out anew, as a browser sends it (RFC 9112 §9.3.1).
   *
   * @throws when no answer comes, or not all of it.
   */
  async send({ method, path, headers }: Sent): Promise<Received> {
    const sent = request(this.origin + path, {
      method,
      agent: this.#agent,
      timeout: ANSWER_WITHIN_MS,
      headers: { Accept: 'text/html', ...headers },
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer in time')));
    sent.end();
    const response = await once(sent, 'response').then(
      ([first]) => first as IncomingMessage,
      (error: unknown) => {
        const isReset = (error as NodeJS.ErrnoException).code === 'ECONNRESET';
        if (!sent.reusedSocket || !isReset) throw error;
        return null;
      },
    );
    if (!response) return this.send({ method, path, headers });
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    await once(response, 'close');
    if (!response.complete) throw new Error('the answer was cut off');
    const retryAfter = response.headers['retry-after'] ?? null;
    return { status: response.statusCode ?? 0, retryAfter, text };
  }
}
