// npm run dev: the server in development mode. Vite reloads pages as they change; tsx restarts the
// server when a file changes that the server itself imports.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Only now: what the rest imports, an old Node may not have.
const { enterProject } = await import('./set-up/project.js');
const { ensureInstalled } = await import('./set-up/installation.js');
const { ensureGenerated } = await import('./set-up/prisma-clients.js');
const { runInstalled } = await import('./set-up/command-line.js');
const { stopWithNpm } = await import('./set-up/npm-process.js');
const { readSettingsFile } = await import('./set-up/settings-file.js');
const { runScript } = await import('./set-up/refusal.js');

/** Vite's to reload, even when the server imports one of them too. */
const HOT_RELOADED = [
  'app/ui/**',
  'app/live/**',
  'app/routes/**',
  'app/root.tsx',
  'app/entry.*.tsx',
  'app/{account,credentials,devices,privacy,tokens}/**/*.tsx',
];
/** Vite restarts itself when these change. */
const RESTARTED_BY_VITE = ['vite.config.ts', 'vite/**', 'remix.config.js'];

await runScript(async () => {
  enterProject();
  stopWithNpm();
  await ensureInstalled('development');
  await ensureGenerated();
  readSettingsFile();
  const exclude = [...HOT_RELOADED, ...RESTARTED_BY_VITE].flatMap((glob) => ['--exclude', glob]);
  process.exitCode = await runInstalled(
    'tsx/dist/cli.mjs',
    ['watch', '--clear-screen=false', ...exclude, 'scripts/development-server.js'],
    { env: { NODE_ENV: 'development' } },
  );
});
