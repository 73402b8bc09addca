import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * SHA-256 over the names and contents of files and folders. Contents rather than times: a clone, a
 * checkout and a copy into a container change times and nothing else. Some hundred source files
 * take a few milliseconds. A path that does not exist counts as such.
 *
 * @param {string} folder what `paths` are relative to
 * @param {readonly string[]} paths
 * @param {(file: string) => boolean} [leaveOut] answers true for a path, relative to `folder`, to ignore
 */
export function fingerprintOf(folder, paths, leaveOut = () => false) {
  const hash = createHash('sha256');
  /** @param {string} name */
  const add = (name) => {
    if (leaveOut(name)) return;
    const full = path.join(folder, name);
    const stats = statSync(full, { throwIfNoEntry: false });
    if (stats?.isDirectory()) {
      for (const entry of readdirSync(full).sort()) add(path.posix.join(name, entry));
      return;
    }
    // The length keeps the end of one file apart from the name of the next.
    hash.update(`${name}\0${stats ? stats.size : 'absent'}\0`);
    if (stats) hash.update(readFileSync(full));
  };
  for (const name of paths) add(name);
  return hash.digest('hex');
}

/**
 * What an earlier run wrote with {@link writeMark}; null when there is nothing to read.
 *
 * @param {string} file
 */
export function readMark(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/**
 * Remembers for the next run what this one was made from.
 *
 * @param {string} file
 * @param {string} mark
 */
export function writeMark(file, mark) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, mark);
}
