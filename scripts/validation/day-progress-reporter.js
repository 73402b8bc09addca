/**
 * Shows the progress of a run as one line in a terminal, and nothing if output is not a terminal. Failures
 * are printed after the run.
 */
export default class DayProgressReporter {
  #files = 0;
  #done = 0;
  #failed = 0;

  /** @param {readonly import('vitest/node').TestSpecification[]} specifications */
  onTestRunStart(specifications) {
    this.#files = specifications.length;
    this.#show();
  }

  /** @param {import('vitest/node').TestModule} module */
  onTestModuleEnd(module) {
    this.#done += 1;
    if (!module.ok()) this.#failed += 1;
    this.#show();
  }

  onTestRunEnd() {
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
  }

  #show() {
    if (!process.stdout.isTTY) return;
    process.stdout.write(
      `\r\u001b[K  ${this.#done} of ${this.#files} files, ${this.#failed} failed`,
    );
  }
}
