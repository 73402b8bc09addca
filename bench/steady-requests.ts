import { Agent, get } from 'node:http';
import { percentileOf } from './rounds.ts';

/** A request that is sent at a fixed rate, whether earlier ones are done or not. */
export interface Steady {
  url: string;
  headers: Record<string, string>;
  perSecond: number;
  /** Returns true if the body is the expected one. */
  isRight: (body: string) => boolean;
}

export interface Latency {
  requests: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/**
 * As many as a proxy might open. A request that finds all in use waits, which counts as latency. A busy
 * process accepts one new connection per turn of the event loop: without a limit, connections would fill the
 * system's queue and be refused.
 */
export const CONNECTIONS = 64;

/** A timer may fire this much late, which does not count as latency of the server. */
const TIMER_MS = 1;

/**
 * Sends each request at its rate until `end`, and waits for the requests that are running then. Requests do
 * not wait for earlier ones, and their latency is measured from the scheduled time. So a pause of the server
 * counts for every request in it, which avoids "coordinated omission" (Gil Tene, "How NOT to Measure
 * Latency").
 *
 * @returns the latencies of each request, in order.
 * @throws if a response was wrong.
 */
export async function measureSteadily(
  steady: readonly Steady[],
  end: Promise<unknown>,
): Promise<Latency[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let isOver = false;
  const over = end.finally(() => (isOver = true));
  const measuring = steady.map((each, index) =>
    // Offset, so that they are not all sent at the same time.
    repeat(each, agent, (index * 1000) / each.perSecond / steady.length, () => isOver),
  );
  try {
    const [, ...latencies] = await Promise.all([over, ...measuring]);
    return latencies;
  } finally {
    isOver = true;
    agent.destroy();
  }
}

async function repeat(
  steady: Steady,
  agent: Agent,
  offsetMs: number,
  isOver: () => boolean,
): Promise<Latency> {
  const startedAt = performance.now() + offsetMs;
  const everyMs = 1000 / steady.perSecond;
  const pending: Promise<number>[] = [];
  const failures: unknown[] = [];
  for (let count = 0; !isOver() && failures.length === 0; count += 1) {
    const dueAt = startedAt + count * everyMs;
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const from = Math.min(performance.now(), dueAt + TIMER_MS);
    const latency = send(steady, agent).then((respondedAt) => respondedAt - from);
    latency.catch((error: unknown) => failures.push(error));
    pending.push(latency);
  }
  const latencies = await Promise.all(pending);
  return {
    requests: latencies.length,
    p50Ms: percentileOf(latencies, 0.5),
    p99Ms: percentileOf(latencies, 0.99),
    maxMs: percentileOf(latencies, 1),
  };
}

/** How often in a row a server may reset the connection of a request. */
const MAX_RESETS = 5;

/** Sends a request, and returns the time at which its response was complete. */
function send(
  steady: Pick<Steady, 'url' | 'headers' | 'isRight'>,
  agent: Agent,
  resetsLeft = MAX_RESETS,
): Promise<number> {
  const { url, headers, isRight } = steady;
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => {
        const respondedAt = performance.now();
        if (response.statusCode === 200 && isRight(body)) resolve(respondedAt);
        else reject(new Error(`${url} returned ${response.statusCode}: ${body.slice(0, 200)}`));
      });
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      // The server closed an idle connection just when it was reused, or is too busy to accept new ones. A
      // client would retry, and the time counts.
      if (error.code !== 'ECONNRESET' || resetsLeft === 0) reject(error);
      else send(steady, agent, resetsLeft - 1).then(resolve, reject);
    });
  });
}
