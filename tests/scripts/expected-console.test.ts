import { expect, test } from 'vitest';
import { expectConsole, takeUnexpected } from '../setup/expected-console.ts';

test('unexpected console output is reported with its arguments', () => {
  console.warn('careful', { at: 1 });
  expect(takeUnexpected()).toEqual({
    written: [{ method: 'warn', args: ['careful', { at: 1 }] }],
    missing: [],
  });
});

test('each call of expectConsole allows one line of output', () => {
  expectConsole('error', /on purpose/);
  console.error('failed', new Error('on purpose'));
  console.error('failed', new Error('on purpose'));
  expect(takeUnexpected().written).toHaveLength(1);
});

test('expected console output that is missing is reported', () => {
  expectConsole('error', /on purpose/);
  console.warn('on purpose');
  const { written, missing } = takeUnexpected();
  expect(written).toHaveLength(1);
  expect(missing).toEqual([{ method: 'error', pattern: /on purpose/ }]);
});
