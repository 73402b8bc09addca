import { medianOf, type Round } from './rounds.ts';

export interface Measured {
  name: string;
  rounds: Round[];
  /** Whether a session can be ended before its time; null: there is none. */
  canEnd: boolean | null;
}

/** The rows of the table: medians, and the median of the ratios to the floor of the same round. */
export function tableOf(measured: readonly Measured[]): string[][] {
  const floor = measured.find(({ name }) => name === 'floor');
  return measured.map(({ name, rounds, canEnd }) => {
    const of = (value: (round: Round) => number) => medianOf(rounds.map(value));
    const ratios = rounds.map(
      ({ requestsPerSecond }, index) =>
        requestsPerSecond / (floor?.rounds[index]?.requestsPerSecond ?? NaN),
    );
    return [
      name,
      Math.round(of((round) => round.requestsPerSecond)).toLocaleString('en'),
      floor ? medianOf(ratios).toFixed(2) : '–',
      floor ? `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}` : '–',
      of((round) => round.p50Ms).toFixed(1),
      of((round) => round.p99Ms).toFixed(1),
      canEnd === null ? '' : canEnd ? 'at once' : 'no',
    ];
  });
}

export const COLUMNS = [
  ...['contender', 'requests/s', 'of the floor', 'range', 'p50 ms', 'p99 ms', 'can be ended'],
];

/** A table of Markdown whose columns are as wide as what is in them. */
export function markdown(columns: readonly string[], rows: readonly string[][]): string {
  const widths = columns.map((column, index) =>
    Math.max(column.length, ...rows.map((row) => row[index]!.length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index]!)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(columns), rule, ...rows.map(line)].join('\n');
}
