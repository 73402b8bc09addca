// npm run test:nightly: the tests of the session engine once more, with many more random sequences
// and a larger table than there is time for at every change.
import { requireSupportedNode } from './set-up/node-version.js';

requireSupportedNode();
// Only now: what the rest imports, an old Node may not have.
const { enterProject } = await import('./set-up/project.js');
const { ensureInstalled } = await import('./set-up/installation.js');
const { ensureGenerated } = await import('./set-up/prisma-clients.js');
const { runInstalled } = await import('./set-up/command-line.js');
const { runScript } = await import('./set-up/refusal.js');
const { ensureRealParts } = await import('./validation/real-parts.js');

const MANY = { LATCHKEY_MODEL_RUNS: '1000', LATCHKEY_EXHAUSTION_ROWS: '1000000' };

await runScript(async () => {
  enterProject();
  await ensureInstalled('the tests');
  await ensureRealParts();
  await ensureGenerated();
  process.exitCode = await runInstalled(
    'vitest/vitest.mjs',
    ['run', '--project', 'rooms', 'tests/sessions', ...process.argv.slice(2)],
    { env: { ...MANY, ...process.env } },
  );
});
