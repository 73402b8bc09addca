import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runInstalled } from './command-line.js';
import { inProject } from './project.js';
import { Refusal } from './refusal.js';

/** The folder in which the package is built. */
export const sessionsFolder = inProject('dist', 'sessions');

/** The package's entry points, each with its file in app/sessions. */
const ENTRIES = {
  '.': 'index',
  './classes': 'session-classes',
  './cache': 'session-cache',
  './device': 'device',
  './stores/memory': 'stores/memory',
  './stores/prisma': 'stores/prisma',
  './stores/redis': 'stores/redis',
  './stores/callbacks': 'stores/callbacks',
  './feeds/postgres': 'feeds/postgres',
  './feeds/redis': 'feeds/redis',
  './leases/postgres': 'leases/leased-postgres',
  './leases/redis': 'leases/leased-redis',
  './express': 'express/index',
};
/** Only what the package itself needs; the application's other limits come from SQLite. */
const ENGINES = { node: '>=20.19.0' };
/** Packages that only some entry points import. */
const OPTIONAL_PEERS = {
  '@types/express': '*',
  '@types/express-session': '^1.17.0',
  bowser: '^2.11.0',
  'express-session': '^1.17.0',
  'lru-cache': '^11.0.0',
};

/**
 * Compiles app/sessions to ESM with types and source maps, and adds a package.json.
 *
 * @throws {Refusal} if it does not compile.
 */
export async function buildSessions() {
  rmSync(sessionsFolder, { recursive: true, force: true });
  const code = await runInstalled('typescript/bin/tsc', [
    '--project',
    'scripts/set-up/sessions-package.tsconfig.json',
    '--outDir',
    sessionsFolder,
  ]);
  if (code !== 0) throw new Refusal('Compiling app/sessions failed; see above.');
  rewriteTypeImports(sessionsFolder);
  writeFileSync(
    path.join(sessionsFolder, 'package.json'),
    `${JSON.stringify(packageJson(), null, 2)}\n`,
  );
  copyFileSync(inProject('app', 'sessions', 'README.md'), path.join(sessionsFolder, 'README.md'));
  copyFileSync(inProject('LICENSE'), path.join(sessionsFolder, 'LICENSE'));
}

/**
 * Rewrites "./token.ts" to "./token.js" in declaration files. TypeScript does it in programs only.
 *
 * @param {string} folder
 */
function rewriteTypeImports(folder) {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.d.ts')) continue;
    const file = path.join(folder, name);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/(['"])(\.\.?\/[^'"]+)\.ts\1/g, '$1$2.js$1'));
  }
}

function packageJson() {
  const { version, license } = /** @type {Record<string, unknown>} */ (
    JSON.parse(readFileSync(inProject('package.json'), 'utf8'))
  );
  const exported = Object.entries(ENTRIES).map(([name, file]) => [
    name,
    { types: `./${file}.d.ts`, default: `./${file}.js` },
  ]);
  return {
    name: 'latchkey-sessions',
    version,
    license,
    type: 'module',
    engines: ENGINES,
    description: 'Managed user sessions: rules, tokens and stores.',
    sideEffects: false,
    exports: { ...Object.fromEntries(exported), './package.json': './package.json' },
    peerDependencies: OPTIONAL_PEERS,
    peerDependenciesMeta: Object.fromEntries(
      Object.keys(OPTIONAL_PEERS).map((name) => [name, { optional: true }]),
    ),
  };
}
