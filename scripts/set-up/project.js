import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that package.json stands in, wherever the command was called from. */
export const projectFolder = fileURLToPath(new URL('../..', import.meta.url));

/** Makes it the working folder, so that relative paths mean the same wherever one started. */
export function enterProject() {
  process.chdir(projectFolder);
}

/**
 * A path inside the project.
 *
 * @param {string[]} parts
 */
export function inProject(...parts) {
  return path.resolve(projectFolder, ...parts);
}
