// npm run test:nightly: the tests of the session engine once more, with many more random sequences
// and a larger table than there is time for at every change; on PostgreSQL every route that asks it; and
// everything on other days and in other time zones.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Only now: what the rest imports, an old Node may not have.
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
  const ofSessions = await run(['--project', 'rooms', 'tests/sessions']);
  const onPostgresql = await run(['--project', 'front door on PostgreSQL']);
  const ofBench = await run(['--project', 'front door', 'tests/tooling/bench.test.ts']);
  const onOtherDays = await runProgram(process.execPath, ['scripts/days.js']);
  const onEveryNode = await runOnEveryNode(inProject('reports', 'nodes'));
  process.exitCode = Math.max(ofSessions, onPostgresql, ofBench, onOtherDays, onEveryNode);
});
