import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of package.json, wherever the command was called from. */
export const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

/** Changes to the project's folder, so that relative paths do not depend on where a command was called. */
export function enterProject() {
  process.chdir(projectFolder);
}

/**
 * Returns the absolute path of a file or folder in the project.
 *
 * @param {string[]} parts
 */
export function inProject(...parts) {
  return path.resolve(projectFolder, ...parts);
}
