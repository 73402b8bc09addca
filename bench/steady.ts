import { Agent, get } from 'node:http';
import { percentileOf } from './rounds.ts';

export interface SteadyLoad {
  url: string;
  headers: Record<string, string>;
  perSecond: number;
  seconds: number;
  /** What every answer has to be. */
  expected: string;
}

export interface Latencies {
  p50Ms: number;
  p99Ms: number;
  mostMs: number;
}

/**
 * Asks at a steady rate, however long the answers take, and reckons each from when it was due: a pause
 * counts for all who came during it (Tene, "How NOT to Measure Latency", 2013).
 *
 * @throws when an answer was another one.
 */
export async function steadily(load: SteadyLoad): Promise<Latencies> {
  const { perSecond, seconds } = load;
  const agent = new Agent({ keepAlive: true });
  const total = Math.max(1, Math.round(perSecond * seconds));
  const began = performance.now();
  const times: Promise<number>[] = [];
  await new Promise<void>((resolve) => {
    const tick = () => {
      const elapsed = performance.now() - began;
      while (times.length < total && (times.length * 1000) / perSecond <= elapsed) {
        const due = began + (times.length * 1000) / perSecond;
        const asked = ask(load, agent).then(() => performance.now() - due);
        // It is told by whoever waits for all of them.
        asked.catch(() => undefined);
        times.push(asked);
      }
      if (times.length === total) resolve();
      else setTimeout(tick, 1);
    };
    tick();
  });
  try {
    const all = await Promise.all(times);
    return {
      p50Ms: percentileOf(all, 0.5),
      p99Ms: percentileOf(all, 0.99),
      mostMs: Math.max(...all),
    };
  } finally {
    agent.destroy();
  }
}

function ask({ url, headers, expected }: SteadyLoad, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => {
        if (response.statusCode === 200 && body === expected) resolve();
        else reject(new Error(`${url} answers ${response.statusCode}: ${body.slice(0, 200)}`));
      });
    });
    request.on('error', reject);
  });
}
