// npm run seed, npm run backup and so on: installs and builds what is missing, then runs a command.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Imported only after the check: an unsupported Node may fail to load these modules.
const { enterProject } = await import('./set-up/project.js');
const { ensureInstalled } = await import('./set-up/installation.js');
const { ensureBuilt } = await import('./set-up/build.js');
const { Refusal, runScript } = await import('./set-up/refusal.js');
const { readSettingsFile } = await import('./set-up/settings-file.js');
const { runBuilt } = await import('./set-up/built-program.js');

const COMMANDS = ['seed', 'sessions-prune', 'retention', 'backup', 'restore'];

await runScript(async () => {
  const name = process.argv[2] ?? '';
  if (!COMMANDS.includes(name)) {
    throw new Refusal(`Usage: node scripts/run.js ${COMMANDS.join(' | ')}`);
  }
  enterProject();
  await ensureInstalled(name);
  await ensureBuilt();
  readSettingsFile();
  await runBuilt(name);
});
