// npm run mutation: makes small changes to the session engine, and counts those that no test detects.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Imported only after the check: an unsupported Node may fail to load these modules.
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
