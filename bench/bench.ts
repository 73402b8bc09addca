// npm run bench: Latchkey beside what people would pick instead, in one run. Names of parts choose some
// of them, names of contenders some of those; --quick only looks whether each answers what it must.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../tests/fixtures/postgres.ts';
import { startRedis } from '../tests/fixtures/redis.ts';
import { contenders } from './contenders/all.ts';
import type { Bench } from './part.ts';
import { parts } from './parts/all.ts';
import { goalsOf, keep } from './results.ts';

const args = process.argv.slice(2);
const mode = args.includes('--quick') ? 'quick' : 'whole';
const names = args.filter((arg) => !arg.startsWith('--'));
const known = [...Object.keys(parts), ...Object.keys(contenders)];
for (const name of names) {
  if (known.includes(name)) continue;
  console.error(`There is no "${name}"; there are: ${known.join(', ')}.`);
  process.exit(1);
}
const chosen = names.filter((name) => contenders[name]);
const chosenParts = names.filter((name) => parts[name]);
// Contenders alone are a question about requests.
const asked = chosenParts.length > 0 ? chosenParts : chosen.length > 0 ? ['requests'] : null;

const folder = mkdtempSync(join(tmpdir(), 'latchkey-bench-'));
const closers: (() => Promise<unknown>)[] = [];

/** Starts it when the first part asks. */
function once<Server extends { url: string; close(): Promise<unknown> }>(
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

const servers = { postgresUrl: once(startPostgres), redisUrl: once(startRedis) };
try {
  for (const [name, load] of Object.entries(parts)) {
    if (asked && !asked.includes(name)) continue;
    const say = (text: string) => void process.stderr.write(`${name}: ${text}\n`);
    const own = mkdtempSync(join(folder, `${name}-`));
    const bench: Bench = { mode, chosen, folder: own, ...servers, say };
    const section = await (await load())(bench);
    console.log(`## ${section.title}\n\n${section.text}\n`);
    if (mode === 'quick') continue;
    if (section.goals.length > 0) console.log(`${goalsOf(section)}\n`);
    // Of some contenders there would be half a table.
    if (chosen.length === 0) keep(name, section);
  }
} finally {
  for (const close of closers) await close();
  rmSync(folder, { recursive: true, force: true });
}
