// A server of its own, which dies by SIGKILL at a statement of its choice: argv has the environment as
// JSON and the number of the statement after the first one of an erasure; 0: it lives.
import { setInterval } from 'node:timers';

const built = new URL('../../dist/server.js', import.meta.url).href;
const { startServer } = /** @type {typeof import('../../server.ts')} */ (await import(built));

const [env = '{}', dieAt = '0'] = process.argv.slice(2);
// The first statement that only an erasure has.
const BEGINNING = /DELETE FROM .*"?Spent/;
const AFTER_IT = /SELECT.*ErasureReceipt/;
let count = -1;
const running = await startServer({
  env: /** @type {Record<string, string>} */ (JSON.parse(env)),
  now: () => new Date('2026-11-21T12:00:00.000Z'),
  logTo: { write: () => undefined },
  onQuery: (sql) => {
    if (count === -1 && BEGINNING.test(sql.replaceAll('`', '"'))) count = 0;
    if (count === -1) return;
    count += 1;
    if (count === Number(dieAt)) process.kill(process.pid, 'SIGKILL');
    if (dieAt === '0')
      process.stdout.write(`statement ${count} ${AFTER_IT.test(sql) ? 'receipt' : ''}\n`);
  },
});
process.stdout.write(`serving on ${running.port}\n`);
setInterval(() => undefined, 1000);
