import { ONE_FAILED, ONE_PASSED } from './tally.js';
import { Refusal } from '../set-up/refusal.js';

const timings = /** @type {{ heading: string, seconds: string, failed: boolean }[]} */ ([]);

/**
 * Does one step under a heading and says how long it took. A step that fails counts as one
 * failure, and the next one still runs: a slip in the layout must not hide what the tests say.
 *
 * @param {string} heading
 * @param {() => Promise<import('./tally.js').Tally | number | void>} work
 *   a number is an exit code; nothing at all is a success
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

/** Prints every step once more, with its duration. */
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
