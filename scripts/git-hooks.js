// npm's "prepare": makes git use .githooks. A failure here must never fail the installation.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const projectFolder = fileURLToPath(new URL('..', import.meta.url));

if (!process.env.CI && existsSync(`${projectFolder}/.git`)) {
  try {
    execFileSync('git', ['config', 'core.hooksPath', '.githooks'], {
      cwd: projectFolder,
      stdio: 'ignore',
    });
  } catch {
    console.warn('Could not enable .githooks; run: git config core.hooksPath .githooks');
  }
}
