import { execFile, spawn, type ChildProcess } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { prismaEnvironment } from '../../scripts/set-up/installation.js';
import { inProject } from '../../scripts/set-up/project.js';
import { buildSessions, sessionsFolder } from '../../scripts/set-up/sessions-package.js';
import { BrowserLike } from '../fixtures/browser-like.ts';

const run = promisify(execFile);
const installed = (file: string) => inProject('node_modules', file);

/** A folder as after `npm install`, made without the network: peer dependencies are links to our packages. */
const folder = mkdtempSync(join(tmpdir(), 'latchkey-package-'));
const PEERS = ['express', 'express-session', 'lru-cache', 'bowser', '@prisma', 'prisma', '@types'];
let tarball: string;
let manifest: { exports: Record<string, unknown> };

beforeAll(async () => {
  await buildSessions();
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: sessionsFolder,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  tarball = join(folder, filename);
  const target = join(folder, 'node_modules', 'latchkey-sessions');
  mkdirSync(target, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', target, '--strip-components=1']);
  for (const name of PEERS) symlinkSync(installed(name), join(folder, 'node_modules', name));
  manifest = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8')) as typeof manifest;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const entries = () =>
  Object.keys(manifest.exports)
    .filter((name) => !name.endsWith('.json'))
    .map((name) => join('latchkey-sessions', name));

test('publint reports no problem in the package', async () => {
  const { messages, pkg } = await publint({ pkgDir: sessionsFolder, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg as object))).toEqual([]);
});

test('attw finds the types of every entry point of the package', async () => {
  const { stdout } = await run(process.execPath, [
    installed('@arethetypeswrong/cli/dist/index.js'),
    tarball,
    '--profile',
    'esm-only',
    '--no-definitely-typed',
    '--format',
    'ascii',
  ]);
  expect(stdout).toContain('latchkey-sessions/express');
  // The profile ignores Node 10 and require(). attw also exits with an error if it finds a problem.
  const counted = stdout.split('\n').filter((line) => !line.includes('(ignored'));
  expect(counted.filter((line) => /❌|💀|🎭|🐛|⚠️/u.test(line))).toEqual([]);
});

test('every entry point loads, and its types compile in a program that imports it', async () => {
  const imports = entries().map((name, index) => `import * as entry${index} from '${name}';`);
  const uses = entries().map(
    (_name, index) => `if (Object.keys(entry${index}).length === 0) throw new Error('${index}');`,
  );
  const text = `${[...imports, ...uses].join('\n')}\n`;
  writeFileSync(join(folder, 'everything.mjs'), text);
  await run(process.execPath, [join(folder, 'everything.mjs')]);
  writeFileSync(join(folder, 'everything.mts'), text);
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023'];
  await run(process.execPath, [
    installed('typescript/bin/tsc'),
    ...options,
    '--types',
    'node',
    join(folder, 'everything.mts'),
  ]).catch((error: unknown) => {
    throw new Error((error as { stdout: string }).stdout);
  });
});

test('all entry points but cache, device and express load without other packages', async () => {
  const alone = mkdtempSync(join(tmpdir(), 'latchkey-package-alone-'));
  cpSync(sessionsFolder, join(alone, 'node_modules', 'latchkey-sessions'), { recursive: true });
  const dependent = ['/cache', '/device', '/express'];
  const independent = entries().filter((name) => !dependent.some((end) => name.endsWith(end)));
  expect(independent).toHaveLength(entries().length - dependent.length);
  writeFileSync(join(alone, 'all.mjs'), independent.map((name) => `import '${name}';`).join('\n'));
  try {
    await run(process.execPath, [join(alone, 'all.mjs')]);
  } finally {
    rmSync(alone, { recursive: true, force: true });
  }
});

describe.each(['plain-http', 'express'])('examples/%s', (name) => {
  let server: ChildProcess;
  let origin: string;
  beforeAll(async () => {
    const example = join(folder, name);
    cpSync(inProject('examples', name), example, { recursive: true });
    if (name === 'express') {
      await run(
        process.execPath,
        [installed('prisma/build/index.js'), 'generate', '--no-hints', '--schema', 'schema.prisma'],
        { cwd: example, env: { ...process.env, ...prismaEnvironment } },
      );
    }
    server = spawn(process.execPath, ['server.mjs'], {
      cwd: example,
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    origin = await new Promise<string>((resolve, reject) => {
      server.once('exit', (code) => reject(new Error(`The server ended (${code}).`)));
      server.stdout!.setEncoding('utf8').once('data', (line: string) => resolve(line.trim()));
    });
  });
  afterAll(() => server.kill());

  test('the example signs a user in, recognizes the user, and signs the user out', async () => {
    const browser = new BrowserLike(origin, 'a browser', {
      reachedAt: origin.replace('localhost', '127.0.0.1'),
    });
    const pageText = async () => (await browser.get('/')).text;
    expect(await pageText()).toBe('Who are you?');
    await browser.post('/sign-in', {});
    expect(await pageText()).toBe('Hello, ann.');
    const other = new BrowserLike(origin, 'another', browser.options);
    for (const cookie of await browser.jar.getCookies(origin)) {
      await other.plantToken(cookie.value, cookie.key);
    }
    await browser.post('/sign-out', {});
    expect(await pageText()).toBe('Who are you?');
    // The session itself has ended, not only the browser's cookie: a copy of the cookie fails too.
    expect((await other.get('/')).text).toBe('Who are you?');
  });

  test('the example depends on the built package in dist/sessions', () => {
    const { dependencies } = JSON.parse(
      readFileSync(inProject('examples', name, 'package.json'), 'utf8'),
    ) as { dependencies: Record<string, string> };
    const from = dirname(inProject('examples', name, 'package.json'));
    expect(join(from, dependencies['latchkey-sessions']!.replace('file:', ''))).toBe(
      sessionsFolder,
    );
  });
});
