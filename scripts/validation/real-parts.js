import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { runProgram } from '../set-up/command-line.js';
import { Refusal } from '../set-up/refusal.js';

/**
 * A program that the tests run for real.
 *
 * @typedef {object} RealPart
 * @property {string} name for people
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
 * Finds the browser and the database servers that the tests run against, and installs those that
 * are missing where it may. Where it may not, a {@link Refusal} says what to install: without them
 * nothing would be proved, so nothing is skipped.
 *
 * @param {RealPart[]} [more] parts that only this command needs
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
      `The tests need ${names}; install what is missing with your system's package manager, on the PATH (a browser elsewhere: say where in CHROMIUM_PATH).`,
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

/** True when there is a Chromium; CHROMIUM_PATH, which the tests read, says where from then on. */
async function locateChromium() {
  const given = process.env.CHROMIUM_PATH;
  if (given && !existsSync(given)) {
    throw new Refusal(`CHROMIUM_PATH says ${given}, and there is no such file.`);
  }
  const found =
    given ??
    CHROMIUM_NAMES.map(onPath).find((file) => file !== null) ??
    [MAC_CHROME, await playwrightChromium()].find(existsSync);
  if (found) process.env.CHROMIUM_PATH = found;
  return found !== undefined;
}

/** Debian keeps initdb off the PATH, in a folder for each version. */
function isPostgresqlThere() {
  if (onPath('initdb')) return true;
  if (!existsSync(POSTGRESQL_FOLDERS)) return false;
  return readdirSync(POSTGRESQL_FOLDERS).some((version) =>
    existsSync(path.join(POSTGRESQL_FOLDERS, version, 'bin', 'initdb')),
  );
}

/** Where Playwright would keep its own Chromium, downloaded or not. */
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
  // Debian's postgresql would create and start a cluster of its own; the tests start theirs.
  const quiet = ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1'];
  const install = ['install', '-y', '--no-install-recommends', ...packages];
  for (const args of [['update'], install]) {
    await runProgram('env', [...asRoot, 'env', ...quiet, apt, ...args]);
  }
}

/** What to put before a command to run it as root; null when that would ask for a password. */
async function prefixForRoot() {
  if (process.getuid?.() === 0) return [];
  if (!onPath('sudo')) return null;
  return (await runProgram('sudo', ['-n', 'true'])) === 0 ? ['sudo', '-n'] : null;
}
