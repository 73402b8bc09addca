// npm run test:nightly: runs what takes too long for every change. The tests of the session engine run with
// many more random sequences and a larger table; every route that uses the database runs on PostgreSQL;
// the bench runs once; and all tests run on other days, in other time zones and on every Node version.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Imported only after the check: an unsupported Node may fail to load these modules.
const { enterProject, inProject } = await import('./set-up/project.js');
const { CHECKS, ensureInstalled } = await import('./set-up/installation.js');
const { ensureGenerated } = await import('./set-up/prisma-clients.js');
const { ensureBenchInstalled } = await import('./set-up/bench-packages.js');
const { build } = await import('./set-up/build.js');
const { runInstalled, runProgram } = await import('./set-up/command-line.js');
const { runScript } = await import('./set-up/refusal.js');
const { runOnEveryNode } = await import('./validation/node-versions.js');
const { ensureRealParts } = await import('./validation/real-parts.js');

const MANY = { LATCHKEY_MODEL_RUNS: '1000', LATCHKEY_EXHAUSTION_ROWS: '1000000' };

await runScript(async () => {
  enterProject();
  await ensureInstalled('the tests', [CHECKS]);
  await ensureRealParts();
  await ensureGenerated();
  await build();
  await ensureBenchInstalled();
  const env = { ...MANY, LATCHKEY_NIGHTLY: '1', ...process.env };
  const run = (/** @type {string[]} */ args) =>
    runInstalled('vitest/vitest.mjs', ['run', ...args, ...process.argv.slice(2)], { env });
  const sessionsCode = await run(['--project', 'rooms', 'tests/sessions']);
  const postgresqlCode = await run(['--project', 'front door on PostgreSQL']);
  const benchCode = await run(['--project', 'front door', 'tests/tooling/bench.test.ts']);
  const daysCode = await runProgram(process.execPath, ['scripts/days.js']);
  const nodesCode = await runOnEveryNode(inProject('reports', 'nodes'));
  process.exitCode = Math.max(sessionsCode, postgresqlCode, benchCode, daysCode, nodesCode);
});
