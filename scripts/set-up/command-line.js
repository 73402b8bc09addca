import { execFile, spawn } from 'node:child_process';
import { inProject, projectFolder } from './project.js';

/** Exit code for a command that was stopped from outside: it failed, whatever it was doing. */
const STOPPED = 1;

/**
 * Runs a program in the project's folder with its output shown, and answers its exit code.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ env?: Record<string, string | undefined>, timeoutMs?: number, summary?: 'inherit' | 'ignore' }} [options]
 *   `env` is laid over the environment; an undefined value takes a variable out of it. `summary` is what
 *   becomes of its standard output, when warnings and errors are on standard error.
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
    // A terminal interrupts the whole group; whoever ends this process alone means the child too.
    const pass = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    process.on('SIGTERM', pass);
    const settle = () => process.off('SIGTERM', pass);
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('exit', (code) => {
      settle();
      resolve(code ?? STOPPED);
    });
  });
}

/**
 * Runs a JavaScript file of an installed package, without npx and its start-up time.
 *
 * @param {string} file below node_modules, such as "prisma/build/index.js"
 * @param {string[]} args
 * @param {Parameters<typeof runProgram>[2]} [options]
 */
export function runInstalled(file, args, options) {
  return runProgram(process.execPath, [inProject('node_modules', file), ...args], options);
}

/**
 * Does the same, and shows what the file prints only if it fails, whole.
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
        resolve(error ? STOPPED : 0);
      },
    );
  });
}
