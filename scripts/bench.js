// npm run bench: compares Latchkey with its alternatives. Passes its arguments to bench/bench.ts.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Imported only after the check: an unsupported Node may fail to load these modules.
const { enterProject } = await import('./set-up/project.js');
const { CHECKS, ensureInstalled } = await import('./set-up/installation.js');
const { ensureBuilt } = await import('./set-up/build.js');
const { runProgram } = await import('./set-up/command-line.js');
const { Refusal, runScript } = await import('./set-up/refusal.js');
const { ensureRealParts } = await import('./validation/real-parts.js');
const { ensureBenchInstalled } = await import('./set-up/bench-packages.js');

await runScript(async () => {
  enterProject();
  await ensureInstalled('the bench', [CHECKS]);
  await ensureRealParts();
  await ensureBuilt();
  await ensureBenchInstalled();
  const args = ['--import', 'tsx', 'bench/bench.ts', ...process.argv.slice(2)];
  if ((await runProgram(process.execPath, args)) !== 0) throw new Refusal('The bench failed.');
});
