const SECONDS_PER_MINUTE = 60;
const MS_PER_SECOND = 1000;
/** The assumed duration of a file that no earlier run measured. */
const UNMEASURED_MS = 2000;

/**
 * Tracks a run of test files and describes its progress in one line.
 *
 * @param {object} options
 * @param {readonly string[]} options.files their ids; a file that runs in two projects has two
 * @param {Readonly<Record<string, number>>} options.expectedMs how long each took in an earlier run
 * @param {() => number} options.now milliseconds on a monotonic clock
 */
export function createProgress({ files, expectedMs, now }) {
  const startedAt = now();
  const weightOf = (/** @type {string} */ id) => expectedMs[id] ?? UNMEASURED_MS;
  const totalWeight = files.reduce((sum, id) => sum + weightOf(id), 0);
  let doneWeight = 0;
  let done = 0;
  let failed = 0;

  return {
    /**
     * @param {string} id of a finished file
     * @param {number} failedTests
     */
    add(id, failedTests) {
      done += 1;
      failed += failedTests;
      doneWeight += weightOf(id);
    },
    /** Returns text such as "12 of 200 files, 0 failed, about 5 min left". */
    line() {
      const elapsedMs = now() - startedAt;
      const leftMs = doneWeight > 0 ? (elapsedMs * (totalWeight - doneWeight)) / doneWeight : null;
      return `${done} of ${files.length} files, ${failed} failed${leftText(leftMs)}`;
    },
  };
}

/** @param {number | null} leftMs null if unknown */
function leftText(leftMs) {
  if (leftMs === null) return '';
  const seconds = Math.ceil(leftMs / MS_PER_SECOND);
  if (seconds < SECONDS_PER_MINUTE) return `, about ${seconds} s left`;
  return `, about ${Math.round(seconds / SECONDS_PER_MINUTE)} min left`;
}
