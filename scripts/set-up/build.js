import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runInstalled } from './command-line.js';
import { compressFiles } from './compressed-files.js';
import { fingerprintOf, readMark, writeMark } from './fingerprint.js';
import { ensureGenerated } from './prisma-clients.js';
import { inProject, projectFolder } from './project.js';
import { Refusal } from './refusal.js';

/** The programs that esbuild bundles, by their names in dist/. */
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

/** Everything that build/ and dist/ are made from. */
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

/** Builds the application unless build/ and dist/ are up to date. */
export async function ensureBuilt() {
  if (!isBuilt()) await build();
}

/** True if no source changed since the last successful build. Takes a few milliseconds. */
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
  // Last, so that an interrupted build does not count.
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
      // vite.config.ts leaves out the Remix plugin if VITEST is set, which it is when a test run builds.
      env: { NODE_ENV: 'production', VITEST: undefined },
    },
  );
  if (code !== 0) throw new Refusal('Building the pages failed; see above.');
}

/**
 * Returns a plugin that bundles packages in spite of `packages: 'external'`. Loading the hundred small
 * modules of zod takes a quarter of a second and 15 MiB.
 *
 * @param {RegExp} filter matches the import specifiers to bundle
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
  // A dynamic import: starting an application that is built must not wait for a compiler to load.
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
      // Puts each Prisma client into its own file, so that only the one in use is loaded.
      splitting: true,
      // In the same folder as the programs, so that `new URL('./password-worker.js', import.meta.url)` also
      // works in a chunk.
      chunkNames: '[name]-[hash]',
      sourcemap: true,
      logLevel: 'warning',
    });
  } catch {
    throw new Refusal('Bundling the server failed; see above.');
  } finally {
    // Otherwise its service process keeps running, with 60 MB, for as long as this process.
    await esbuild.stop();
  }
}
