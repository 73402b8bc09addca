import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { runProgram } from '../set-up/command-line.js';
import { Refusal } from '../set-up/refusal.js';

/**
 * A program that the tests run instead of replacing it by a fake.
 *
 * @typedef {object} RealPart
 * @property {string} name for messages
 * @property {string} aptPackage
 * @property {() => boolean | Promise<boolean>} isThere
 */

const POSTGRESQL_FOLDERS = '/usr/lib/postgresql';
const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC_CHROME = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** @type {RealPart[]} */
const REAL_PARTS = [
  { name: 'Chromium', aptPackage: 'chromium', isThere: locateChromium },
  { name: 'PostgreSQL', aptPackage: 'postgresql', isThere: isPostgresqlThere },
  { name: 'Redis', aptPackage: 'redis-server', isThere: () => onPath('redis-server') !== null },
  { name: 'unzip', aptPackage: 'unzip', isThere: () => onPath('unzip') !== null },
];

/**
 * Finds the browser and the database servers that the tests need, and installs missing ones if it can
 * become root.
 *
 * @param {RealPart[]} [more] parts that only this command needs
 * @throws {Refusal} that says what to install, if a part is still missing. Skipping tests instead would make
 *   a run pass that tested nothing.
 */
export async function ensureRealParts(more = []) {
  let missing = await missingOf([...REAL_PARTS, ...more]);
  if (missing.length > 0) {
    await installWithApt(missing.map(({ aptPackage }) => aptPackage));
    missing = await missingOf(missing);
  }
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    throw new Refusal(
      `The tests need ${names}; install the missing programs with your system's package manager so that they are on the PATH (or set CHROMIUM_PATH to a browser elsewhere).`,
    );
  }
}

/** @param {RealPart[]} parts */
async function missingOf(parts) {
  const missing = [];
  for (const part of parts) {
    if (!(await part.isThere())) missing.push(part);
  }
  return missing;
}

/** Looks for Chromium and sets CHROMIUM_PATH, which the tests read. Returns true if it found one. */
async function locateChromium() {
  const given = process.env.CHROMIUM_PATH;
  if (given && !existsSync(given)) {
    throw new Refusal(`CHROMIUM_PATH is ${given}, but there is no such file.`);
  }
  const found =
    given ??
    CHROMIUM_NAMES.map(onPath).find((file) => file !== null) ??
    [MAC_CHROME, await playwrightChromium()].find(existsSync);
  if (found) process.env.CHROMIUM_PATH = found;
  return found !== undefined;
}

/** True if initdb is installed. Debian keeps it off the PATH, in a folder per version. */
function isPostgresqlThere() {
  if (onPath('initdb')) return true;
  if (!existsSync(POSTGRESQL_FOLDERS)) return false;
  return readdirSync(POSTGRESQL_FOLDERS).some((version) =>
    existsSync(path.join(POSTGRESQL_FOLDERS, version, 'bin', 'initdb')),
  );
}

/** Returns the path at which Playwright keeps its own Chromium, whether it is downloaded or not. */
async function playwrightChromium() {
  const { chromium } = await import('playwright');
  return chromium.executablePath();
}

/** @param {string} program */
function onPath(program) {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return folders.map((folder) => path.join(folder, program)).find(existsSync) ?? null;
}

/** @param {string[]} packages */
async function installWithApt(packages) {
  const apt = onPath('apt-get');
  const asRoot = await prefixForRoot();
  if (!apt || !asRoot) return;
  console.log(`Installing ${packages.join(', ')} (apt-get) ...`);
  // RUNLEVEL=1 keeps Debian's postgresql from starting its own cluster; the tests start theirs.
  const quiet = ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1'];
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  for (const args of [['update'], install]) {
    await runProgram('env', [...asRoot, 'env', ...quiet, apt, ...args]);
  }
}

/** Returns what to put before a command to run it as root; null if that would ask for a password. */
async function prefixForRoot() {
  if (process.getuid?.() === 0) return [];
  if (!onPath('sudo')) return null;
  return (await runProgram('sudo', ['-n', 'true'])) === 0 ? ['sudo', '-n'] : null;
}
