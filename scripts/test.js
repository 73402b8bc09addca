// npm test: installs and runs everything that proves Latchkey. Arguments go on to Vitest.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Only now: what the rest imports, an old Node may not have.
const { enterProject } = await import('./set-up/project.js');
const { CHECKS, ensureInstalled } = await import('./set-up/installation.js');
const { ensureGenerated } = await import('./set-up/prisma-clients.js');
const { build } = await import('./set-up/build.js');
const { runInstalled } = await import('./set-up/command-line.js');
const { ensureBenchInstalled } = await import('./set-up/bench-packages.js');
const { ensureRealParts } = await import('./validation/real-parts.js');
const { printFailures } = await import('./validation/failures.js');
const { printTimings, step } = await import('./validation/steps.js');
const { lastLine, sum } = await import('./validation/tally.js');
const { runTests } = await import('./validation/tests.js');

enterProject();
const setUp = [
  await step('Packages', () => ensureInstalled('the tests', [CHECKS])),
  await step('Browser and database servers', ensureRealParts),
];
// Without these nothing below can run; with them, they prove nothing and do not count.
const ready = sum(setUp).failed === 0;
const tallies = ready ? await proveEverything() : setUp.filter(({ failed }) => failed > 0);

const total = sum(tallies);
printTimings();
if (ready) printFailures();
console.log(lastLine(total));
process.exitCode = total.failed > 0 ? 1 : 0;

async function proveEverything() {
  const generated = await step('Database clients', ensureGenerated);
  // It waits for the network, for the most part.
  const benching = step('Packages of the bench', ensureBenchInstalled);
  // It takes as long as the others together, and one core.
  const linting = step('Lint', () =>
    runInstalled('eslint/bin/eslint.js', ['.', '--max-warnings', '0']),
  );
  const checks = [
    await step('Format', () => runInstalled('prettier/bin/prettier.cjs', ['--check', '.'])),
    await step('Types', () => runInstalled('typescript/bin/tsc', ['--noEmit'])),
  ];
  const built = await step('Build', build);
  checks.push(await linting, await benching);
  const isBuilt = built.failed === 0;
  const tests = await step('Tests', () => runTests(process.argv.slice(2), { isBuilt }));
  return [generated, ...checks, built, tests];
}
