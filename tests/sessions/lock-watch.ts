import { performance } from 'node:perf_hooks';
import Database from 'better-sqlite3';

// Run by itself on a SQLite file: looks ten times a millisecond whether it could write, until its
// input ends, and then says for how long at a time it could not, in milliseconds.
const [, , file = ''] = process.argv;
const database = new Database(file, { timeout: 0 });
const begin = database.prepare('BEGIN IMMEDIATE');
const rollback = database.prepare('ROLLBACK');
const heldMs: number[] = [];
let looks = 0;
let heldSinceMs: number | null = null;
let isOver = false;

process.stdin.on('end', () => (isOver = true)).resume();
process.stdout.write('watching\n');
look();

function look() {
  for (let stopAtMs = performance.now() + 20; performance.now() < stopAtMs;) {
    looks += 1;
    const isFree = canWrite();
    if (!isFree) heldSinceMs ??= performance.now();
    else if (heldSinceMs !== null) {
      heldMs.push(performance.now() - heldSinceMs);
      heldSinceMs = null;
    }
    for (const waitUntilMs = performance.now() + 0.1; performance.now() < waitUntilMs;);
  }
  if (!isOver) setImmediate(look);
  else process.stdout.write(`${JSON.stringify({ looks, heldMs })}\n`);
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
