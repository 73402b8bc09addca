// npm run mutation: changes the session engine in small ways, and counts what no test notices.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Only now: what the rest imports, an old Node may not have.
const { enterProject } = await import('./set-up/project.js');
const { CHECKS, ensureInstalled, MUTATION } = await import('./set-up/installation.js');
const { ensureGenerated } = await import('./set-up/prisma-clients.js');
const { runInstalled } = await import('./set-up/command-line.js');
const { runScript } = await import('./set-up/refusal.js');

await runScript(async () => {
  enterProject();
  await ensureInstalled('the mutation run', [CHECKS, MUTATION]);
  await ensureGenerated();
  const args = ['run', ...process.argv.slice(2)];
  process.exitCode = await runInstalled('@stryker-mutator/core/bin/stryker.js', args);
});
