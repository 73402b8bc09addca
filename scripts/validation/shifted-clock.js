import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

const SHARED_MEMORY = '/dev/shm';
const LEFT_BEHIND = /^(?:sem\.faketime_sem|faketime_shm)_(\d+)$/;

/**
 * Shifts the clock of a program and of all that it starts.
 *
 * @type {import('./real-parts.js').RealPart}
 */
export const LIBFAKETIME = {
  name: 'libfaketime',
  aptPackage: 'libfaketime',
  isThere: () => locateLibrary() !== null,
};

/**
 * Returns the variables that set the clock of a process and its children to `startsAt`, from where it
 * goes on. Timers keep to the monotonic clock, which stays as it is.
 *
 * @param {import('./days.js').Day} day
 * @returns {Record<string, string>}
 */
export function clockOf({ startsAt, timeZone }) {
  const library = locateLibrary();
  if (!library) throw new Error('libfaketime is missing; see ensureRealParts.');
  // Relative, so that a process which starts later does not begin at the same moment once more.
  const aheadSeconds = Math.round((Date.parse(startsAt) - Date.now()) / 1000);
  return {
    TZ: timeZone,
    LD_PRELOAD: library,
    FAKETIME: `${aheadSeconds < 0 ? '' : '+'}${aheadSeconds}s`,
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
  };
}

/** Removes the shared memory of processes that were killed: libfaketime leaves it behind then. */
export function removeSharedMemory() {
  for (const name of readdirSync(SHARED_MEMORY)) {
    const [, pid] = LEFT_BEHIND.exec(name) ?? [];
    if (pid && !existsSync(`/proc/${pid}`)) rmSync(path.join(SHARED_MEMORY, name), { force: true });
  }
}

/** Debian keeps it in a folder of the machine's kind, such as x86_64-linux-gnu. */
function locateLibrary() {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib') : [];
  return (
    ['', ...folders]
      .map((folder) => path.join('/usr/lib', folder, 'faketime', 'libfaketimeMT.so.1'))
      .find((file) => existsSync(file)) ?? null
  );
}
