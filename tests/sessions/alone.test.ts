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

/** Everything that can be imported without a package: all but what names a peer of its own. */
const ENTRIES = [
  'index.ts',
  'session-classes.ts',
  'stores/memory.ts',
  'stores/prisma.ts',
  'stores/redis.ts',
  'stores/callbacks.ts',
];

/** Builds a file of the copied folder; whatever is imported from elsewhere is an error. */
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
        name: 'nothing from elsewhere',
        setup(build) {
          build.onResolve({ filter: /.*/ }, async ({ path, kind, pluginData, resolveDir }) => {
            if (pluginData === 'resolving' || kind === 'entry-point') return undefined;
            if (builtins.has(path)) return { path, external: true };
            const found = await build.resolve(path, { kind, resolveDir, pluginData: 'resolving' });
            if (!path.startsWith('.') || !found.path.startsWith(folder + sep)) {
              return { errors: [{ text: `${path} is not of this folder` }] };
            }
            return found;
          });
        },
      },
    ],
  });
}

/** The first block of code of the README. */
const smallestUse = /```ts\n([\s\S]*?)```/.exec(README)?.[1] ?? '';

describe('app/sessions, copied out of the application', () => {
  const away = mkdtempSync(join(tmpdir(), 'latchkey-alone-'));
  const folder = join(away, 'sessions');

  beforeAll(() => cpSync(FOLDER, folder, { recursive: true }));
  afterAll(() => rmSync(away, { recursive: true, force: true }));

  test.each(ENTRIES)('%s builds and loads with nothing from outside', async (entry) => {
    const outfile = join(away, `${entry.replace('/', '-')}.mjs`);
    await buildAlone(folder, entry, outfile);
    const loaded = (await import(outfile)) as object;
    expect(Object.keys(loaded)).not.toEqual([]);
  });

  test('an import from outside would be noticed', async () => {
    for (const source of ['../env.server.ts', 'express', '#app/db.server.ts']) {
      writeFileSync(join(folder, 'outsider.ts'), `import '${source}';`);
      const building = buildAlone(folder, 'outsider.ts', join(away, 'outsider.mjs'));
      await expect(building).rejects.toThrow(/is not of this folder|Could not resolve/);
    }
  });

  describe('the smallest complete use that its README shows', () => {
    let server: ChildProcess;
    let origin: string;

    beforeAll(async () => {
      writeFileSync(join(folder, 'smallest-use.ts'), smallestUse);
      const outfile = join(away, 'smallest-use.mjs');
      await buildAlone(folder, 'smallest-use.ts', outfile);
      const port = await freePort();
      origin = `http://127.0.0.1:${port}`;
      server = spawn(process.execPath, [outfile], {
        cwd: away,
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

    test('has 15 lines', () => {
      expect(smallestUse.trimEnd().split('\n')).toHaveLength(15);
    });

    test('signs in, knows who asks, and signs out', async () => {
      const jar = new CookieJar();
      const visit = async (path: string) => {
        const url = origin + path;
        const cookie = await jar.getCookieString(url);
        const response = await fetch(url, { headers: cookie ? { cookie } : {} });
        for (const set of response.headers.getSetCookie()) await jar.setCookie(set, url);
        return response.text();
      };
      expect(await visit('/')).toBe('Who are you?');
      await visit('/sign-in');
      expect(await visit('/')).toBe('Hello, ann.');
      const first = await jar.getCookieString(origin);
      await visit('/sign-in');
      expect(await visit('/')).toBe('Hello, ann.');
      // One browser holds one session: the one before is over.
      const before = await fetch(origin, { headers: { cookie: first } });
      expect(await before.text()).toBe('Who are you?');
      await visit('/sign-out');
      expect(await visit('/')).toBe('Who are you?');
    });
  });
});
