import autocannon from 'autocannon';
import type { ContenderProcess } from './contender-process.ts';

export interface Round {
  requestsPerSecond: number;
  /** The CPU time of the server's process, of all threads, per request. */
  cpuMicroseconds: number;
  p50Ms: number;
  p99Ms: number;
}

/** How often autocannon checks whether all requests are done. */
const SAMPLE_MS = 50;

/** A load for a duration, or of a number of requests. */
export type Load = { connections: number } & ({ seconds: number } | { amount: number });

/** A server that can be put under load. */
export type LoadTarget = Pick<ContenderProcess, 'name' | 'url' | 'headers' | 'cpuMicroseconds'>;

/** Puts a server under load, and returns the figures. @throws if a response was not a 200. */
export async function measure(
  { name, url, headers, cpuMicroseconds }: LoadTarget,
  load: Load,
): Promise<Round> {
  const { connections } = load;
  const extent =
    'seconds' in load ? { duration: load.seconds } : { amount: load.amount, sampleInt: SAMPLE_MS };
  const times: number[] = [];
  const cpuBefore = await cpuMicroseconds();
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      { url, headers, connections, ...extent },
      (error: Error | null, done) => (error ? reject(error) : resolve(done)),
    );
    // Autocannon's own histogram has whole milliseconds only.
    instance.on('response', (_client, _status, _bytes, ms) => times.push(ms));
  });
  const cpu = (await cpuMicroseconds()) - cpuBefore;
  const wrong = result.non2xx + result.errors + result.timeouts;
  if (wrong > 0 || times.length === 0) {
    throw new Error(`${name} gave ${wrong} wrong responses of ${times.length} under load`);
  }
  return {
    requestsPerSecond: result.requests.total / result.duration,
    cpuMicroseconds: cpu / result.requests.total,
    p50Ms: percentileOf(times, 0.5),
    p99Ms: percentileOf(times, 0.99),
  };
}

/** Returns the value that this share of the numbers does not exceed; NaN for an empty list. */
export function percentileOf(numbers: readonly number[], share: number): number {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

export const medianOf = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};
