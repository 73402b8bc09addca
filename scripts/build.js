// npm run build: builds pages and assets into build/, and the server and the commands into dist/.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Imported only after the check: an unsupported Node may fail to load these modules.
const { enterProject } = await import('./set-up/project.js');
const { ensureInstalled } = await import('./set-up/installation.js');
const { build } = await import('./set-up/build.js');
const { runScript } = await import('./set-up/refusal.js');

await runScript(async () => {
  enterProject();
  await ensureInstalled('the build');
  await build();
});
