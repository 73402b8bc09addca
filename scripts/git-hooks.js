// npm's "prepare": lets git use .githooks. An install must never fail for want of a hook.
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
    console.warn('Git could not be told of .githooks; run: git config core.hooksPath .githooks');
  }
}
