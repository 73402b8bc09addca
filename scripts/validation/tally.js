/** @typedef {{ passed: number, failed: number }} Tally */

/**
 * The part that we use of the file that Vitest's JSON reporter writes.
 *
 * @typedef {object} VitestReport
 * @property {{ status: string, assertionResults: { status: string }[] }[]} testResults
 */

export const ONE_PASSED = Object.freeze({ passed: 1, failed: 0 });
export const ONE_FAILED = Object.freeze({ passed: 0, failed: 1 });

/**
 * @param {Tally[]} tallies
 * @returns {Tally}
 */
export function sum(tallies) {
  return tallies.reduce(
    (total, { passed, failed }) => ({
      passed: total.passed + passed,
      failed: total.failed + failed,
    }),
    { passed: 0, failed: 0 },
  );
}

/**
 * Returns the tally of a run. A file that could not be loaded, a missing report and an error outside of any
 * test each count as one failure, so that a run with errors never counts as passed.
 *
 * @param {VitestReport | null} report null if Vitest ended without writing one
 * @param {{ exitCode: number, skippedFail: boolean }} run
 * @returns {Tally}
 */
export function countTests(report, { exitCode, skippedFail }) {
  if (!report) return ONE_FAILED;
  const tally = { passed: 0, failed: 0 };
  for (const file of report.testResults) {
    const failedBefore = tally.failed;
    for (const { status } of file.assertionResults) {
      if (status === 'passed') tally.passed += 1;
      else if (status === 'failed' || skippedFail) tally.failed += 1;
    }
    if (file.status === 'failed' && tally.failed === failedBefore) tally.failed += 1;
  }
  if (exitCode !== 0 && tally.failed === 0) tally.failed = 1;
  // A run without tests is a failure.
  if (tally.passed + tally.failed === 0) return ONE_FAILED;
  return tally;
}

/**
 * Returns the last line of `npm test`, which other programs parse.
 *
 * @param {Tally} tally
 */
export function lastLine({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}
