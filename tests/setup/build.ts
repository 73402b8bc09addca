import { isBuilt } from '../../scripts/set-up/build.js';
import { runProgram } from '../../scripts/set-up/command-line.js';

/** Builds the application if it is out of date: the front-door tests run the build. */
export default async function ensureBuilt(): Promise<void> {
  if (isBuilt()) return;
  // In a separate process, because Vitest resolves modules differently.
  const exitCode = await runProgram(process.execPath, ['scripts/build.js']);
  if (exitCode !== 0) throw new Error('The build failed; see above.');
}
