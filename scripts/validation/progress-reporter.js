import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DefaultReporter } from 'vitest/node';
import { inProject } from '../set-up/project.js';
import { createProgress } from './progress.js';

/** How long each file took in the last run on this machine. */
const DURATIONS = 'reports/durations.json';
/** If output is not a terminal: there a line cannot be overwritten. */
const LINE_EVERY_MS = 15_000;
const CLEAR_LINE = '\r\x1b[2K';

/**
 * Shows one line of progress instead of a line per file, and prints failures in full. If output is not a
 * terminal, prints a new line every 15 seconds.
 */
export default class ProgressReporter extends DefaultReporter {
  /** @type {Record<string, number>} */
  #durations = readDurations();
  /** @type {ReturnType<typeof createProgress> | null} */
  #progress = null;
  #printedAt = 0;

  constructor() {
    super({ summary: false });
  }

  /**
   * @override
   * @param {readonly import('vitest/node').TestSpecification[]} specifications
   */
  onTestRunStart(specifications) {
    super.onTestRunStart(specifications);
    this.#progress = createProgress({
      files: specifications.map(({ project, moduleId }) => this.#idOf(project.name, moduleId)),
      // A copy, because this run updates #durations.
      expectedMs: { ...this.#durations },
      now: () => performance.now(),
    });
    this.#printedAt = performance.now();
    this.#show();
  }

  /**
   * @override
   * @param {import('vitest/node').TestModule} module
   */
  onTestModuleEnd(module) {
    const id = this.#idOf(module.project.name, module.moduleId);
    const failedTests = [...module.children.allTests('failed')].length;
    const failed = module.state() === 'failed' ? Math.max(1, failedTests) : 0;
    this.#durations[id] = Math.round(module.diagnostic().duration);
    this.#progress?.add(id, failed);
    if (failed > 0) {
      if (this.isTTY) process.stdout.write(CLEAR_LINE);
      super.onTestModuleEnd(module);
    }
    this.#show();
  }

  /**
   * @override
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly import('vitest').SerializedError[]} errors
   * @param {import('vitest/node').TestRunEndReason} reason
   */
  onTestRunEnd(modules, errors, reason) {
    if (this.isTTY) process.stdout.write(CLEAR_LINE);
    else if (this.#progress) this.log(this.#progress.line());
    super.onTestRunEnd(modules, errors, reason);
    const file = inProject(DURATIONS);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(this.#durations));
  }

  #show() {
    if (!this.#progress) return;
    if (this.isTTY) {
      process.stdout.write(CLEAR_LINE + this.#progress.line());
      return;
    }
    if (performance.now() - this.#printedAt < LINE_EVERY_MS) return;
    this.#printedAt = performance.now();
    this.log(this.#progress.line());
  }

  /**
   * @param {string} project
   * @param {string} moduleId
   */
  #idOf(project, moduleId) {
    return `${project} ${this.relative(moduleId)}`;
  }
}

/** @returns {Record<string, number>} empty if there was no earlier run */
function readDurations() {
  try {
    return /** @type {Record<string, number>} */ (
      JSON.parse(readFileSync(inProject(DURATIONS), 'utf8'))
    );
  } catch {
    return {};
  }
}
