import { readFileSync, rmSync } from 'node:fs';
import { inProject } from '../set-up/project.js';

/**
 * @typedef {object} Failure
 * @property {string} where project, file and test
 * @property {string} message
 */

export const FAILURES = 'reports/failures.json';

/** Some logs keep only their end. More failures would push the first ones out. */
const PRINTED_AT_MOST = 10;
const LINES_AT_MOST = 12;
const LINE_LENGTH = 200;

/** Deletes the failures of an earlier run. */
export function clearFailures() {
  rmSync(inProject(FAILURES), { force: true });
}

/**
 * Prints the failures again, each with a few lines of its message, for logs that keep only their end.
 */
export function printFailures() {
  for (const line of failureLines(readFailures())) console.log(line);
}

/**
 * @param {Failure[]} failures
 * @returns {string[]}
 */
export function failureLines(failures) {
  const left = failures.length - PRINTED_AT_MOST;
  return [
    ...failures.slice(0, PRINTED_AT_MOST).flatMap(linesOf),
    ...(left > 0 ? [`… and ${left} more`] : []),
  ];
}

/** @param {Failure} failure */
function linesOf({ where, message }) {
  const lines = message.split('\n').filter((line) => line.trim() !== '');
  return [
    `FAILED ${where}`,
    ...lines.slice(0, LINES_AT_MOST).map((line) => `       ${line.slice(0, LINE_LENGTH)}`),
  ];
}

/** @returns {Failure[]} empty if no run wrote any */
function readFailures() {
  try {
    return /** @type {Failure[]} */ (JSON.parse(readFileSync(inProject(FAILURES), 'utf8')));
  } catch {
    return [];
  }
}
