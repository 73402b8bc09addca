import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { runProgram } from './command-line.js';
import { readMark, writeMark } from './fingerprint.js';
import { inProject } from './project.js';
import { Refusal } from './refusal.js';

/** @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, devOptional?: boolean }} LockedPackage */
/** @typedef {{ packages: Record<string, LockedPackage> }} Lock */
/** @typedef {{ of: string, workspaces: string[] }} Installed the content of the mark file */

/** The packages that only lint, types and tests need. */
export const CHECKS = 'packages/checks';
/** The packages that only the mutation run needs. */
export const MUTATION = 'packages/mutation';

/**
 * Prisma's command line downloads a native engine that Latchkey never uses, and fails if the download
 * fails. Naming any executable here makes it skip the download.
 */
export const prismaEnvironment = {
  PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? process.execPath,
};

/** The better-sqlite3 for Node 22 and later contains its binaries; see decision 018. */
const NEEDS_COMPILER = Number(process.versions.node.split('.')[0]) < 22;
const COMPILED = 'better-sqlite3-12';
/** The last file that the compilation writes: if it exists, the compilation was not interrupted. */
const BINARY = ['build', 'Release', 'better_sqlite3.node'];
const markFile = inProject('node_modules', '.latchkey-installed');

/**
 * Installs the packages of package-lock.json unless they are installed already.
 *
 * @param {string} reason what needs the packages; printed
 * @param {string[]} [workspaces] wanted in addition to what building and running the application needs
 */
export async function ensureInstalled(reason = 'this', workspaces = []) {
  const { compiling } = await installPackages(reason, workspaces);
  await compiling;
}

/**
 * Does the same, but returns before SQLite is ready, because it may have to be compiled and a build does
 * not need it. `compiling` resolves when SQLite is ready too.
 *
 * @param {string} reason
 * @param {string[]} [workspaces]
 * @returns {Promise<{ compiling: Promise<void> }>}
 */
export async function installPackages(reason, workspaces = []) {
  const lock = readFileSync(inProject('package-lock.json'), 'utf8');
  const of = markOf(lock);
  const installed = readInstalled() ?? installedByHand(lock, of);
  const isCurrent = installed?.of === of;
  // Workspaces that an earlier command wanted stay installed, also after a fresh installation.
  const present = installed?.workspaces ?? [];
  const wanted = [...new Set([...present, ...workspaces])];
  if (!isCurrent || wanted.length > present.length) {
    console.log(`Installing packages for ${reason}; this takes about half a minute ...`);
    // `npm ci` deletes all packages first, so use it only if they are outdated.
    await runNpm(isCurrent ? ['install', '--no-save'] : ['ci'], wanted);
    // The "prepare" script of package.json, which --ignore-scripts skips.
    await runProgram(process.execPath, ['scripts/git-hooks.js']);
  }
  const mark = JSON.stringify({ of, workspaces: wanted });
  const compiling = compileDriver().then(() => {
    if (readMark(markFile) !== mark) writeMark(markFile, mark);
  });
  // The caller awaits `compiling` later. Until then a failure must not be an unhandled rejection.
  compiling.catch(() => undefined);
  return { compiling };
}

/**
 * Identifies an installation: the lock file, and the ABI of Node, because another major version of Node
 * needs other builds of native packages.
 *
 * @param {string} lock
 */
function markOf(lock) {
  return `${createHash('sha256').update(lock).digest('hex')} ${process.versions.modules}`;
}

/** @returns {Installed | null} what an earlier run installed; null if there was no earlier run */
function readInstalled() {
  try {
    return /** @type {Installed} */ (JSON.parse(readMark(markFile) ?? 'null'));
  } catch {
    return { of: 'an older version of this file', workspaces: [] };
  }
}

/**
 * Returns what the user installed with `npm ci` or `npm install`; null if it is incomplete.
 *
 * @param {string} lock
 * @param {string} of
 * @returns {Installed | null}
 */
function installedByHand(lock, of) {
  const installed = readMark(inProject('node_modules', '.package-lock.json'));
  if (installed === null || !holdsWhatIsLocked(parseLock(installed), parseLock(lock))) return null;
  return { of, workspaces: [CHECKS, MUTATION] };
}

/**
 * @param {string} text
 * @returns {Lock}
 */
function parseLock(text) {
  return /** @type {Lock} */ (JSON.parse(text));
}

/**
 * True if an installation by npm (as recorded in node_modules/.package-lock.json) has the versions in
 * package-lock.json. Optional packages may be missing: they are for other platforms and versions of Node.
 *
 * @param {Lock} installed
 * @param {Lock} lock
 */
export function holdsWhatIsLocked(installed, lock) {
  return Object.entries(lock.packages).every(([folder, wanted]) => {
    if (folder === '') return true;
    const found = installed.packages[folder];
    if (!found) return wanted.optional === true || wanted.devOptional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/**
 * @param {string[]} command
 * @param {string[]} workspaces if empty, only the application's own packages
 */
async function runNpm(command, workspaces) {
  const which = workspaces.flatMap((workspace) => ['--workspace', workspace]);
  const code = await npm([
    ...command,
    // With NODE_ENV=production npm would leave out packages that the build needs.
    '--include=dev',
    ...(which.length > 0 ? ['--include-workspace-root', ...which] : ['--workspaces=false']),
    // Only the install script of SQLite matters: see compileDriver.
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ]);
  if (code !== 0) {
    throw new Refusal("Installing the packages failed; npm's error message is above.");
  }
}

/** Downloads the binary of SQLite, or compiles SQLite where no binary is available. */
async function compileDriver() {
  if (!NEEDS_COMPILER || existsSync(inProject('node_modules', COMPILED, ...BINARY))) return;
  console.log('Downloading SQLite, or compiling it, which takes more than a minute ...');
  const code = await npm(['rebuild', '--loglevel=error', COMPILED]);
  if (code !== 0) throw new Refusal("Compiling SQLite failed; npm's error message is above.");
}

/** @param {string[]} args */
function npm(args) {
  const program = process.env.npm_execpath;
  return program?.endsWith('.js')
    ? runProgram(process.execPath, [program, ...args], { summary: 'ignore' })
    : runProgram('npm', args, { summary: 'ignore' });
}
