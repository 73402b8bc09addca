import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runInstalled } from './command-line.js';
import { compressFiles } from './compressed-files.js';
import { fingerprintOf, readMark, writeMark } from './fingerprint.js';
import { ensureGenerated } from './prisma-clients.js';
import { inProject, projectFolder } from './project.js';
import { Refusal } from './refusal.js';

/** What esbuild bundles, by the name it gets in dist/. */
export const entryPoints = {
  server: 'server.ts',
  'password-worker': 'app/credentials/password/password-worker.ts',
  'checkpoint-worker': 'app/database/checkpoint-worker.server.ts',
  seed: 'commands/seed.ts',
  'sessions-prune': 'commands/sessions-prune.ts',
  retention: 'commands/retention.ts',
  backup: 'commands/backup.ts',
  restore: 'commands/restore.ts',
};

/** Everything that the two build folders are made from. */
const SOURCES = [
  'app',
  'commands',
  'prisma',
  'public',
  'server.ts',
  'remix.config.js',
  'vite.config.ts',
  'vite',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
  'scripts/set-up/build.js',
  'scripts/set-up/compressed-files.js',
];
const GENERATED = /^prisma\/[^/]+\/client$/;
const markFile = inProject('dist', '.built-from');

/** Builds, unless what stands in build/ and dist/ was made from the sources as they are. */
export async function ensureBuilt() {
  if (!isBuilt()) await build();
}

/** True when nothing changed since the last build that succeeded. Takes a few milliseconds. */
export function isBuilt() {
  return readMark(markFile) === sourcesFingerprint();
}

/** Generates the Prisma clients, builds the pages and assets into build/, and bundles dist/. */
export async function build() {
  const from = sourcesFingerprint();
  rmSync(inProject('dist'), { recursive: true, force: true });
  await ensureGenerated();
  console.log('Building the pages and the server ...');
  const startedAt = performance.now();
  await buildPages();
  await compressFiles(inProject('build', 'client'));
  await bundle();
  // Last, so that a build that was interrupted does not count as one.
  writeMark(markFile, from);
  console.log(`Built in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`);
}

function sourcesFingerprint() {
  return fingerprintOf(projectFolder, SOURCES, (name) => GENERATED.test(name));
}

async function buildPages() {
  const code = await runInstalled(
    '@remix-run/dev/dist/cli.js',
    ['vite:build', '--logLevel', 'warn'],
    {
      // VITEST would leave the Remix plugin out of vite.config.ts: tests build as well.
      env: { NODE_ENV: 'production', VITEST: undefined },
    },
  );
  if (code !== 0) throw new Refusal('Building the pages failed; see above.');
}

/**
 * Packages that are bundled all the same: a hundred small modules take a quarter of a second and 15 MiB.
 *
 * @param {RegExp} filter of what is imported
 * @returns {import('esbuild').Plugin}
 */
const bundled = (filter) => ({
  name: 'bundled',
  setup: (building) =>
    building.onResolve({ filter }, ({ path }) => ({
      path: fileURLToPath(import.meta.resolve(path)),
    })),
});

async function bundle() {
  // Here and not above: starting a tree that is built must not wait for a compiler.
  const esbuild = await import('esbuild');
  const outdir = inProject('dist');
  try {
    await esbuild.build({
      absWorkingDir: projectFolder,
      entryPoints,
      outdir,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
      plugins: [bundled(/^zod(\/|$)/)],
      // Each Prisma client in a file of its own, so that only the one in use is loaded.
      splitting: true,
      // Beside the programs: `new URL('./password-worker.js', import.meta.url)` holds in a chunk too.
      chunkNames: '[name]-[hash]',
      sourcemap: true,
      logLevel: 'warning',
    });
  } catch {
    throw new Refusal('Bundling the server failed; see above.');
  } finally {
    // Its service would live on, with 60 MB, for as long as this process.
    await esbuild.stop();
  }
}
