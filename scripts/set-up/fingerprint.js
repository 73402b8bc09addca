import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Returns the SHA-256, in hex, of the names and contents of files and folders. It ignores times, because a
 * clone, a checkout and a copy into a container change them. A few hundred source files take a few
 * milliseconds. A missing path has a fingerprint too.
 *
 * @param {string} folder the folder that `paths` are relative to
 * @param {readonly string[]} paths
 * @param {(file: string) => boolean} [isIgnored] gets a path relative to `folder`
 */
export function fingerprintOf(folder, paths, isIgnored = () => false) {
  const hash = createHash('sha256');
  /** @param {string} name */
  const add = (name) => {
    if (isIgnored(name)) return;
    const full = path.join(folder, name);
    const stats = statSync(full, { throwIfNoEntry: false });
    if (stats?.isDirectory()) {
      for (const entry of readdirSync(full).sort()) add(path.posix.join(name, entry));
      return;
    }
    // The length separates the end of one file from the name of the next.
    hash.update(`${name}\0${stats ? stats.size : 'absent'}\0`);
    if (stats) hash.update(readFileSync(full));
  };
  for (const name of paths) add(name);
  return hash.digest('hex');
}

/**
 * Returns what an earlier run wrote with {@link writeMark}; null if there is none.
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
 * Records for the next run what this run's result was made from.
 *
 * @param {string} file
 * @param {string} mark
 */
export function writeMark(file, mark) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, mark);
}
