// npm run bench: compares Latchkey with its alternatives in one run. Arguments select parts or contenders by
// name; --quick only checks that every contender gives the right responses.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../tests/fixtures/postgres.ts';
import { startRedis } from '../tests/fixtures/redis.ts';
import { contenders } from './contenders/all.ts';
import type { Bench } from './part.ts';
import { parts } from './parts/all.ts';
import { goalsOf, saveSection } from './results.ts';

const args = process.argv.slice(2);
const mode = args.includes('--quick') ? 'quick' : 'whole';
const names = args.filter((arg) => !arg.startsWith('--'));
const known = [...Object.keys(parts), ...Object.keys(contenders)];
for (const name of names) {
  if (known.includes(name)) continue;
  console.error(`Unknown name "${name}"; known names: ${known.join(', ')}.`);
  process.exit(1);
}
const chosen = names.filter((name) => contenders[name]);
const chosenParts = names.filter((name) => parts[name]);
// If only contenders are named, run the part "requests".
const selected = chosenParts.length > 0 ? chosenParts : chosen.length > 0 ? ['requests'] : null;

const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
const closers: (() => Promise<unknown>)[] = [];

/** Returns a function that starts a server on the first call, and returns its URL. */
function lazily<Server extends { url: string; close(): Promise<unknown> }>(
  start: () => Promise<Server>,
): () => Promise<string> {
  let starting: Promise<Server> | undefined;
  return async () => {
    if (!starting) {
      starting = start();
      closers.push(async () => (await starting!).close());
    }
    return (await starting).url;
  };
}

const servers = { postgresUrl: lazily(startPostgres), redisUrl: lazily(startRedis) };
try {
  for (const [name, load] of Object.entries(parts)) {
    if (selected && !selected.includes(name)) continue;
    const logProgress = (text: string) => void process.stderr.write(`${name}: ${text}\n`);
    const own = mkdtempSync(join(folder, `${name}-`));
    const bench: Bench = { mode, chosen, folder: own, ...servers, logProgress };
    const section = await (await load())(bench);
    console.log(`## ${section.title}\n\n${section.text}\n`);
    if (mode === 'quick') continue;
    if (section.goals.length > 0) console.log(`${goalsOf(section)}\n`);
    // With only some contenders the table would be incomplete.
    if (chosen.length === 0) saveSection(name, section);
  }
} finally {
  for (const close of closers) await close();
  rmSync(folder, { recursive: true, force: true });
}
