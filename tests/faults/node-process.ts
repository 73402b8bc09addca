import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { vi } from 'vitest';
import type { RunningScript } from '../tooling/run-script.ts';
import type { FaultyNode, Target, Verdict } from './checker.ts';

const READY_WITHIN = { timeout: 30_000, interval: 50 };
/** Twice the time for which a node waits for its database, because the machine may be busy. */
const RESPONSE_TIMEOUT_MS = 10_000;

export interface NodeRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
}

export interface NodeResponse {
  status: number;
  retryAfter: string | null;
  text: string;
}

/** A node in a separate process, which a test starts, kills, pauses and sends HTTP requests to. */
export abstract class NodeProcess implements FaultyNode {
  #running: RunningScript | null = null;
  #port = 0;
  readonly #failures = new Map<string, number>();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  /** @param port 0 for the first start; later the same port, as behind a load balancer. */
  protected abstract launch(port: number): RunningScript;
  /** Matches the output once the node serves. Its first group is the port. */
  protected abstract readonly serving: RegExp;
  /** Returns a request with the status 200 if the token's session is live. */
  protected abstract checkRequest(token: string): NodeRequest;
  /** Returns a request that revokes the session, and the status of its success. */
  protected abstract revokeRequest(token: string): NodeRequest & { successStatus: number };

  async checkToken(token: string): Promise<Verdict> {
    try {
      const { status, retryAfter } = await this.send(this.checkRequest(token));
      if (status === 503) return this.#unavailable(`503, Retry-After: ${retryAfter}`);
      return status === 200 ? 'live' : 'refused';
    } catch (error) {
      return this.#unavailable((error as Error).message);
    }
  }

  async revoke({ token }: Target): Promise<true | 'unavailable'> {
    const { successStatus, ...sent } = this.revokeRequest(token);
    try {
      const { status } = await this.send(sent);
      return status === successStatus ? true : this.#unavailable(`revocation: ${status}`);
    } catch (error) {
      return this.#unavailable(`revocation: ${(error as Error).message}`);
    }
  }

  takeFailures(): string[] {
    const taken = [...this.#failures].map(([failure, times]) => `${failure} (${times})`);
    this.#failures.clear();
    return taken;
  }

  #unavailable(failure: string): 'unavailable' {
    this.#failures.set(failure, (this.#failures.get(failure) ?? 0) + 1);
    return 'unavailable';
  }

  get origin(): string {
    return `http://localhost:${this.#port}`;
  }

  async start(): Promise<void> {
    this.#running = this.launch(this.#port);
    const [, port] = await this.#running.waitForOutput(this.serving);
    this.#port = Number(port);
    await this.untilReady();
  }

  async untilReady(): Promise<void> {
    await vi.waitFor(async () => {
      const { status } = await this.send({ method: 'GET', path: '/readyz', headers: {} });
      if (status !== 200) throw new Error(`/readyz returns ${status}`);
    }, READY_WITHIN);
  }

  async kill(): Promise<void> {
    const { process, finished } = this.#running!;
    process.kill('SIGKILL');
    await finished;
  }

  /** Stops the node with a SIGTERM and starts it again on its port, as a supervisor does. */
  async restart(): Promise<void> {
    const { process, finished } = this.#running!;
    process.kill('SIGTERM');
    await finished;
    await this.start();
  }

  /** Returns a request of a signed-in browser. */
  requestFor(token: string): NodeRequest {
    return this.checkRequest(token);
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
   * Sends a request and returns the response. The server may close a connection just when it is reused, which
   * is not a fault: then it sends the request again, as a browser does (RFC 9112 §9.3.1).
   *
   * @throws if the response is missing or incomplete.
   */
  async send({ method, path, headers }: NodeRequest): Promise<NodeResponse> {
    const sent = request(this.origin + path, {
      method,
      agent: this.#agent,
      timeout: RESPONSE_TIMEOUT_MS,
      headers: { Accept: 'text/html', ...headers },
    });
    sent.on('timeout', () => sent.destroy(new Error('no response in time')));
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
    if (!response.complete) throw new Error('incomplete response');
    const retryAfter = response.headers['retry-after'] ?? null;
    return { status: response.statusCode ?? 0, retryAfter, text };
  }
}
