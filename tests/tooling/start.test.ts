import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BrowserLike } from '../fixtures/browser-like.ts';
import { runScript, startScript, type Finished } from './run-script.ts';

const WAIT_MS = 20_000;
const CHECK_EVERY_MS = 50;

let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-start-'));
});

afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

/** An environment with which the server starts. */
const workingEnv = () => ({
  PORT: '0',
  DATABASE_URL: `file:${path.join(folder, 'latchkey.db')}`,
  SECRETS_FILE: path.join(folder, 'secrets.json'),
  OUTBOX_FOLDER: path.join(folder, 'outbox'),
});

function expectOneSentence({ exitCode, stderr }: Finished, pattern: RegExp) {
  expect(stderr).toMatch(pattern);
  // One line that ends like a sentence, without a stack.
  expect(stderr).toMatch(/^[^\n]+\.\n$/);
  expect(stderr).not.toMatch(/\bat .+:\d+:\d+|Error:/);
  expect(exitCode).toBe(1);
}

/** Returns a folder that no user can write to, not even root. */
function unwritableFolder() {
  if (process.getuid?.() === 0) return '/sys/latchkey';
  const unwritable = path.join(folder, 'unwritable');
  mkdirSync(unwritable, { mode: 0o500 });
  return path.join(unwritable, 'data');
}

async function portInUse() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

describe('npm start', () => {
  test('npm start creates a database and secrets that only the owner can read, and stops cleanly', async () => {
    const running = startScript('start.js', workingEnv());
    const [, origin] = await running.waitForOutput(
      /"origin":"([^"]+)","msg":"Latchkey is serving"/,
    );
    const page = await fetch(`${origin}/login`);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<html');
    expect(statSync(path.join(folder, 'latchkey.db')).size).toBeGreaterThan(0);
    expect(statSync(path.join(folder, 'secrets.json')).mode & 0o777).toBe(0o600);
    running.process.kill('SIGTERM');
    const { exitCode, stderr } = await running.finished;
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  test('a new user can sign up with the code from the outbox', async () => {
    const running = startScript('start.js', { ...workingEnv(), PWNED_PASSWORDS: 'off' });
    const [, origin] = await running.waitForOutput(
      /"origin":"([^"]+)","msg":"Latchkey is serving"/,
    );
    const browser = new BrowserLike(origin!);
    const fields = { email: 'ada@example.com', name: 'Ada', password: 'a lighthouse by night' };
    const asked = await browser.follow(await browser.post('/signup', fields));
    expect(asked.text).toContain('href="/outbox"');
    const mailPath = await vi.waitFor(
      async () => {
        const { text } = await browser.get('/outbox');
        const [, path] = /href="(\/outbox\/[\w-]+)"/.exec(text) ?? [];
        return path ?? Promise.reject(new Error('Nothing is in the outbox.'));
      },
      { timeout: WAIT_MS, interval: CHECK_EVERY_MS },
    );
    const { text: mail } = await browser.get(`${mailPath}/html`);
    const [code = ''] = /(?<![\d#])\d{8}(?!\d)/.exec(mail) ?? [];
    const answer = await browser.post('/signup/verify', { code });
    expect(answer.location, answer.text).toBe('/');
    expect((await browser.follow(answer)).text).toContain('Welcome. Your account is ready.');
    running.process.kill('SIGTERM');
    expect((await running.finished).exitCode).toBe(0);
  });

  test('a port in use stops npm start with a message that names its process and another port', async () => {
    const { port, close } = await portInUse();
    const end = await runScript('start.js', { ...workingEnv(), PORT: String(port) });
    close();
    const found = `Port ${port} is in use by \\S+ \\(process ${process.pid}\\); stop that one`;
    expectOneSentence(
      end,
      new RegExp(`${found}, or take another port: PORT=${port + 1} npm start`),
    );
  });

  test('npm start prints the address, the outbox and the command for a demo account', async () => {
    const running = startScript('start.js', workingEnv());
    const [, origin] = await running.waitForOutput(/Latchkey is at +(\S+)\n/);
    running.process.kill('SIGTERM');
    const { stdout } = await running.finished;
    const lines = stdout.split('\n');
    expect(lines.length).toBeLessThan(15);
    expect(stdout).toContain(`${origin}/outbox\n`);
    expect(stdout).toContain('npm run seed\n');
  });

  test('npm start reads ENV_FILE, and variables of the environment override it', async () => {
    const file = path.join(folder, 'settings');
    writeFileSync(file, 'LOG_LEVEL=loud\nPORT=eighty\n');
    const settings = { ...workingEnv(), ENV_FILE: file };
    expectOneSentence(await runScript('start.js', settings), /LOG_LEVEL/);
    expectOneSentence(
      await runScript('start.js', { ...settings, LOG_LEVEL: 'info', PORT: 'x' }),
      /PORT/,
    );
    const running = startScript('start.js', { ...settings, LOG_LEVEL: 'info' });
    await running.waitForOutput(/Latchkey is at/);
    running.process.kill('SIGTERM');
    expect((await running.finished).exitCode).toBe(0);
  });

  test('a missing ENV_FILE stops npm start with a message', async () => {
    const end = await runScript('start.js', { ...workingEnv(), ENV_FILE: `${folder}/absent` });
    expectOneSentence(end, /settings in \S+absent cannot be read/);
  });

  test('a database folder that is not writable stops npm start with a message', async () => {
    const url = `file:${unwritableFolder()}/latchkey.db`;
    const end = await runScript('start.js', { ...workingEnv(), DATABASE_URL: url });
    expectOneSentence(end, /latchkey\.db|DATABASE_URL/);
  });

  test('a secrets folder that is not writable stops npm start with a message', async () => {
    const file = `${unwritableFolder()}/secrets.json`;
    const end = await runScript('start.js', { ...workingEnv(), SECRETS_FILE: file });
    expectOneSentence(end, /secrets\.json cannot be written/);
  });

  test('a secrets file that is not readable stops npm start with a message', async () => {
    const end = await runScript('start.js', { ...workingEnv(), SECRETS_FILE: folder });
    expectOneSentence(end, /secrets file .+ cannot be read/);
  });

  test('a damaged secrets file stops npm start with a message, and is not changed', async () => {
    const file = path.join(folder, 'secrets.json');
    writeFileSync(file, '{"passwordPepper":');
    const end = await runScript('start.js', { ...workingEnv(), SECRETS_FILE: file });
    expectOneSentence(end, /secrets file .+ is damaged/);
    expect(statSync(file).size).toBe('{"passwordPepper":'.length);
  });

  test.each([
    ['for an unsupported database', 'mysql://localhost/latchkey'],
    ['without a scheme', 'latchkey.db'],
    ['for a server that does not run', 'postgresql://latchkey:very-secret@127.0.0.1:1/latchkey'],
  ])(
    'a DATABASE_URL %s stops npm start with a message without the password',
    async (_what, url) => {
      const end = await runScript('start.js', { ...workingEnv(), DATABASE_URL: url });
      expectOneSentence(end, /DATABASE_URL|127\.0\.0\.1:1/);
      expect(end.stdout + end.stderr).not.toContain('very-secret');
    },
  );

  test('a DATABASE_URL for a file that is not a database stops npm start with a message', async () => {
    const file = path.join(folder, 'notes.txt');
    writeFileSync(file, 'buy milk '.repeat(1000));
    const end = await runScript('start.js', { ...workingEnv(), DATABASE_URL: `file:${file}` });
    expectOneSentence(end, /notes\.txt/);
  });

  test.each([
    ['PORT', 'eighty', /PORT/],
    ['LOG_LEVEL', 'loud', /LOG_LEVEL/],
    ['ORIGIN', 'http://latchkey.example', /ORIGIN must start with https/],
    ['ORIGIN', 'https://latchkey.example', /PASSWORD_PEPPER must be set/],
  ])('%s=%s stops npm start with a message', async (name, value, pattern) => {
    expectOneSentence(await runScript('start.js', { ...workingEnv(), [name]: value }), pattern);
  });
});

test.each([
  ['start.js', []],
  ['test.js', []],
  ['dev.js', []],
  ['build.js', []],
  ['generate.js', []],
  ['run.js', ['seed']],
])('%s refuses a Node that is too old, with a message', async (script, args) => {
  const oldNode = path.join(import.meta.dirname, 'fixtures', 'old-node.cjs');
  const end = await runScript(script, {}, { args, nodeArgs: ['--require', oldNode] });
  expectOneSentence(end, /needs Node 20\.19 or newer.+this is Node 18\.20\.8/);
});

test('run.js lists its commands when it does not know the given one', async () => {
  const end = await runScript('run.js', {}, { args: ['sesions-prune'] });
  expect(end.stderr).toMatch(/^Usage: .*sessions-prune/);
  expect(end.exitCode).toBe(1);
});
