// npm start: installs and builds what is missing, then serves in production mode, in this process.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Only now: what the rest imports, an old Node may not have.
const { enterProject } = await import('./set-up/project.js');
const { ensureInstalled } = await import('./set-up/installation.js');
const { ensureBuilt } = await import('./set-up/build.js');
const { runScript } = await import('./set-up/refusal.js');
const { runBuilt } = await import('./set-up/built-program.js');

await runScript(async () => {
  enterProject();
  await ensureInstalled('the first start');
  await ensureBuilt();
  process.env.NODE_ENV = 'production';
  await runBuilt('server');
});
