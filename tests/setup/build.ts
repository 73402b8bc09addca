import { isBuilt } from '../../scripts/set-up/build.js';
import { runProgram } from '../../scripts/set-up/command-line.js';

/** Tests by the front door run what a person would run: the build. */
export default async function ensureBuilt(): Promise<void> {
  if (isBuilt()) return;
  // In a process of its own: within Vitest's, modules are resolved in another way.
  const exitCode = await runProgram(process.execPath, ['scripts/build.js']);
  if (exitCode !== 0) throw new Error('The build failed; see above.');
}
