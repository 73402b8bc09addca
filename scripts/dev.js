// npm run dev: runs the server in development mode. Vite reloads pages when they change; tsx restarts the
// server when a file that the server itself imports changes.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Imported only after the check: an unsupported Node may fail to load these modules.
const { enterProject } = await import('./set-up/project.js');
const { ensureInstalled } = await import('./set-up/installation.js');
const { ensureGenerated } = await import('./set-up/prisma-clients.js');
const { runInstalled } = await import('./set-up/command-line.js');
const { stopWithNpm } = await import('./set-up/npm-process.js');
const { readSettingsFile } = await import('./set-up/settings-file.js');
const { runScript } = await import('./set-up/refusal.js');

/** Reloaded by Vite, even those that the server imports too. */
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
