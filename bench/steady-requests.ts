import { Agent, get } from 'node:http';
import { percentileOf } from './rounds.ts';

/** A request that is made time and again, whatever became of the last one. */
export interface Steady {
  url: string;
  headers: Record<string, string>;
  perSecond: number;
  /** Whether that is the answer. */
  isRight: (body: string) => boolean;
}

export interface Latency {
  requests: number;
  p50Ms: number;
  p99Ms: number;
  mostMs: number;
}

/**
 * As many as a proxy might hold; whoever finds all in use waits, and that counts. A process that has no
 * time takes one new connection a turn: without a bound they would fill the system's queue, and be refused.
 */
export const CONNECTIONS = 64;

/** A timer is up to so much late, which nobody answers for. */
const TIMER_MS = 1;

/**
 * Makes each request at its own times until `end`, and waits for what is under way then. A request is not
 * kept back by those before it, and counts from when it was due: a pause of the server counts for each
 * request that came in it (what "How NOT to Measure Latency" by Gil Tene calls coordinated omission is
 * left to nobody).
 *
 * @returns what each of them found, in order.
 * @throws when an answer was wrong.
 */
export async function measureSteadily(
  steady: readonly Steady[],
  end: Promise<unknown>,
): Promise<Latency[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let isOver = false;
  const over = end.finally(() => (isOver = true));
  const measuring = steady.map((each, index) =>
    // Not all at the same moment.
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
  const answers: Promise<number>[] = [];
  const failures: unknown[] = [];
  for (let count = 0; !isOver() && failures.length === 0; count += 1) {
    const dueAt = startedAt + count * everyMs;
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const from = Math.min(performance.now(), dueAt + TIMER_MS);
    const answer = ask(steady, agent).then((answeredAt) => answeredAt - from);
    answer.catch((error: unknown) => failures.push(error));
    answers.push(answer);
  }
  const took = await Promise.all(answers);
  return {
    requests: took.length,
    p50Ms: percentileOf(took, 0.5),
    p99Ms: percentileOf(took, 0.99),
    mostMs: percentileOf(took, 1),
  };
}

/** How often in a row a server may close the connection on which it is asked. */
const RESETS = 5;

function ask(
  steady: Pick<Steady, 'url' | 'headers' | 'isRight'>,
  agent: Agent,
  resetsLeft = RESETS,
): Promise<number> {
  const { url, headers, isRight } = steady;
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => {
        const answeredAt = performance.now();
        if (response.statusCode === 200 && isRight(body)) resolve(answeredAt);
        else reject(new Error(`${url} answered ${response.statusCode}: ${body.slice(0, 200)}`));
      });
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      // It closed one that nobody had used for a while just as it was to be used again, or has no time to
      // take new ones. Whoever waits asks again, and goes on waiting.
      if (error.code !== 'ECONNRESET' || resetsLeft === 0) reject(error);
      else ask(steady, agent, resetsLeft - 1).then(resolve, reject);
    });
  });
}
