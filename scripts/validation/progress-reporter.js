import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DefaultReporter } from 'vitest/node';
import { inProject } from '../set-up/project.js';
import { createProgress } from './progress.js';

/** How long each file took in the last run here. */
const DURATIONS = 'reports/durations.json';
/** Where output is not a terminal, a line stays. */
const LINE_EVERY_MS = 15_000;
const CLEAR_LINE = '\r\x1b[2K';

/**
 * Shows one line of progress in place of a line for each file; failures are printed whole. Where
 * output is not a terminal, a new line appears every 15 seconds.
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
      // A copy: what this run measures must not change what was expected.
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

/** @returns {Record<string, number>} empty where there was no run before */
function readDurations() {
  try {
    return /** @type {Record<string, number>} */ (
      JSON.parse(readFileSync(inProject(DURATIONS), 'utf8'))
    );
  } catch {
    return {};
  }
}
