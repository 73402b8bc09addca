import autocannon from 'autocannon';
import type { ContenderProcess } from './contender-process.ts';

export interface Round {
  requestsPerSecond: number;
  /** Of the server's process, all its threads, for each request. */
  cpuMicroseconds: number;
  p50Ms: number;
  p99Ms: number;
}

/** It looks so often whether all are answered. */
const SAMPLE_MS = 50;

/** For so long, or so many requests in all. */
export type Load = { connections: number } & ({ seconds: number } | { amount: number });

/** What can be loaded. */
export type Loaded = Pick<ContenderProcess, 'name' | 'url' | 'headers' | 'cpuMicroseconds'>;

/** Loads a contender for a while. @throws when an answer was anything but 200. */
export async function measure(
  { name, url, headers, cpuMicroseconds }: Loaded,
  load: Load,
): Promise<Round> {
  const { connections } = load;
  const much =
    'seconds' in load ? { duration: load.seconds } : { amount: load.amount, sampleInt: SAMPLE_MS };
  const times: number[] = [];
  const cpuBefore = await cpuMicroseconds();
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      { url, headers, connections, ...much },
      (error: Error | null, done) => (error ? reject(error) : resolve(done)),
    );
    // Its own histogram knows whole milliseconds only.
    instance.on('response', (_client, _status, _bytes, ms) => times.push(ms));
  });
  const cpu = (await cpuMicroseconds()) - cpuBefore;
  const wrong = result.non2xx + result.errors + result.timeouts;
  if (wrong > 0 || times.length === 0) {
    throw new Error(`${name} gave ${wrong} wrong answers under load, of ${times.length}`);
  }
  return {
    requestsPerSecond: result.requests.total / result.duration,
    cpuMicroseconds: cpu / result.requests.total,
    p50Ms: percentileOf(times, 0.5),
    p99Ms: percentileOf(times, 0.99),
  };
}

/** The value that this share of the numbers does not exceed; NaN of none. */
export function percentileOf(numbers: readonly number[], share: number): number {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

export const medianOf = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};
