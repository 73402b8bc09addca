import { ONE_FAILED, ONE_PASSED } from './tally.js';
import { Refusal } from '../set-up/refusal.js';

const timings = /** @type {{ heading: string, seconds: string, failed: boolean }[]} */ ([]);

/**
 * Runs one step, and prints its heading, result and duration. A failed step counts as one failure and does
 * not throw, so that the next one still runs: a formatting mistake must not hide the result of the tests.
 *
 * @param {string} heading
 * @param {() => Promise<import('./tally.js').Tally | number | void>} work
 *   returns a tally, an exit code, or nothing for success
 * @returns {Promise<import('./tally.js').Tally>}
 */
export async function step(heading, work) {
  console.log(`\n=== ${heading}`);
  const startedAt = performance.now();
  const tally = await outcomeOf(work);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const failed = tally.failed > 0;
  timings.push({ heading, seconds, failed });
  console.log(`--- ${heading}: ${failed ? 'FAILED' : 'ok'}, ${seconds} s`);
  return tally;
}

/** Prints all steps with their results and durations. */
export function printTimings() {
  console.log('');
  for (const { heading, seconds, failed } of timings) {
    console.log(`${failed ? 'FAILED' : 'ok    '} ${seconds.padStart(7)} s  ${heading}`);
  }
}

/** @param {() => Promise<import('./tally.js').Tally | number | void>} work */
async function outcomeOf(work) {
  try {
    const outcome = await work();
    if (typeof outcome === 'object') return outcome;
    return outcome ? ONE_FAILED : ONE_PASSED;
  } catch (error) {
    console.error(error instanceof Refusal ? error.message : error);
    return ONE_FAILED;
  }
}
