// The program that npm run dev starts and restarts with tsx.
import { runScript } from './set-up/refusal.js';

await runScript(async () => {
  const { main } = await import('../server.ts');
  await main({ isWelcoming: true });
});
