// npm start: installs and builds what is missing, then serves in production mode, in this process.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Imported only after the check: an unsupported Node may fail to load these modules.
const { enterProject } = await import('./set-up/project.js');
const { installPackages } = await import('./set-up/installation.js');
const { ensureBuilt } = await import('./set-up/build.js');
const { stopWithNpm } = await import('./set-up/npm-process.js');
const { runScript } = await import('./set-up/refusal.js');
const { readSettingsFile } = await import('./set-up/settings-file.js');
const { runBuilt } = await import('./set-up/built-program.js');

await runScript(async () => {
  enterProject();
  stopWithNpm();
  const { compiling } = await installPackages('the first start');
  await ensureBuilt();
  await compiling;
  readSettingsFile();
  process.env.NODE_ENV = 'production';
  await runBuilt('server', { isWelcoming: true });
});
