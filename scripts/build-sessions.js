// npm run build:sessions: app/sessions as a package of its own, in dist/sessions.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Only now: what the rest imports, an old Node may not have.
const { enterProject } = await import('./set-up/project.js');
const { CHECKS, ensureInstalled } = await import('./set-up/installation.js');
const { buildSessions } = await import('./set-up/sessions-package.js');
const { runScript } = await import('./set-up/refusal.js');

await runScript(async () => {
  enterProject();
  await ensureInstalled('the package', [CHECKS]);
  await buildSessions();
});
