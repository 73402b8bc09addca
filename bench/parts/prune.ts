import { strictEqual } from 'node:assert';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openDatabase } from '../../app/database/database.server.ts';
import { DAY_MS } from '../../app/sessions/session.ts';
import { createDatabaseOn, startPostgres } from '../../tests/fixtures/postgres.ts';
import { startBuiltServer, type BuiltServer } from '../built-server.ts';
import { openFiller } from '../filling.ts';
import type { Bench, Goal, Part } from '../part.ts';
import {
  addUsers,
  addSessions,
  emailOf,
  sessionIdOf,
  spread,
  tokenOf,
  type Times,
} from '../users-and-sessions.ts';
import { measureSteadily, type Latency, type Steady } from '../steady-requests.ts';
import { markdown } from '../table.ts';

const EXPIRED = { quick: 1000, whole: 1_000_000 };
const KEPT = EXPIRED;
const WARM_UP_MS = { quick: 200, whole: 5000 };
const IDLE_MS = { quick: 1000, whole: 20_000 };
const SESSIONS_PER_USER = 5;
const MAX_RATIO = 3;

const providers = { sqlite: 'SQLite', postgresql: 'PostgreSQL' } as const;
type Provider = keyof typeof providers;

const ways = {
  'hourly job': (server) => server.runHourly(),
  command: (server) => server.runPruneCommand(),
} satisfies Record<string, (server: BuiltServer) => Promise<void>>;
type Way = keyof typeof ways;

const routes = {
  '/api/session': { perSecond: 200, what: 'from memory' },
  '/api/sessions': { perSecond: 50, what: 'reads rows' },
} as const;

interface Pruned {
  provider: Provider;
  way: Way;
  tookMs: number;
  /** For each route, in order. */
  idle: Latency[];
  during: Latency[];
}

/** Measures requests while expired sessions are deleted. */
export const prune: Part = async (bench) => {
  const pruned = [...(await onSqlite(bench)), ...(await onPostgres(bench))];
  return { title: 'Prune', text: textOf(pruned, bench), goals: pruned.flatMap(goalsOf) };
};

async function onSqlite(bench: Bench): Promise<Pruned[]> {
  return pruneEachWay('sqlite', `file:${bench.folder}/pruned.db`, bench);
}

async function onPostgres(bench: Bench): Promise<Pruned[]> {
  // With PostgreSQL's default settings, unlike the server of the other parts.
  const postgres = await startPostgres({ settings: [] });
  try {
    return await pruneEachWay('postgresql', await createDatabaseOn(postgres.url), bench);
  } finally {
    await postgres.close();
  }
}

async function pruneEachWay(
  provider: Provider,
  databaseUrl: string,
  bench: Bench,
): Promise<Pruned[]> {
  const { mode } = bench;
  const pruned: Pruned[] = [];
  const quiet = { info: () => undefined, warn: () => undefined };
  await (await openDatabase({ databaseUrl, log: quiet })).close();
  for (const [turn, way] of (Object.keys(ways) as Way[]).entries()) {
    const logProgress = (text: string) =>
      bench.logProgress(`${providers[provider]}, ${way}: ${text}`);
    logProgress('filling the tables');
    await fill(databaseUrl, { isFirst: turn === 0, turn }, mode);
    const server = await startBuiltServer(databaseUrl, mkdtempSync(join(bench.folder, 'of-')));
    try {
      pruned.push({
        provider,
        way,
        ...(await pruneUnderRequests(server, way, { mode, logProgress })),
      });
    } finally {
      await server.stop();
    }
    const filler = await openFiller(databaseUrl);
    strictEqual(await filler.count('Session'), KEPT[mode], 'wrong number of sessions left');
    await filler.close();
  }
  return pruned;
}

/** Inserts the sessions to delete and, the first time, those to keep, in the order of their age. */
async function fill(
  databaseUrl: string,
  { isFirst, turn }: { isFirst: boolean; turn: number },
  mode: Bench['mode'],
): Promise<void> {
  const [kept, expired] = [KEPT[mode], EXPIRED[mode]];
  const nowMs = Date.now();
  const users = kept / SESSIONS_PER_USER;
  const user = `n % ${users}`;
  const filler = await openFiller(databaseUrl);
  try {
    if (isFirst) await addUsers(filler, { from: 0, to: users }, nowMs);
    // The kept sessions have the numbers from 0, so that requests can use the first one.
    const from = kept + turn * expired;
    const toDelete = { from, to: from + expired };
    await addSessions(filler, toDelete, { user, times: expiredTimes(toDelete, nowMs) });
    if (isFirst) {
      const toKeep = { from: 0, to: kept };
      await addSessions(filler, toKeep, { user, times: keptTimes(toKeep, nowMs) });
    }
  } finally {
    await filler.close();
  }
}

/** Started 120 to 64 days ago. Half expired and half were signed out, all of them more than 30 days ago. */
function expiredTimes({ from, to }: { from: number; to: number }, nowMs: number): Times {
  const createdAt = `${nowMs - 120 * DAY_MS} + (n - ${from}) * ${56 * DAY_MS} / ${to - from}`;
  const lastSeenAt = `${createdAt} + ${spread(16 * DAY_MS)}`;
  return {
    createdAt,
    lastSeenAt,
    expiresAt: `${lastSeenAt} + ${14 * DAY_MS}`,
    revokedAt: `CASE WHEN n % 2 = 0 THEN ${lastSeenAt} END`,
  };
}

/** Started within the last 13 days. Every fifth was signed out; the first is live. */
function keptTimes({ to }: { to: number }, nowMs: number): Times {
  const createdAt = `${nowMs - 13 * DAY_MS} + n * ${12 * DAY_MS} / ${to}`;
  const lastSeenAt = `${createdAt} + ${spread(DAY_MS)}`;
  return {
    createdAt,
    lastSeenAt,
    expiresAt: `${lastSeenAt} + ${14 * DAY_MS}`,
    revokedAt: `CASE WHEN n % 5 = 4 THEN ${lastSeenAt} END`,
  };
}

async function pruneUnderRequests(
  server: BuiltServer,
  way: Way,
  { mode, logProgress }: Pick<Bench, 'mode' | 'logProgress'>,
): Promise<Pick<Pruned, 'tookMs' | 'idle' | 'during'>> {
  const requests = Object.entries(routes).map(([path, { perSecond }]): Steady => ({
    url: `${server.origin}${path}`,
    headers: { cookie: `session=${tokenOf(0)}` },
    perSecond,
    isRight: (body) => isRight(path as keyof typeof routes, body),
  }));
  logProgress('requests without pruning');
  await measureSteadily(requests, pause(WARM_UP_MS[mode]));
  const idle = await measureSteadily(requests, pause(IDLE_MS[mode]));
  logProgress('requests during pruning');
  const startedAt = performance.now();
  const pruning = ways[way](server).then(() => performance.now() - startedAt);
  const [during, tookMs] = await Promise.all([measureSteadily(requests, pruning), pruning]);
  const p99s = (latencies: Latency[]) => latencies.map(({ p99Ms }) => ms(p99Ms)).join(' and ');
  logProgress(
    `pruned in ${(tookMs / 1000).toFixed(1)} s; p99 ${p99s(during)} ms, idle ${p99s(idle)} ms`,
  );
  return { tookMs, idle, during };
}

/** True if the response is right: the requests use the first user's first session. */
function isRight(path: keyof typeof routes, body: string): boolean {
  return path === '/api/session'
    ? body.includes(emailOf(0)) && body.includes(sessionIdOf(0))
    : body.split('"id":').length - 1 === SESSIONS_PER_USER && body.includes(sessionIdOf(0));
}

const ms = (value: number) => value.toFixed(2);

function textOf(pruned: readonly Pruned[], { mode }: Bench): string {
  const [kept, expired] = [KEPT[mode], EXPIRED[mode]].map((count) => count.toLocaleString('en'));
  const requests = Object.entries(routes).map(
    ([path, { perSecond, what }]) => `\`GET ${path}\` (${what}) ${perSecond} times a second`,
  );
  return `${expired} sessions that ended more than 30 days ago are deleted and ${kept} are kept, while the built server handles
${requests.join(' and ')}. Each request is sent at its scheduled time, whether earlier ones are done or not, and its
latency is measured from that time. "Hourly job" is the job of the server, in its own process; "command" is \`npm run sessions:prune\` in
another process. "Idle" is the same load for ${IDLE_MS[mode] / 1000} s before, without pruning. PostgreSQL has its default settings and runs on the same
machine. Every response was checked, and that exactly the expired sessions were deleted.

${markdown(
  ['database', 'prune by', 'took s', 'rows/s', 'route', 'p50 ms idle', 'during'].concat([
    'p99 ms idle',
    'during',
    'ratio',
    'max ms idle',
    'during',
  ]),
  pruned.flatMap(({ provider, way, tookMs, idle, during }) =>
    Object.keys(routes).map((path, route) => [
      providers[provider],
      way,
      (tookMs / 1000).toFixed(1),
      Math.round(EXPIRED[mode] / (tookMs / 1000)).toLocaleString('en'),
      path,
      ms(idle[route]!.p50Ms),
      ms(during[route]!.p50Ms),
      ms(idle[route]!.p99Ms),
      ms(during[route]!.p99Ms),
      (during[route]!.p99Ms / idle[route]!.p99Ms).toFixed(2),
      ms(idle[route]!.maxMs),
      ms(during[route]!.maxMs),
    ]),
  ),
)}`;
}

function goalsOf({ provider, way, idle, during }: Pruned): Goal[] {
  return Object.keys(routes).map((path, route) => {
    const ratio = during[route]!.p99Ms / idle[route]!.p99Ms;
    return {
      goal: `${providers[provider]}, prune by ${way}: p99 of ${path} at most ${MAX_RATIO} × idle`,
      measured: `${ratio.toFixed(2)} (${ms(during[route]!.p99Ms)} ms, ${ms(idle[route]!.p99Ms)} ms)`,
      isMet: ratio <= MAX_RATIO,
    };
  });
}
