import { existsSync } from 'node:fs';
import { inProject } from './project.js';
import { Refusal } from './refusal.js';

/**
 * Reads the settings of the file `.env` into the environment, as `node --env-file` does: a variable
 * that is set already stays as it is. ENV_FILE names another file; an empty ENV_FILE means none.
 *
 * @throws {Refusal} if the file exists and cannot be read, or if ENV_FILE names no file.
 */
export function readSettingsFile() {
  const named = process.env.ENV_FILE;
  if (named === '') return;
  const file = inProject(named ?? '.env');
  if (named === undefined && !existsSync(file)) return;
  try {
    process.loadEnvFile(file);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    throw new Refusal(`The settings in ${file} cannot be read (${code}).`);
  }
}
