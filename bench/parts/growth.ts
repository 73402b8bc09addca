import { statSync } from 'node:fs';
import { createDatabaseOn, startPostgres } from '../../tests/fixtures/postgres.ts';
import { GrownDatabase, SESSIONS_EACH, type OpenSessions } from '../grown-database.ts';
import { pagesRead } from '../pages-read.ts';
import type { Bench, Goal, Part } from '../part.ts';
import { medianOf, percentileOf } from '../rounds.ts';
import { noneTook, operationNames, RandomOperations, type Took } from '../session-operations.ts';
import { readThrough } from '../read-through.ts';
import { markdown } from '../table.ts';

const SMALL = { quick: 1000, whole: 10_000 };
const LARGE = { quick: [2000], whole: [1_000_000, 10_000_000] };
/** Of each operation: how many in a row, and how often, without and with a look at the clock. */
const BLOCKS = {
  quick: { operations: 5, warmUp: 1, measured: 2 },
  whole: { operations: 25, warmUp: 3, measured: 15 },
};
const MOST = 1.3;

const providers = { sqlite: 'SQLite', postgresql: 'PostgreSQL' } as const;
type Provider = keyof typeof providers;

/** One size beside the small one. */
interface Compared {
  sessions: number;
  small: Took;
  large: Took;
  /** Of the disk, in bytes. */
  bytes: number;
  /** Pages that the statements of an operation touch, small and large; null: this database does not say. */
  pages: [small: Record<string, number>, large: Record<string, number>] | null;
}

interface Growth {
  provider: Provider;
  /** What it keeps in memory, in words. */
  caches: string;
  compared: Compared[];
}

/** What an operation costs among few sessions, and among many. */
export const growth: Part = async (bench) => {
  const grown = [await onSqlite(bench), await onPostgres(bench)];
  return {
    title: 'Growth',
    text: textOf(grown, bench),
    goals: grown.flatMap(goalsOf),
  };
};

async function onSqlite(bench: Bench): Promise<Growth> {
  let count = 0;
  const newUrl = async () => `file:${bench.folder}/grown-${(count += 1)}.db`;
  return grow('sqlite', newUrl, bench);
}

async function onPostgres(bench: Bench): Promise<Growth> {
  // That of the other parts is made for speed; this one is as it comes.
  const postgres = await startPostgres({ settings: [] });
  try {
    return await grow('postgresql', () => createDatabaseOn(postgres.url), bench);
  } finally {
    await postgres.close();
  }
}

async function grow(
  provider: Provider,
  newUrl: () => Promise<string>,
  bench: Bench,
): Promise<Growth> {
  const growing = new GrownDatabase(await newUrl());
  const compared: Compared[] = [];
  let caches = '';
  try {
    for (const sessions of LARGE[bench.mode]) {
      // A new one each time, whose people nobody has signed out yet.
      const small = new GrownDatabase(await newUrl());
      await growTo(small, SMALL[bench.mode], provider, bench);
      await growTo(growing, sessions, provider, bench);
      const open = { small: await small.open(), large: await growing.open() };
      try {
        const of = await compare({ small, large: growing }, open, provider, bench);
        compared.push(of);
        const ratios = operationNames.map((name) => `${name} ${ratioOf(name, of).toFixed(2)}`);
        bench.say(`${providers[provider]}, ${sessions.toLocaleString('en')}: ${ratios.join(', ')}`);
        caches = await cachesOf(provider, open.large);
      } finally {
        await open.small.close();
        await open.large.close();
        small.remove();
      }
    }
  } finally {
    growing.remove();
  }
  return { provider, caches, compared };
}

async function growTo(
  database: GrownDatabase,
  sessions: number,
  provider: Provider,
  { say }: Bench,
): Promise<void> {
  const goal = sessions.toLocaleString('en');
  const startedAt = performance.now();
  await database.growTo(sessions, (done) =>
    say(
      `${providers[provider]}: ${done.toLocaleString('en')} more sessions, on the way to ${goal}`,
    ),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  say(`${providers[provider]}: ${goal} sessions after ${seconds.toFixed(0)} s`);
}

async function compare(
  { small, large }: { small: GrownDatabase; large: GrownDatabase },
  open: { small: OpenSessions; large: OpenSessions },
  provider: Provider,
  { mode, say }: Bench,
): Promise<Compared> {
  const { operations, warmUp, measured } = BLOCKS[mode];
  const ofSmall = new RandomOperations(small, open.small);
  const ofLarge = new RandomOperations(large, open.large);
  const took = { small: noneTook(), large: noneTook() };
  const sessions = large.users * SESSIONS_EACH;
  const count = sessions.toLocaleString('en');
  await readThrough(large.databaseUrl, open.large);
  for (let block = 0; block < warmUp + measured; block += 1) {
    // In turn, so that what else the machine does is the same for both.
    const into = block < warmUp ? { small: noneTook(), large: noneTook() } : took;
    await ofSmall.run(operations, into.small);
    await ofLarge.run(operations, into.large);
    say(`${providers[provider]}, ${count}: block ${block + 1} of ${warmUp + measured}`);
  }
  const pages =
    provider === 'postgresql'
      ? ([await pagesRead(small, open.small), await pagesRead(large, open.large)] as const)
      : null;
  const bytes = await bytesOf(large, open.large);
  return { sessions, ...took, bytes, pages: pages && [...pages] };
}

async function bytesOf({ databaseUrl }: GrownDatabase, { ask }: OpenSessions): Promise<number> {
  if (databaseUrl.startsWith('file:')) return statSync(databaseUrl.slice('file:'.length)).size;
  const sql = 'SELECT pg_database_size(current_database())::text AS bytes';
  return Number((await ask<{ bytes: string }>(sql))[0]!.bytes);
}

async function cachesOf(provider: Provider, { ask }: OpenSessions): Promise<string> {
  const first = async (sql: string) => Object.values((await ask<Record<string, unknown>>(sql))[0]!);
  if (provider === 'postgresql') {
    const [buffers] = await first('SHOW shared_buffers');
    return `shared_buffers ${String(buffers)}, which is what it comes with`;
  }
  const [size] = await first('PRAGMA cache_size');
  // Nothing at all where it is off for good.
  const [mapped = 0] = Object.values(
    (await ask<Record<string, unknown>>('PRAGMA mmap_size'))[0] ?? {},
  );
  return `cache_size ${(-Number(size) / 1000).toFixed(0)} MB, mmap_size ${Number(mapped) / 1e6} MB`;
}

const ms = (value: number) => value.toFixed(2);
const ratioOf = (name: keyof Took, { small, large }: Compared) =>
  medianOf(large[name]) / medianOf(small[name]);

function textOf(grown: readonly Growth[], { mode }: Bench): string {
  const { operations, measured } = BLOCKS[mode];
  const small = SMALL[mode].toLocaleString('en');
  return `What an operation of the sessions costs among ${small} sessions and among many: ${operations * measured} of each, for people picked
at random, through Prisma on the tables, indexes and settings of the application and without its memory, in turn on a database of ${small}
and on the large one, so that what else the machine does is the same for both. Each person has ${SESSIONS_EACH} sessions, three live and two
ended, that lie far apart in the table. Ratios are those of the medians; every answer was checked. "List page" is what the sessions page
asks, with what has ended; "sign-in" is the new row and the look whether room must be made. Each file was read
through before, so that the system has all of it in memory, which the caches of the database itself have not; what is on the disk alone costs
what the disk costs.

${grown.map(tableOf).join('\n\n')}`;
}

function tableOf({ provider, caches, compared }: Growth): string {
  const columns = ['operation', 'sessions', 'p50 ms', 'beside the small one', 'ratio', 'p99 ms'];
  const rows = operationNames.flatMap((name) =>
    compared.map((of) => [
      name,
      of.sessions.toLocaleString('en'),
      ms(medianOf(of.large[name])),
      ms(medianOf(of.small[name])),
      ratioOf(name, of).toFixed(2),
      `${ms(percentileOf(of.large[name], 0.99))}, ${ms(percentileOf(of.small[name], 0.99))}`,
    ]),
  );
  const sizes = compared
    .map(
      ({ sessions, bytes }) => `${(bytes / 1e9).toFixed(2)} GB at ${sessions.toLocaleString('en')}`,
    )
    .join(', ');
  const last = compared.at(-1)!;
  const pages = last.pages
    ? `\n\nPages that its statements touch (EXPLAIN ANALYZE), small and large: ${Object.keys(
        last.pages[0],
      )
        .map((name) => `${name} ${last.pages![0][name]} and ${last.pages![1][name]}`)
        .join(', ')}.`
    : '';
  return `${providers[provider]}: ${sizes}; ${caches}.\n\n${markdown(columns, rows)}${pages}`;
}

function goalsOf({ provider, compared }: Growth): Goal[] {
  const largest = compared.at(-1)!;
  return operationNames.map((name) => {
    const ratio = ratioOf(name, largest);
    return {
      goal: `${providers[provider]}, ${name}: among ${largest.sessions.toLocaleString('en')} at most ${MOST} × of among ${SMALL.whole.toLocaleString('en')}`,
      measured: ratio.toFixed(2),
      isMet: ratio <= MOST,
    };
  });
}
