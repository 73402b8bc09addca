// npm run generate: generates the Prisma clients of both databases if their models changed.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Imported only after the check: an unsupported Node may fail to load these modules.
const { enterProject } = await import('./set-up/project.js');
const { ensureInstalled } = await import('./set-up/installation.js');
const { ensureGenerated } = await import('./set-up/prisma-clients.js');
const { runScript } = await import('./set-up/refusal.js');

await runScript(async () => {
  enterProject();
  await ensureInstalled('generating the database clients');
  await ensureGenerated();
});
