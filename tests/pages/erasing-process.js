// Starts a server in its own process that kills itself with SIGKILL at a given SQL statement of an
// erasure. Arguments: the environment as JSON, and the number of the statement, counted from the
// first one of the erasure. 0 means that it is not killed, and prints every statement.
import { setInterval } from 'node:timers';

const built = new URL('../../dist/server.js', import.meta.url).href;
const { startServer } = /** @type {typeof import('../../server.ts')} */ (await import(built));

const [env = '{}', killAt = '0'] = process.argv.slice(2);
// The first statement that only an erasure runs.
const FIRST_STATEMENT = /DELETE FROM .*"?Spent/;
const RECEIPT_STATEMENT = /SELECT.*ErasureReceipt/;
let count = -1;
const running = await startServer({
  env: /** @type {Record<string, string>} */ (JSON.parse(env)),
  now: () => new Date('2026-11-21T12:00:00.000Z'),
  logTo: { write: () => undefined },
  onQuery: (sql) => {
    if (count === -1 && FIRST_STATEMENT.test(sql.replaceAll('`', '"'))) count = 0;
    if (count === -1) return;
    count += 1;
    if (count === Number(killAt)) process.kill(process.pid, 'SIGKILL');
    if (killAt === '0')
      process.stdout.write(`statement ${count} ${RECEIPT_STATEMENT.test(sql) ? 'receipt' : ''}\n`);
  },
});
process.stdout.write(`serving on ${running.port}\n`);
setInterval(() => undefined, 1000);
