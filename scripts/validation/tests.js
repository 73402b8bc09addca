import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { runInstalled } from '../set-up/command-line.js';
import { inProject } from '../set-up/project.js';
import { clearFailures } from './failures.js';
import { countTests } from './tally.js';

const REPORT = 'reports/vitest.json';
/** A run that hangs must still come to its last line. */
const TESTS_TIMEOUT_MS = 22 * 60 * 1000;

/** Those that need no build; see vitest.config.ts. */
const WITHOUT_BUILD = ['--project', 'rooms'];

/**
 * Runs every test, or those that `args` name to Vitest, and counts them.
 *
 * @param {string[]} args
 * @param {{ isBuilt: boolean }} tree false: what a failed build leaves to be tested
 */
export async function runTests(args, { isBuilt }) {
  mkdirSync(inProject('reports'), { recursive: true });
  rmSync(inProject(REPORT), { force: true });
  clearFailures();
  const exitCode = await runInstalled(
    'vitest/vitest.mjs',
    [
      ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`],
      '--reporter=./scripts/validation/failures-reporter.js',
      ...(isBuilt ? args : [...WITHOUT_BUILD, ...args]),
    ],
    { timeoutMs: TESTS_TIMEOUT_MS },
  );
  return countTests(readReport(), { exitCode, skippedFail: process.env.CI === 'true' });
}

/** @returns {import('./tally.js').VitestReport | null} */
function readReport() {
  try {
    const text = readFileSync(inProject(REPORT), 'utf8');
    return /** @type {import('./tally.js').VitestReport} */ (JSON.parse(text));
  } catch {
    return null;
  }
}
