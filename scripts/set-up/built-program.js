import { pathToFileURL } from 'node:url';
import { inProject } from './project.js';

/**
 * Runs the `main()` of a program in dist/, in this process.
 *
 * @param {string} name a key of `entryPoints` in build.js
 * @param {import('../../server.ts').MainOptions} [options] for the `main()` of the server
 */
export async function runBuilt(name, options) {
  const program =
    /** @type {{ main(options?: import('../../server.ts').MainOptions): Promise<void> }} */ (
      await import(pathToFileURL(inProject('dist', `${name}.js`)).href)
    );
  await program.main(options);
}
