import { existsSync, readFileSync } from 'node:fs';
import { runInstalled, runProgram } from './command-line.js';
import { readMark, writeMark } from './fingerprint.js';
import { prismaEnvironment } from './installation.js';
import { inProject } from './project.js';
import { Refusal } from './refusal.js';

const SCHEMA = 'bench/four-columns/schema.prisma';

/** Installs the packages that only the bench needs, and generates its Prisma client. */
export async function ensureBenchInstalled() {
  const lock = readFileSync(inProject('bench', 'package-lock.json'), 'utf8');
  const markFile = inProject('bench', 'node_modules', '.installed-from');
  if (readMark(markFile) !== lock) {
    console.log('Installing the packages of bench/package-lock.json (npm ci) ...');
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    const code = await runProgram(npm, [
      'ci',
      '--prefix',
      'bench',
      '--no-audit',
      '--no-fund',
      '--legacy-peer-deps',
    ]);
    if (code !== 0) throw new Refusal('Installing the packages of the bench failed; see above.');
    writeMark(markFile, lock);
  }
  if (existsSync(inProject('bench', 'four-columns', 'client'))) return;
  const generate = ['generate', '--no-hints', '--schema', SCHEMA];
  const code = await runInstalled('prisma/build/index.js', generate, { env: prismaEnvironment });
  if (code !== 0) throw new Refusal('Generating the Prisma client of the bench failed; see above.');
}
