// npm run build:sessions: builds app/sessions as a separate package, in dist/sessions.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Imported only after the check: an unsupported Node may fail to load these modules.
const { enterProject } = await import('./set-up/project.js');
const { CHECKS, ensureInstalled } = await import('./set-up/installation.js');
const { buildSessions } = await import('./set-up/sessions-package.js');
const { runScript } = await import('./set-up/refusal.js');

await runScript(async () => {
  enterProject();
  await ensureInstalled('the package', [CHECKS]);
  await buildSessions();
});
