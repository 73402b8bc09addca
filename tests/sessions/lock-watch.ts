import { performance } from 'node:perf_hooks';
import Database from 'better-sqlite3';

// A program that tries to lock a SQLite file ten times per millisecond, until its input ends. Then it
// prints for how long at a time it could not, in milliseconds.
const [, , file = ''] = process.argv;
const database = new Database(file, { timeout: 0 });
const begin = database.prepare('BEGIN IMMEDIATE');
const rollback = database.prepare('ROLLBACK');
const heldMs: number[] = [];
let checks = 0;
let heldSinceMs: number | null = null;
let isDone = false;

process.stdin.on('end', () => (isDone = true)).resume();
process.stdout.write('watching\n');
check();

function check() {
  for (let stopAtMs = performance.now() + 20; performance.now() < stopAtMs;) {
    checks += 1;
    const isFree = canWrite();
    if (!isFree) heldSinceMs ??= performance.now();
    else if (heldSinceMs !== null) {
      heldMs.push(performance.now() - heldSinceMs);
      heldSinceMs = null;
    }
    for (const waitUntilMs = performance.now() + 0.1; performance.now() < waitUntilMs;);
  }
  if (!isDone) setImmediate(check);
  else process.stdout.write(`${JSON.stringify({ checks, heldMs })}\n`);
}

function canWrite(): boolean {
  try {
    begin.run();
    rollback.run();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return false;
    throw error;
  }
}
