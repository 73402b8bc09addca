import { describe, expect, test } from 'vitest';
import { countTests, lastLine, sum } from '../../scripts/validation/tally.js';

const file = (status: string, ...statuses: string[]) => ({
  status,
  assertionResults: statuses.map((each) => ({ status: each })),
});
const clean = { exitCode: 0, skippedFail: true };

describe('counting tests', () => {
  test('passed and failed tests are added up over all files', () => {
    const report = {
      testResults: [file('passed', 'passed', 'passed'), file('failed', 'passed', 'failed')],
    };
    expect(countTests(report, { exitCode: 1, skippedFail: true })).toEqual({
      passed: 3,
      failed: 1,
    });
  });

  test.each(['pending', 'skipped', 'todo', 'disabled'])(
    'a test that is %s counts as failed if no test may be skipped, and does not count otherwise',
    (status) => {
      const report = { testResults: [file('passed', 'passed', status)] };
      expect(countTests(report, clean)).toEqual({ passed: 1, failed: 1 });
      expect(countTests(report, { ...clean, skippedFail: false })).toEqual({
        passed: 1,
        failed: 0,
      });
    },
  );

  test('a file that could not be loaded counts as one failure', () => {
    const report = { testResults: [file('passed', 'passed'), file('failed')] };
    expect(countTests(report, { exitCode: 1, skippedFail: true })).toEqual({
      passed: 1,
      failed: 1,
    });
  });

  test('a file whose set-up failed counts as one failure even if all its tests passed', () => {
    const report = { testResults: [file('failed', 'passed', 'passed')] };
    expect(countTests(report, { exitCode: 1, skippedFail: true })).toEqual({
      passed: 2,
      failed: 1,
    });
  });

  test('an error outside of any test counts as one failure', () => {
    const report = { testResults: [file('passed', 'passed')] };
    expect(countTests(report, { exitCode: 1, skippedFail: true })).toEqual({
      passed: 1,
      failed: 1,
    });
  });

  test('a run without a report, or without any test, counts as one failure', () => {
    expect(countTests(null, clean)).toEqual({ passed: 0, failed: 1 });
    expect(countTests({ testResults: [] }, clean)).toEqual({ passed: 0, failed: 1 });
  });
});

test('the last line has the sums of passed and failed tests', () => {
  const total = sum([
    { passed: 4, failed: 0 },
    { passed: 120, failed: 2 },
  ]);
  expect(lastLine(total)).toBe('124 passed, 2 failed');
});
