import { execFile, spawn } from 'node:child_process';
import { inProject, projectFolder } from './project.js';

/** The exit code reported for a program that a signal killed: it has none of its own. */
const KILLED = 1;

/**
 * Runs a program in the project's folder, shows its output, and returns its exit code.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ env?: Record<string, string | undefined>, timeoutMs?: number, summary?: 'inherit' | 'ignore' }} [options]
 *   `env` is merged into the environment; an undefined value removes a variable. `summary: 'ignore'` hides
 *   the standard output of a program that writes its warnings and errors to standard error.
 * @returns {Promise<number>}
 */
export function runProgram(program, args, { env = {}, timeoutMs, summary = 'inherit' } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: projectFolder,
      env: { ...process.env, ...env },
      stdio: ['ignore', summary, 'inherit'],
      timeout: timeoutMs,
    });
    // Ctrl-C in a terminal reaches the whole process group. A SIGTERM reaches only this process.
    const forward = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    process.on('SIGTERM', forward);
    const stopForwarding = () => process.off('SIGTERM', forward);
    child.once('error', (error) => {
      stopForwarding();
      reject(error);
    });
    child.once('exit', (code) => {
      stopForwarding();
      resolve(code ?? KILLED);
    });
  });
}

/**
 * Runs a JavaScript file of an installed package, without the start-up time of npx.
 *
 * @param {string} file below node_modules, such as "prisma/build/index.js"
 * @param {string[]} args
 * @param {Parameters<typeof runProgram>[2]} [options]
 */
export function runInstalled(file, args, options) {
  return runProgram(process.execPath, [inProject('node_modules', file), ...args], options);
}

/**
 * Runs a JavaScript file of an installed package, and prints its output only if it fails.
 *
 * @param {string} file below node_modules
 * @param {string[]} args
 * @param {{ env: Record<string, string> }} options
 * @returns {Promise<number>}
 */
export function runInstalledQuietly(file, args, { env }) {
  return new Promise((resolve) => {
    const options = { cwd: projectFolder, env: { ...process.env, ...env } };
    execFile(
      process.execPath,
      [inProject('node_modules', file), ...args],
      options,
      (error, stdout, stderr) => {
        if (error) process.stderr.write(stdout + stderr);
        resolve(error ? KILLED : 0);
      },
    );
  });
}
