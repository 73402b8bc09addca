import { existsSync } from 'node:fs';
import { inProject } from './project.js';
import { Refusal } from './refusal.js';

/**
 * Reads the settings of the file `.env` into the environment. As with `node --env-file`, variables that
 * are already set win. ENV_FILE names another file; an empty ENV_FILE means no file.
 *
 * @throws {Refusal} if the file exists but cannot be read, or if the file that ENV_FILE names is missing.
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
