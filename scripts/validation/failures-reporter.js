import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { inProject } from '../set-up/project.js';
import { FAILURES } from './failures.js';

/**
 * Writes the failures to a file, each with its project. Vitest's JSON reporter leaves out the project, which
 * says on which database a test failed.
 */
export default class FailuresReporter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly import('vitest').SerializedError[]} outsideErrors
   */
  onTestRunEnd(modules, outsideErrors) {
    const failures = [
      ...modules.flatMap((module) => failuresOf(module)),
      ...outsideErrors.map((error) => ({ where: 'outside of any test', message: error.message })),
    ];
    writeFileSync(inProject(FAILURES), JSON.stringify(failures));
  }
}

/**
 * @param {import('vitest/node').TestModule} module
 * @returns {import('./failures.js').Failure[]}
 */
function failuresOf(module) {
  const file = `|${module.project.name}| ${module.relativeModuleId}`;
  const fileFailures = module.errors().map((error) => ({ where: file, message: describe(error) }));
  const testFailures = [...module.children.allTests('failed')].flatMap((test) =>
    (test.result().errors ?? []).map((error) => ({
      where: `${file} > ${test.fullName}`,
      message: describe(error),
    })),
  );
  return [...fileFailures, ...testFailures];
}

/** @param {import('vitest').TestError} error */
function describe({ message, diff, stacks }) {
  const frame = stacks?.[0];
  const place = frame ? `at ${relative('.', frame.file)}:${frame.line}` : '';
  return stripVTControlCharacters([place, message, diff ?? ''].join('\n'));
}
