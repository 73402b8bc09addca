import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PATIENCE } from '../fixtures/patience.ts';
import { projectFolder } from '../../scripts/set-up/project.js';

const SERVING = /"origin":"([^"]+)","msg":"Latchkey is serving"/;

let folder = '';
let npm: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-npm-'));
});
afterEach(() => {
  // The whole group, with the processes that a failed test leaves behind.
  if (npm?.pid) killGroup(npm.pid);
  npm = undefined;
  rmSync(folder, { recursive: true });
});

function killGroup(pid: number) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group has ended already.
  }
}

/** Runs `npm start` in its own process group, as a terminal does. */
async function startByNpm(scriptShell: string) {
  const environment: Record<string, string | undefined> = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    ENV_FILE: '',
    PORT: '0',
    DATABASE_URL: `file:${path.join(folder, 'latchkey.db')}`,
    SECRETS_FILE: path.join(folder, 'secrets.json'),
    OUTBOX_FOLDER: path.join(folder, 'outbox'),
  };
  npm = spawn('npm', ['start', `--script-shell=${scriptShell}`], {
    cwd: projectFolder,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment as NodeJS.ProcessEnv,
  });
  let output = '';
  npm.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text));
  const origin = await vi.waitFor(() => {
    const [, found] = SERVING.exec(output) ?? [];
    return found ?? Promise.reject(new Error(`The server does not serve yet: ${output}`));
  }, PATIENCE);
  expect((await fetch(`${origin}/healthz`)).status).toBe(200);
  return { npm, origin, output: () => output };
}

const isServing = (origin: string) =>
  fetch(`${origin}/healthz`).then(
    () => true,
    () => false,
  );

test.each([
  ['SIGTERM', 'sh'],
  ['SIGKILL', 'sh'],
  ['SIGTERM', 'a shell that runs it as a child'],
  ['SIGKILL', 'a shell that runs it as a child'],
] as const)('a %s to npm ends the server that npm start started with %s', async (signal, shell) => {
  const staying = path.join(import.meta.dirname, 'fixtures', 'staying.sh');
  const running = await startByNpm(shell === 'sh' ? 'sh' : staying);
  running.npm.kill(signal);
  await expect.poll(() => isServing(running.origin)).toBe(false);
  await expect.poll(running.output).toContain('Latchkey is stopping');
});

test('Ctrl-C, which reaches the server from the terminal and from npm, stops it once and cleanly', async () => {
  const { npm, origin, output } = await startByNpm('sh');
  const ended = once(npm, 'exit');
  process.kill(-npm.pid!, 'SIGINT');
  // Shells expect that Ctrl-C ends a program by the signal.
  expect(await ended).toEqual([null, 'SIGINT']);
  await expect.poll(() => isServing(origin)).toBe(false);
  expect(output().match(/Latchkey is stopping/g)).toHaveLength(1);
});
