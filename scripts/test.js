// npm test: installs what is missing, then runs all checks and tests. With arguments, which it passes to
// Vitest, it runs only the tests that they select, on SQLite, without lint and types, and builds only if
// something changed.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Imported only after the check: an unsupported Node may fail to load these modules.
const { enterProject } = await import('./set-up/project.js');
const { CHECKS, ensureInstalled } = await import('./set-up/installation.js');
const { ensureGenerated } = await import('./set-up/prisma-clients.js');
const { build } = await import('./set-up/build.js');
const { runInstalled } = await import('./set-up/command-line.js');
const { Refusal } = await import('./set-up/refusal.js');
const { ensureRealParts } = await import('./validation/real-parts.js');
const { printFailures } = await import('./validation/failures.js');
const { printTimings, step } = await import('./validation/steps.js');
const { lastLine, ONE_FAILED, sum } = await import('./validation/tally.js');
const { runTests } = await import('./validation/tests.js');

const PROGRESS = './scripts/validation/progress-reporter.js';
const ON_SQLITE = ['--project', 'rooms', '--project', 'front door'];

enterProject();
const args = process.argv.slice(2);
const total = sum(args.length > 0 ? await runSelectedTests() : await runEverything());
console.log(lastLine(total));
process.exitCode = total.failed > 0 ? 1 : 0;

async function runSelectedTests() {
  try {
    await ensureInstalled('the tests', [CHECKS]);
    await ensureRealParts();
  } catch (error) {
    console.error(error instanceof Refusal ? error.message : error);
    return [ONE_FAILED];
  }
  const selection = args.some((arg) => arg.startsWith('--project'))
    ? args
    : [...ON_SQLITE, ...args];
  return [await runTests(selection, { isBuilt: true })];
}

async function runEverything() {
  const setUp = [
    await step('Packages', () => ensureInstalled('the tests', [CHECKS])),
    await step('Browser and database servers', ensureRealParts),
  ];
  // Nothing below can run if these failed. If they passed, they do not count: they test nothing.
  const isReady = sum(setUp).failed === 0;
  const tallies = isReady ? await runChecksAndTests() : setUp.filter(({ failed }) => failed > 0);
  printTimings();
  if (isReady) printFailures();
  return tallies;
}

async function runChecksAndTests() {
  const generated = await step('Database clients', ensureGenerated);
  // Not awaited yet: lint takes as long as the other checks together, and only one core.
  const linting = step('Lint', () =>
    runInstalled('eslint/bin/eslint.js', ['.', '--max-warnings', '0']),
  );
  const checks = [
    await step('Format', () => runInstalled('prettier/bin/prettier.cjs', ['--check', '.'])),
    await step('Types', () => runInstalled('typescript/bin/tsc', ['--noEmit'])),
  ];
  const built = await step('Build', build);
  checks.push(await linting);
  const isBuilt = built.failed === 0;
  const tests = await step('Tests', () => runTests([], { isBuilt, reporter: PROGRESS }));
  return [generated, ...checks, built, tests];
}
