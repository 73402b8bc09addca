// The server, or a command, as it stands in dist/: for containers and supervisors. It installs nothing,
// builds nothing and asks npm nothing, which would keep signals to itself.
import { existsSync } from 'node:fs';
import { runBuilt } from './set-up/built-program.js';
import { enterProject, inProject } from './set-up/project.js';
import { Refusal, runScript } from './set-up/refusal.js';

const PROGRAMS = ['server', 'sessions-prune', 'retention', 'backup', 'restore'];

await runScript(async () => {
  const name = process.argv[2] ?? '';
  if (!PROGRAMS.includes(name)) {
    throw new Refusal(`Say what to run: node scripts/run-built.js ${PROGRAMS.join(' | ')}`);
  }
  enterProject();
  if (!existsSync(inProject('dist', `${name}.js`)))
    throw new Refusal('Nothing is built yet; run: npm run build');
  process.env.NODE_ENV = 'production';
  await runBuilt(name);
});
