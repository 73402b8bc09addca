import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inProject } from '../../scripts/set-up/project.js';

let clone = '';

/** Runs a program in the clone as a user who never configured git. */
function run(program: string, args: string[], env: Record<string, string> = {}) {
  const environment: Record<string, string | undefined> = {
    PATH: process.env.PATH,
    HOME: clone,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@latchkey.example',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@latchkey.example',
    ...env,
  };
  return spawnSync(program, args, {
    cwd: clone,
    encoding: 'utf8',
    env: environment as NodeJS.ProcessEnv,
  });
}

const prepare = (env?: Record<string, string>) => run('node', ['scripts/git-hooks.js'], env);
const hooksPath = () => run('git', ['config', 'core.hooksPath']).stdout.trim();

beforeEach(() => {
  clone = mkdtempSync(path.join(tmpdir(), 'latchkey-clone-'));
  cpSync(inProject('.githooks'), path.join(clone, '.githooks'), { recursive: true });
  cpSync(inProject('scripts/git-hooks.js'), path.join(clone, 'scripts', 'git-hooks.js'));
  writeFileSync(path.join(clone, 'package.json'), '{ "type": "module" }\n');
});

afterEach(() => {
  rmSync(clone, { recursive: true });
});

test('an install in a clone enables the git hooks', () => {
  run('git', ['init', '--quiet']);
  expect(prepare().status).toBe(0);
  expect(hooksPath()).toBe('.githooks');
});

test('an install in CI changes nothing', () => {
  run('git', ['init', '--quiet']);
  expect(prepare({ CI: 'true' }).status).toBe(0);
  expect(hooksPath()).toBe('');
});

test('an install outside a clone, or without git, succeeds', () => {
  expect(prepare()).toMatchObject({ status: 0, stderr: '' });
  run('git', ['init', '--quiet']);
  const node = process.execPath;
  expect(run(node, ['scripts/git-hooks.js'], { PATH: '/nowhere' }).status).toBe(0);
});

test('a commit in a clone without packages succeeds with a message that nothing was checked', () => {
  run('git', ['init', '--quiet']);
  prepare();
  run('git', ['add', 'package.json']);
  const commit = run('git', ['commit', '--quiet', '--message', 'First']);
  expect(commit.stdout + commit.stderr).toMatch(/^Nothing was checked before this commit: .+\.\n$/);
  expect(commit.status).toBe(0);
});
