// Runs the built server in a separate process, configured by its environment. Argument: the file of its log.
// It prints its origin. On the line "hourly" on standard input it runs the hourly clean-up, and prints "done".
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { runCleanup } from '../app/privacy/hourly-cleanup.server.ts';

const [log = ''] = process.argv.slice(2);
const { startServer } = (await import(
  new URL('../dist/server.js', import.meta.url).href
)) as typeof import('../server.ts');
const running = await startServer({ env: process.env, logTo: pino.destination(log) });
process.stdout.write(`${running.origin}\n`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line !== 'hourly') continue;
  await runCleanup(running.application, new Date());
  process.stdout.write('done\n');
}
await running.close();
process.exit(0);
