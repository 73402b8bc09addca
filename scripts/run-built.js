// Runs the server or a command from dist/, for containers and supervisors. It installs and builds nothing,
// and runs without npm, which would not forward signals.
import { existsSync } from 'node:fs';
import { runBuilt } from './set-up/built-program.js';
import { enterProject, inProject } from './set-up/project.js';
import { Refusal, runScript } from './set-up/refusal.js';

const PROGRAMS = ['server', 'sessions-prune', 'retention', 'backup', 'restore'];

await runScript(async () => {
  const name = process.argv[2] ?? '';
  if (!PROGRAMS.includes(name)) {
    throw new Refusal(`Usage: node scripts/run-built.js ${PROGRAMS.join(' | ')}`);
  }
  enterProject();
  if (!existsSync(inProject('dist', `${name}.js`)))
    throw new Refusal(`dist/${name}.js is missing; run: npm run build`);
  process.env.NODE_ENV = 'production';
  await runBuilt(name);
});
