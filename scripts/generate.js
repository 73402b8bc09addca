// npm run generate: the Prisma clients of both databases, where the models changed.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Only now: what the rest imports, an old Node may not have.
const { enterProject } = await import('./set-up/project.js');
const { ensureInstalled } = await import('./set-up/installation.js');
const { ensureGenerated } = await import('./set-up/prisma-clients.js');
const { runScript } = await import('./set-up/refusal.js');

await runScript(async () => {
  enterProject();
  await ensureInstalled('generating the database clients');
  await ensureGenerated();
});
