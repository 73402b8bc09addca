import { pathToFileURL } from 'node:url';
import { inProject } from './project.js';

/**
 * Runs the `main()` of a program in dist/, in this process.
 *
 * @param {string} name as in `entryPoints` of the build
 */
export async function runBuilt(name) {
  const program = /** @type {{ main(): Promise<void> }} */ (
    await import(pathToFileURL(inProject('dist', `${name}.js`)).href)
  );
  await program.main();
}
