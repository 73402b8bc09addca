import { medianOf, type Round } from './rounds.ts';

export interface Measured {
  name: string;
  /** Each with the round of its floor. */
  rounds: (Round & { floor: Round })[];
  /** Whether a session can be revoked; null if there are no sessions. */
  canRevoke: boolean | null;
}

export const requestColumns = [
  'contender',
  'requests/s',
  'of the floor',
  'of its CPU',
  'range of that',
  'p50 ms',
  'p99 ms',
  'revocable',
];

/** Returns the rows of the table: medians, and the medians of the ratios to the floor in each round. */
export function requestRows(measured: readonly Measured[]): string[][] {
  return measured.map(({ name, rounds, canRevoke }) => {
    const of = (value: (round: Round) => number) => medianOf(rounds.map(value));
    const speeds = rounds.map((round) => round.requestsPerSecond / round.floor.requestsPerSecond);
    const costs = rounds.map((round) => round.floor.cpuMicroseconds / round.cpuMicroseconds);
    return [
      name,
      Math.round(of((round) => round.requestsPerSecond)).toLocaleString('en'),
      medianOf(speeds).toFixed(2),
      medianOf(costs).toFixed(2),
      `${Math.min(...costs).toFixed(2)}–${Math.max(...costs).toFixed(2)}`,
      of((round) => round.p50Ms).toFixed(2),
      of((round) => round.p99Ms).toFixed(2),
      canRevoke === null ? '' : canRevoke ? 'at once' : 'no',
    ];
  });
}

/** Returns a Markdown table with aligned columns. */
export function markdown(columns: readonly string[], rows: readonly string[][]): string {
  const widths = columns.map((column, index) =>
    Math.max(column.length, 3, ...rows.map((row) => row[index]!.length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index]!)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
}
