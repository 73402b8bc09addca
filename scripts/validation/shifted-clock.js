import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

const SHARED_MEMORY = '/dev/shm';
const LEFT_BEHIND = /^(?:sem\.faketime_sem|faketime_shm)_(\d+)$/;

/**
 * The library that shifts the clock of a process and its children.
 *
 * @type {import('./real-parts.js').RealPart}
 */
export const LIBFAKETIME = {
  name: 'libfaketime',
  aptPackage: 'libfaketime',
  isThere: () => locateLibrary() !== null,
};

/**
 * Returns the environment variables that set the clock of a process and its children to `startsAt`; the
 * clock runs on from there. Timers use the monotonic clock, which is not changed.
 *
 * @param {import('./days.js').Day} day
 * @returns {Record<string, string>}
 */
export function clockOf({ startsAt, timeZone }) {
  const library = locateLibrary();
  if (!library) throw new Error('libfaketime is missing; see ensureRealParts.');
  // Relative, so that a process that starts later does not start at the same time again.
  const aheadSeconds = Math.round((Date.parse(startsAt) - Date.now()) / 1000);
  return {
    TZ: timeZone,
    LD_PRELOAD: library,
    FAKETIME: `${aheadSeconds < 0 ? '' : '+'}${aheadSeconds}s`,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
}

/** Removes the shared memory that libfaketime leaves behind when a process is killed. */
export function removeSharedMemory() {
  for (const name of readdirSync(SHARED_MEMORY)) {
    const [, pid] = LEFT_BEHIND.exec(name) ?? [];
    if (pid && !existsSync(`/proc/${pid}`)) rmSync(path.join(SHARED_MEMORY, name), { force: true });
  }
}

/** Returns the path of libfaketime, or null. Debian keeps it in a folder such as x86_64-linux-gnu. */
function locateLibrary() {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib') : [];
  return (
    ['', ...folders]
      .map((folder) => path.join('/usr/lib', folder, 'faketime', 'libfaketimeMT.so.1'))
      .find((file) => existsSync(file)) ?? null
  );
}
