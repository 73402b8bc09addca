import { expect, test } from 'vitest';
import { failureLines } from '../../scripts/validation/failures.js';

const failure = (n: number) => ({ where: `|rooms| tests/${n}.test.ts > holds`, message: 'no' });

test('each failure is printed with its test and the first lines of its message', () => {
  const message = ['expected 1 to be 2', '', ...Array.from({ length: 15 }, (_, n) => `line ${n}`)];
  expect(failureLines([{ where: '|rooms| a.test.ts > b', message: message.join('\n') }])).toEqual([
    'FAILED |rooms| a.test.ts > b',
    '       expected 1 to be 2',
    ...Array.from({ length: 11 }, (_, n) => `       line ${n}`),
  ]);
});

test('long lines and long lists of failures are cut, and the rest of a list is counted', () => {
  const [, cut] = failureLines([{ where: 'x', message: 'y'.repeat(1000) }]);
  expect(cut).toHaveLength(207);
  const lines = failureLines(Array.from({ length: 40 }, (_, n) => failure(n)));
  expect(lines.at(-1)).toBe('… and 30 more');
  expect(lines.filter((line) => line.startsWith('FAILED'))).toHaveLength(10);
});

test('nothing is printed if nothing failed', () => {
  expect(failureLines([])).toEqual([]);
});
