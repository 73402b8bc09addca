import autocannon from 'autocannon';
import type { ContenderProcess } from './contender-process.ts';

export interface Round {
  requestsPerSecond: number;
  p50Ms: number;
  p99Ms: number;
}

export interface Load {
  connections: number;
  seconds: number;
}

/** Loads a contender for a while. @throws when an answer was anything but 200. */
export async function measure(
  { name, url, headers }: ContenderProcess,
  { connections, seconds }: Load,
): Promise<Round> {
  const result = await autocannon({ url, headers, connections, duration: seconds });
  const wrong = result.non2xx + result.errors + result.timeouts;
  if (wrong > 0) throw new Error(`${name} gave ${wrong} wrong answers under load`);
  return {
    requestsPerSecond: result.requests.total / result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  };
}

export const medianOf = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};
