import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

const OWNER_ONLY = 0o700;

/**
 * Creates a folder and its missing parents, accessible to this system user only. An existing folder is
 * left unchanged.
 *
 * Does not use mkdir's `recursive`: Node retries forever in a folder that takes no entries (/proc).
 *
 * @throws the file system's error.
 */
export function createPrivateFolder(folder: string): void {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) createPrivateFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: OWNER_ONLY });
  } catch (error) {
    // Another process that starts at the same time may have created it first.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
