import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import * as esbuild from 'esbuild';
import { CookieJar } from 'tough-cookie';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../fixtures/guarded-process.ts';

const FOLDER = new URL('../../app/sessions/', import.meta.url).pathname;
const README = readFileSync(join(FOLDER, 'README.md'), 'utf8');

/** The entries that need no package. */
const ENTRIES = [
  'index.ts',
  'session-classes.ts',
  'stores/memory.ts',
  'stores/prisma.ts',
  'stores/redis.ts',
  'stores/callbacks.ts',
];

/** Bundles a file of the copied folder. An import from outside of the folder is an error. */
async function buildAlone(folder: string, entry: string, outfile: string): Promise<void> {
  const builtins = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));
  await esbuild.build({
    entryPoints: [join(folder, entry)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'silent',
    plugins: [
      {
        name: 'no outside imports',
        setup(build) {
          build.onResolve({ filter: /.*/ }, async ({ path, kind, pluginData, resolveDir }) => {
            if (pluginData === 'resolving' || kind === 'entry-point') return undefined;
            if (builtins.has(path)) return { path, external: true };
            const found = await build.resolve(path, { kind, resolveDir, pluginData: 'resolving' });
            if (!path.startsWith('.') || !found.path.startsWith(folder + sep)) {
              return { errors: [{ text: `${path} is outside of this folder` }] };
            }
            return found;
          });
        },
      },
    ],
  });
}

/** The first code block of the README. */
const smallestUse = /```ts\n([\s\S]*?)```/.exec(README)?.[1] ?? '';

describe('a copy of app/sessions outside of the application', () => {
  const parent = mkdtempSync(join(tmpdir(), 'latchkey-alone-'));
  const folder = join(parent, 'sessions');

  beforeAll(() => cpSync(FOLDER, folder, { recursive: true }));
  afterAll(() => rmSync(parent, { recursive: true, force: true }));

  test.each(ENTRIES)('%s builds and loads without imports from outside', async (entry) => {
    const outfile = join(parent, `${entry.replace('/', '-')}.mjs`);
    await buildAlone(folder, entry, outfile);
    const loaded = (await import(outfile)) as object;
    expect(Object.keys(loaded)).not.toEqual([]);
  });

  test('the build refuses an import from outside of the folder', async () => {
    for (const source of ['../env.server.ts', 'express', '#app/db.server.ts']) {
      writeFileSync(join(folder, 'outsider.ts'), `import '${source}';`);
      const building = buildAlone(folder, 'outsider.ts', join(parent, 'outsider.mjs'));
      await expect(building).rejects.toThrow(/is outside of this folder|Could not resolve/);
    }
  });

  describe('the smallest complete use in the README', () => {
    let server: ChildProcess;
    let origin: string;

    beforeAll(async () => {
      writeFileSync(join(folder, 'smallest-use.ts'), smallestUse);
      const outfile = join(parent, 'smallest-use.mjs');
      await buildAlone(folder, 'smallest-use.ts', outfile);
      const port = await freePort();
      origin = `http://127.0.0.1:${port}`;
      server = spawn(process.execPath, [outfile], {
        cwd: parent,
        env: { ...process.env, PORT: String(port) },
        stdio: 'inherit',
      });
      for (let attempt = 0; attempt < 200; attempt += 1) {
        if (
          await fetch(origin).then(
            () => true,
            () => false,
          )
        )
          return;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      throw new Error('The smallest use did not start.');
    });
    afterAll(() => server.kill());

    test('the smallest use has 15 lines', () => {
      expect(smallestUse.trimEnd().split('\n')).toHaveLength(15);
    });

    test('the smallest use signs a user in, greets the user, and signs the user out', async () => {
      const jar = new CookieJar();
      const get = async (path: string) => {
        const url = origin + path;
        const cookie = await jar.getCookieString(url);
        const response = await fetch(url, { headers: cookie ? { cookie } : {} });
        for (const set of response.headers.getSetCookie()) await jar.setCookie(set, url);
        return response.text();
      };
      expect(await get('/')).toBe('Who are you?');
      await get('/sign-in');
      expect(await get('/')).toBe('Hello, ann.');
      const first = await jar.getCookieString(origin);
      await get('/sign-in');
      expect(await get('/')).toBe('Hello, ann.');
      // A browser holds one session, so the second sign-in ended the first session.
      const before = await fetch(origin, { headers: { cookie: first } });
      expect(await before.text()).toBe('Who are you?');
      await get('/sign-out');
      expect(await get('/')).toBe('Who are you?');
    });
  });
});
