import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { runInstalled } from '../set-up/command-line.js';
import { inProject } from '../set-up/project.js';
import { clearFailures } from './failures.js';
import { countTests } from './tally.js';

const REPORT = 'reports/vitest.json';
/** Ends a run that hangs, so that `npm test` still prints its last line. */
const TESTS_TIMEOUT_MS = 22 * 60 * 1000;

/** Neither UTC nor a whole number of hours from it, so that every run detects a mistake with local time. */
const TIME_ZONE = 'America/St_Johns';

/** Selects the tests that need no build; see vitest.config.ts. */
const WITHOUT_BUILD = ['--project', 'rooms'];

/**
 * Runs all tests, or those that `args` select, and returns their tally.
 *
 * @param {string[]} args for Vitest
 * @param {object} options
 * @param {boolean} options.isBuilt if false, because the build failed, only the tests that need none run
 * @param {Record<string, string>} [options.env] merged into the environment
 * @param {string} [options.reporter] the Vitest reporter that shows the run
 */
export async function runTests(args, { isBuilt, env, reporter = 'default' }) {
  mkdirSync(inProject('reports'), { recursive: true });
  rmSync(inProject(REPORT), { force: true });
  clearFailures();
  const exitCode = await runInstalled(
    'vitest/vitest.mjs',
    [
      'run',
      `--reporter=${reporter}`,
      '--reporter=json',
      `--outputFile.json=${REPORT}`,
      '--reporter=./scripts/validation/failures-reporter.js',
      ...(isBuilt ? args : [...WITHOUT_BUILD, ...args]),
    ],
    { timeoutMs: TESTS_TIMEOUT_MS, env: { TZ: TIME_ZONE, ...env } },
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
