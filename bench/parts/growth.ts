import { statSync } from 'node:fs';
import { createDatabaseOn, startPostgres } from '../../tests/fixtures/postgres.ts';
import { GrownDatabase, SESSIONS_PER_USER, type OpenSessions } from '../grown-database.ts';
import { pagesRead } from '../pages-read.ts';
import type { Bench, Goal, Part } from '../part.ts';
import { medianOf, percentileOf } from '../rounds.ts';
import {
  noDurations,
  operationNames,
  RandomOperations,
  type Durations,
} from '../session-operations.ts';
import { readThrough } from '../read-through.ts';
import { markdown } from '../table.ts';

const SMALL = { quick: 1000, whole: 10_000 };
const LARGE = { quick: [2000], whole: [1_000_000, 10_000_000] };
/** Operations of each kind in a block, and the number of blocks, without and with measurement. */
const BLOCKS = {
  quick: { operations: 5, warmUp: 1, measured: 2 },
  whole: { operations: 25, warmUp: 3, measured: 15 },
};
const MAX_RATIO = 1.3;

const providers = { sqlite: 'SQLite', postgresql: 'PostgreSQL' } as const;
type Provider = keyof typeof providers;

/** The comparison of a large database with the small one. */
interface Compared {
  sessions: number;
  small: Durations;
  large: Durations;
  /** The size of the large database on disk. */
  bytes: number;
  /** The pages that the statements of each operation touch; null for SQLite, which does not count them. */
  pages: [small: Record<string, number>, large: Record<string, number>] | null;
}

interface Growth {
  provider: Provider;
  /** The sizes of the database's caches, in words. */
  caches: string;
  compared: Compared[];
}

/** Measures the operations of sessions in a small and in a large database. */
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
  // With PostgreSQL's default settings, unlike the server of the other parts.
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
      // A new small database each time, because the operations change it.
      const small = new GrownDatabase(await newUrl());
      await growTo(small, SMALL[bench.mode], provider, bench);
      await growTo(growing, sessions, provider, bench);
      const open = { small: await small.open(), large: await growing.open() };
      try {
        const of = await compare({ small, large: growing }, open, provider, bench);
        compared.push(of);
        const ratios = operationNames.map((name) => `${name} ${ratioOf(name, of).toFixed(2)}`);
        bench.logProgress(
          `${providers[provider]}, ${sessions.toLocaleString('en')}: ${ratios.join(', ')}`,
        );
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
  { logProgress }: Bench,
): Promise<void> {
  const goal = sessions.toLocaleString('en');
  const startedAt = performance.now();
  await database.growTo(sessions, (done) =>
    logProgress(
      `${providers[provider]}: added ${done.toLocaleString('en')} sessions; target: ${goal}`,
    ),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  logProgress(`${providers[provider]}: ${goal} sessions in ${seconds.toFixed(0)} s`);
}

async function compare(
  { small, large }: { small: GrownDatabase; large: GrownDatabase },
  open: { small: OpenSessions; large: OpenSessions },
  provider: Provider,
  { mode, logProgress }: Bench,
): Promise<Compared> {
  const { operations, warmUp, measured } = BLOCKS[mode];
  const onSmall = new RandomOperations(small, open.small);
  const onLarge = new RandomOperations(large, open.large);
  const durations = { small: noDurations(), large: noDurations() };
  const sessions = large.users * SESSIONS_PER_USER;
  const count = sessions.toLocaleString('en');
  await readThrough(large.databaseUrl, open.large);
  for (let block = 0; block < warmUp + measured; block += 1) {
    // Alternate, so that other work on the machine affects both alike.
    const target = block < warmUp ? { small: noDurations(), large: noDurations() } : durations;
    await onSmall.run(operations, target.small);
    await onLarge.run(operations, target.large);
    logProgress(`${providers[provider]}, ${count}: block ${block + 1} of ${warmUp + measured}`);
  }
  const pages =
    provider === 'postgresql'
      ? ([await pagesRead(small, open.small), await pagesRead(large, open.large)] as const)
      : null;
  const bytes = await bytesOf(large, open.large);
  const { small: smallMs, large: largeMs } = durations;
  return { sessions, small: smallMs, large: largeMs, bytes, pages: pages && [...pages] };
}

async function bytesOf({ databaseUrl }: GrownDatabase, { query }: OpenSessions): Promise<number> {
  if (databaseUrl.startsWith('file:')) return statSync(databaseUrl.slice('file:'.length)).size;
  const sql = 'SELECT pg_database_size(current_database())::text AS bytes';
  return Number((await query<{ bytes: string }>(sql))[0]!.bytes);
}

async function cachesOf(provider: Provider, { query }: OpenSessions): Promise<string> {
  const first = async (sql: string) =>
    Object.values((await query<Record<string, unknown>>(sql))[0]!);
  if (provider === 'postgresql') {
    const [buffers] = await first('SHOW shared_buffers');
    return `shared_buffers ${String(buffers)}, the default`;
  }
  const [size] = await first('PRAGMA cache_size');
  // SQLite returns no row if mmap is disabled at compile time.
  const [mapped = 0] = Object.values(
    (await query<Record<string, unknown>>('PRAGMA mmap_size'))[0] ?? {},
  );
  return `cache_size ${(-Number(size) / 1000).toFixed(0)} MB, mmap_size ${Number(mapped) / 1e6} MB`;
}

const ms = (value: number) => value.toFixed(2);
const ratioOf = (name: keyof Durations, { small, large }: Compared) =>
  medianOf(large[name]) / medianOf(small[name]);

function textOf(grown: readonly Growth[], { mode }: Bench): string {
  const { operations, measured } = BLOCKS[mode];
  const small = SMALL[mode].toLocaleString('en');
  return `The duration of session operations in a database of ${small} sessions and in large ones: ${operations * measured} of each operation, for random
users, through Prisma, with the application's tables, indexes and settings, and without its session cache. They alternate between
the small and the large database, so that other work on the machine affects both alike. Each user has ${SESSIONS_PER_USER} sessions, three live and
two ended, which lie far apart in the table. Ratios are of the medians; every result was checked. "List page" is the query of the sessions
page, with ended sessions; "sign-in" inserts a row and enforces the limit of sessions per user. Each file was read once before, so that the
operating system has all of it in memory, although the database's own caches cannot hold the large ones. Reads from disk would add the
time of the disk.

${grown.map(tableOf).join('\n\n')}`;
}

function tableOf({ provider, caches, compared }: Growth): string {
  const columns = [
    'operation',
    'sessions',
    'p50 ms',
    'p50 ms, small',
    'ratio',
    'p99 ms, and small',
  ];
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
    ? `\n\nPages that the statements touch (EXPLAIN ANALYZE) in the small and the large database: ${Object.keys(
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
      goal: `${providers[provider]}, ${name}: among ${largest.sessions.toLocaleString('en')} at most ${MAX_RATIO} × of among ${SMALL.whole.toLocaleString('en')}`,
      measured: ratio.toFixed(2),
      isMet: ratio <= MAX_RATIO,
    };
  });
}
