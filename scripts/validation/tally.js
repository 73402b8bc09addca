/** @typedef {{ passed: number, failed: number }} Tally */

/**
 * What is read of the file that Vitest's JSON reporter writes.
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
 * Counts the tests of a run. Never answers a clean sheet for a run that was not clean: a file that
 * could not be loaded, a report that is missing and an error outside of any test each fail once.
 *
 * @param {VitestReport | null} report null: Vitest ended without writing one
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
  // Nothing ran: nothing was proved.
  if (tally.passed + tally.failed === 0) return ONE_FAILED;
  return tally;
}

/**
 * The last line of `npm test`, which other programs read.
 *
 * @param {Tally} tally
 */
export function lastLine({ passed, failed }) {
  return `${passed} passed, ${failed} failed`;
}
