import { expect, test } from 'vitest';
import { expectConsole, takeUnexpected } from '../setup/expected-console.ts';

test('what nobody expected is told, with what was written', () => {
  console.warn('careful', { at: 1 });
  expect(takeUnexpected()).toEqual({
    written: [{ method: 'warn', args: ['careful', { at: 1 }] }],
    missing: [],
  });
});

test('what was expected is not, once for each call', () => {
  expectConsole('error', /on purpose/);
  console.error('failed', new Error('on purpose'));
  console.error('failed', new Error('on purpose'));
  expect(takeUnexpected().written).toHaveLength(1);
});

test('what was expected and did not come is told', () => {
  expectConsole('error', /on purpose/);
  console.warn('on purpose');
  const { written, missing } = takeUnexpected();
  expect(written).toHaveLength(1);
  expect(missing).toEqual([{ method: 'error', pattern: /on purpose/ }]);
});
