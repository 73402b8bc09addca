import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { runProgram } from './command-line.js';
import { readMark, writeMark } from './fingerprint.js';
import { inProject } from './project.js';
import { Refusal } from './refusal.js';

/** @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, devOptional?: boolean }} LockedPackage */
/** @typedef {{ packages: Record<string, LockedPackage> }} Lock */
/** @typedef {{ of: string, workspaces: string[] }} Installed what the mark of an installation holds */

/** What only lint, types and tests need. */
export const CHECKS = 'packages/checks';
/** What only the mutation run needs. */
export const MUTATION = 'packages/mutation';

/**
 * Prisma's command line downloads a native engine that Latchkey never calls, and fails where it cannot
 * be reached. Any executable named here makes it skip the download.
 */
export const prismaEnvironment = {
  PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? process.execPath,
};

/** The newer better-sqlite3 has its binaries in the package; see decision 018. */
const NEEDS_COMPILER = Number(process.versions.node.split('.')[0]) < 22;
const COMPILED = 'better-sqlite3-12';
/** Its last file: a compilation that was interrupted has not made it. */
const BINARY = ['build', 'Release', 'better_sqlite3.node'];
const markFile = inProject('node_modules', '.latchkey-installed');

/**
 * Installs what package-lock.json names, unless node_modules holds that already.
 *
 * @param {string} reason what the packages are wanted for, for the line that is shown
 * @param {string[]} [workspaces] what is wanted besides what the application needs to be built and run
 */
export async function ensureInstalled(reason = 'this', workspaces = []) {
  const { compiling } = await installPackages(reason, workspaces);
  await compiling;
}

/**
 * Does the same, and answers as soon as everything is there but SQLite, which may have to be compiled
 * first: a build does not need it.
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
  // What an earlier command wanted stays, also when everything is installed anew.
  const present = installed?.workspaces ?? [];
  const wanted = [...new Set([...present, ...workspaces])];
  if (!isCurrent || wanted.length > present.length) {
    console.log(`Installing packages for ${reason}; it takes about half a minute ...`);
    // What is there already stays: `npm ci` would begin by deleting it.
    await runNpm(isCurrent ? ['install', '--no-save'] : ['ci'], wanted);
    // What npm would do last; see "prepare" in package.json.
    await runProgram(process.execPath, ['scripts/git-hooks.js']);
  }
  const mark = JSON.stringify({ of, workspaces: wanted });
  const compiling = compileDriver().then(() => {
    if (readMark(markFile) !== mark) writeMark(markFile, mark);
  });
  // A failure is for the caller who awaits it, later; until then it is not an unhandled one.
  compiling.catch(() => undefined);
  return { compiling };
}

/**
 * The lock, and the ABI that native packages are built for: another major version of Node needs
 * another build of them.
 *
 * @param {string} lock
 */
function markOf(lock) {
  return `${createHash('sha256').update(lock).digest('hex')} ${process.versions.modules}`;
}

/** @returns {Installed | null} what an earlier run installed; null if there was none */
function readInstalled() {
  try {
    return /** @type {Installed} */ (JSON.parse(readMark(markFile) ?? 'null'));
  } catch {
    return { of: 'what an older version of this file wrote', workspaces: [] };
  }
}

/**
 * Returns what `npm ci` or `npm install` installed without us, or null if that is not all.
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
 * True when an installation that npm made (as recorded in node_modules/.package-lock.json) is of
 * the versions in package-lock.json. Optional packages may be missing: they are those of other
 * platforms and versions of Node.
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
 * @param {string[]} workspaces none: the application alone
 */
async function runNpm(command, workspaces) {
  const which = workspaces.flatMap((workspace) => ['--workspace', workspace]);
  const code = await npm([
    ...command,
    // NODE_ENV=production would leave out what the build needs.
    '--include=dev',
    ...(which.length > 0 ? ['--include-workspace-root', ...which] : ['--workspaces=false']),
    // The only one that matters is that of SQLite: see compileDriver.
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ]);
  if (code !== 0) {
    throw new Refusal('Installing the packages failed; what npm said about it stands above.');
  }
}

/** Fetches SQLite as a binary, or compiles it where there is none to be had. */
async function compileDriver() {
  if (!NEEDS_COMPILER || existsSync(inProject('node_modules', COMPILED, ...BINARY))) return;
  console.log('Fetching SQLite, or compiling it, which takes more than a minute ...');
  const code = await npm(['rebuild', '--loglevel=error', COMPILED]);
  if (code !== 0)
    throw new Refusal('Compiling SQLite failed; what npm said about it stands above.');
}

/** @param {string[]} args */
function npm(args) {
  const program = process.env.npm_execpath;
  return program?.endsWith('.js')
    ? runProgram(process.execPath, [program, ...args], { summary: 'ignore' })
    : runProgram('npm', args, { summary: 'ignore' });
}
