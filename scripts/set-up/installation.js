import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { runProgram } from './command-line.js';
import { readMark, writeMark } from './fingerprint.js';
import { inProject } from './project.js';
import { Refusal } from './refusal.js';

/** @typedef {{ version?: string, integrity?: string, link?: boolean, optional?: boolean, devOptional?: boolean }} LockedPackage */
/** @typedef {{ packages: Record<string, LockedPackage> }} Lock */

/**
 * Prisma's installer downloads a native engine that Latchkey never calls, and fails where it cannot
 * be reached. Any executable named here makes it skip the download.
 */
export const prismaEnvironment = {
  PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY ?? process.execPath,
};

/**
 * Installs what package-lock.json names, unless that is what node_modules holds.
 *
 * @param {string} reason what the packages are wanted for, for the line that is shown
 */
export async function ensureInstalled(reason = 'this') {
  const lock = readFileSync(inProject('package-lock.json'), 'utf8');
  const wanted = markOf(lock);
  const markFile = inProject('node_modules', '.latchkey-installed');
  if (readMark(markFile) === wanted) return;

  const installed = readMark(inProject('node_modules', '.package-lock.json'));
  const byHand = readMark(markFile) === null && installed !== null;
  if (!byHand || !holdsWhatIsLocked(parseLock(installed), parseLock(lock))) {
    console.log(`Installing the packages of package-lock.json for ${reason} (npm ci) ...`);
    await runNpmCi();
  }
  writeMark(markFile, wanted);
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
 * platforms.
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

async function runNpmCi() {
  // NODE_ENV=production would leave out what the build needs.
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  const npm = process.env.npm_execpath;
  const code = npm?.endsWith('.js')
    ? await runProgram(process.execPath, [npm, ...args], { env: prismaEnvironment })
    : await runProgram('npm', args, { env: prismaEnvironment });
  if (code !== 0) {
    throw new Refusal('Installing the packages failed; what npm said about it stands above.');
  }
}
