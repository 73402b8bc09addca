import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { runInstalled } from '../set-up/command-line.js';
import { inProject } from '../set-up/project.js';
import { clearFailures } from './failures.js';
import { countTests } from './tally.js';

const REPORT = 'reports/vitest.json';
/** A run that hangs must still come to its last line. */
const TESTS_TIMEOUT_MS = 22 * 60 * 1000;

/** Not UTC, nor a whole hour from it: a slip in local time shows at every run. */
const TIME_ZONE = 'America/St_Johns';

/** Those that need no build; see vitest.config.ts. */
const WITHOUT_BUILD = ['--project', 'rooms'];

/**
 * Runs every test, or those that `args` name to Vitest, and counts them.
 *
 * @param {string[]} args
 * @param {object} options
 * @param {boolean} options.isBuilt false: what a failed build leaves to be tested
 * @param {Record<string, string>} [options.env] laid over the environment
 * @param {string} [options.reporter] what shows the run
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
