import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { runProgram } from '../set-up/command-line.js';
import { Refusal } from '../set-up/refusal.js';

/**
 * A program that the tests run for real, and where it may be.
 *
 * @typedef {object} RealPart
 * @property {string} name for people
 * @property {string} aptPackage
 * @property {string} variable the environment variable that tells the tests where it is
 * @property {() => string | null | Promise<string | null>} find
 */

const POSTGRESQL_FOLDERS = '/usr/lib/postgresql';
const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC_CHROME = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';

/** @type {RealPart[]} */
const REAL_PARTS = [
  {
    name: 'Chromium',
    aptPackage: 'chromium',
    variable: 'CHROMIUM_PATH',
    find: async () =>
      CHROMIUM_NAMES.map(onPath).find((file) => file !== null) ??
      existing(MAC_CHROME) ??
      existing(await playwrightChromium()),
  },
  {
    name: 'PostgreSQL',
    aptPackage: 'postgresql',
    variable: 'POSTGRESQL_BIN',
    find: findPostgresql,
  },
  {
    name: 'Redis',
    aptPackage: 'redis-server',
    variable: 'REDIS_SERVER_PATH',
    find: () => onPath('redis-server'),
  },
];

/**
 * Finds the browser and the database servers that the tests run against, and installs those that
 * are missing where it may. Where it may not, a {@link Refusal} says what to install: without them
 * nothing would be proved, so nothing is skipped.
 * From then on the environment says where each one is.
 */
export async function ensureRealParts() {
  let missing = await locate(REAL_PARTS);
  if (missing.length > 0) {
    await installWithApt(missing.map(({ aptPackage }) => aptPackage));
    missing = await locate(missing);
  }
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ');
    const variables = missing.map(({ variable }) => variable).join(', ');
    throw new Refusal(
      `The tests need ${names}: install it with your system's package manager, or say where it is in ${variables}.`,
    );
  }
}

/**
 * Names each part's place in the environment, and answers the parts that have none.
 *
 * @param {RealPart[]} parts
 */
async function locate(parts) {
  const missing = [];
  for (const part of parts) {
    const given = process.env[part.variable];
    if (given && !existsSync(given)) {
      throw new Refusal(`${part.variable} says ${given}, and there is no such file or folder.`);
    }
    const found = given ?? (await part.find());
    if (found) process.env[part.variable] = found;
    else missing.push(part);
  }
  return missing;
}

/** The folder of the newest PostgreSQL's programs: Debian keeps initdb off the PATH. */
function findPostgresql() {
  const initdb = onPath('initdb');
  if (initdb) return path.dirname(initdb);
  if (!existsSync(POSTGRESQL_FOLDERS)) return null;
  const [newest] = readdirSync(POSTGRESQL_FOLDERS)
    .sort((one, other) => Number(other) - Number(one))
    .map((version) => path.join(POSTGRESQL_FOLDERS, version, 'bin'))
    .filter((folder) => existsSync(path.join(folder, 'initdb')));
  return newest ?? null;
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

/** @param {string} file */
function existing(file) {
  return existsSync(file) ? file : null;
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
