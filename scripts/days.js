// npm run test:days: runs the tests on dates and in time zones that often reveal bugs, with the clock of
// every process shifted. `-- --only 2028` selects days by name; other arguments are passed to Vitest.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Imported only after the check: an unsupported Node may fail to load these modules.
const { enterProject } = await import('./set-up/project.js');
const { ensureInstalled } = await import('./set-up/installation.js');
const { ensureGenerated } = await import('./set-up/prisma-clients.js');
const { build } = await import('./set-up/build.js');
const { runScript } = await import('./set-up/refusal.js');
const { DAYS, nameOf, runsOf, tableOf } = await import('./validation/days.js');
const { printFailures } = await import('./validation/failures.js');
const { ensureRealParts } = await import('./validation/real-parts.js');
const { clockOf, LIBFAKETIME, removeSharedMemory } = await import('./validation/shifted-clock.js');
const { lastLine, sum } = await import('./validation/tally.js');
const { runTests } = await import('./validation/tests.js');

const REPORTER = './scripts/validation/day-progress-reporter.js';

await runScript(async () => {
  enterProject();
  await ensureInstalled('the tests');
  await ensureRealParts([LIBFAKETIME]);
  await ensureGenerated();
  await build();
  const { only, args } = parseArguments(process.argv.slice(2));
  const days = DAYS.filter((day) => nameOf(day).includes(only));
  const startedAt = performance.now();
  const outcomes = [];
  // runProgram passes the signal on, so the current run ends too, and counts as a failure.
  const stopping = new AbortController();
  process.once('SIGTERM', () => stopping.abort());
  for (const [index, day] of days.entries()) {
    if (stopping.signal.aborted) break;
    console.log(`${index + 1} of ${days.length}: ${nameOf(day)}`);
    const outcome = await runDay(day, args);
    outcomes.push(outcome);
    const minutes = (performance.now() - startedAt) / 60_000;
    const left = Math.ceil((minutes / (index + 1)) * (days.length - index - 1));
    console.log(`  ${lastLine(outcome.tally)}; about ${left} min left`);
  }
  console.log(['', ...tableOf(outcomes), ''].join('\n'));
  const total = sum(outcomes.map(({ tally }) => tally));
  console.log(lastLine(total));
  process.exitCode = total.failed > 0 || outcomes.length === 0 ? 1 : 0;
});

/**
 * @param {import('./validation/days.js').Day} day
 * @param {string[]} args
 */
async function runDay(day, args) {
  const startedAt = performance.now();
  const tallies = [];
  for (const run of args.length > 0 ? [args] : runsOf(day)) {
    const env = clockOf(day);
    tallies.push(await runTests(run, { isBuilt: true, env, reporter: REPORTER }));
    printFailures();
  }
  removeSharedMemory();
  return { day, tally: sum(tallies), seconds: (performance.now() - startedAt) / 1000 };
}

/** @param {string[]} given */
function parseArguments(given) {
  const at = given.indexOf('--only');
  if (at < 0) return { only: '', args: given };
  return { only: given[at + 1] ?? '', args: given.toSpliced(at, 2) };
}
