// What tsx runs, and runs again, for npm run dev.
import { runScript } from './set-up/refusal.js';

await runScript(async () => {
  const { main } = await import('../server.ts');
  await main({ isWelcoming: true });
});
