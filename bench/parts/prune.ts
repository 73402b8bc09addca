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
  sessionId,
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
const SESSIONS_EACH = 5;
const MOST = 3;

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
  /** Of each route, in order. */
  idle: Latency[];
  during: Latency[];
}

/** Requests, while rows go that nobody needs any more. */
export const prune: Part = async (bench) => {
  const pruned = [...(await onSqlite(bench)), ...(await onPostgres(bench))];
  return { title: 'Prune', text: textOf(pruned, bench), goals: pruned.flatMap(goalsOf) };
};

async function onSqlite(bench: Bench): Promise<Pruned[]> {
  return pruneEachWay('sqlite', `file:${bench.folder}/pruned.db`, bench);
}

async function onPostgres(bench: Bench): Promise<Pruned[]> {
  // That of the other parts is made for speed; this one is as it comes.
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
    const say = (text: string) => bench.say(`${providers[provider]}, ${way}: ${text}`);
    say('filling the tables');
    await fill(databaseUrl, { isFirst: turn === 0, turn }, mode);
    const server = await startBuiltServer(databaseUrl, mkdtempSync(join(bench.folder, 'of-')));
    try {
      pruned.push({ provider, way, ...(await pruneUnderRequests(server, way, { mode, say })) });
    } finally {
      await server.stop();
    }
    const filler = await openFiller(databaseUrl);
    strictEqual(await filler.count('Session'), KEPT[mode], 'not what was to go went');
    await filler.close();
  }
  return pruned;
}

/** Those that are kept, the first time, and those that are to go. They came in the order of their age. */
async function fill(
  databaseUrl: string,
  { isFirst, turn }: { isFirst: boolean; turn: number },
  mode: Bench['mode'],
): Promise<void> {
  const [kept, expired] = [KEPT[mode], EXPIRED[mode]];
  const nowMs = Date.now();
  const users = kept / SESSIONS_EACH;
  const user = `n % ${users}`;
  const filler = await openFiller(databaseUrl);
  try {
    if (isFirst) await addUsers(filler, { from: 0, to: users }, nowMs);
    // Numbers from 0 are those that stay, so that the first is good to sign in with.
    const from = kept + turn * expired;
    const toGo = { from, to: from + expired };
    await addSessions(filler, toGo, { user, times: expiredTimes(toGo, nowMs) });
    if (isFirst) {
      const toStay = { from: 0, to: kept };
      await addSessions(filler, toStay, { user, times: keptTimes(toStay, nowMs) });
    }
  } finally {
    await filler.close();
  }
}

/** Begun 120 to 64 days ago. Half ran out, half were signed out, all of them more than 30 days ago. */
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

/** Begun within the last 13 days. Every fifth was signed out; the first is live. */
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
  { mode, say }: Pick<Bench, 'mode' | 'say'>,
): Promise<Pick<Pruned, 'tookMs' | 'idle' | 'during'>> {
  const requests = Object.entries(routes).map(([path, { perSecond }]): Steady => ({
    url: `${server.origin}${path}`,
    headers: { cookie: `session=${tokenOf(0)}` },
    perSecond,
    isRight: (body) => isRight(path as keyof typeof routes, body),
  }));
  say('requests without a prune');
  await measureSteadily(requests, pause(WARM_UP_MS[mode]));
  const idle = await measureSteadily(requests, pause(IDLE_MS[mode]));
  say('requests during a prune');
  const startedAt = performance.now();
  const pruning = ways[way](server).then(() => performance.now() - startedAt);
  const [during, tookMs] = await Promise.all([measureSteadily(requests, pruning), pruning]);
  const p99s = (latencies: Latency[]) => latencies.map(({ p99Ms }) => ms(p99Ms)).join(' and ');
  say(`all went in ${(tookMs / 1000).toFixed(1)} s; p99 ${p99s(during)} ms, idle ${p99s(idle)} ms`);
  return { tookMs, idle, during };
}

/** The person whose session asks is the first one; theirs are those that stay and are live. */
function isRight(path: keyof typeof routes, body: string): boolean {
  return path === '/api/session'
    ? body.includes(emailOf(0)) && body.includes(sessionId(0))
    : body.split('"id":').length - 1 === SESSIONS_EACH && body.includes(sessionId(0));
}

const ms = (value: number) => value.toFixed(2);

function textOf(pruned: readonly Pruned[], { mode }: Bench): string {
  const [kept, expired] = [KEPT[mode], EXPIRED[mode]].map((count) => count.toLocaleString('en'));
  const asked = Object.entries(routes).map(
    ([path, { perSecond, what }]) => `\`GET ${path}\` (${what}) ${perSecond} times a second`,
  );
  return `${expired} sessions that ended more than 30 days ago are removed and ${kept} stay, while
the built server answers: ${asked.join(' and ')}, each at its own time whatever became of the one before, and counted from when it was due.
"Hourly job" is what the server does by itself, in its own process; "command" is \`npm run sessions:prune\` in another. Idle is the same for
${IDLE_MS[mode] / 1000} s without a prune just before. PostgreSQL is as it comes, on the same machine. Every answer was checked, and that what was to
go went and nothing else.

${markdown(
  ['database', 'prune by', 'took s', 'rows/s', 'route', 'p50 ms idle', 'during'].concat([
    'p99 ms idle',
    'during',
    'ratio',
    'most ms idle',
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
      ms(idle[route]!.mostMs),
      ms(during[route]!.mostMs),
    ]),
  ),
)}`;
}

function goalsOf({ provider, way, idle, during }: Pruned): Goal[] {
  return Object.keys(routes).map((path, route) => {
    const ratio = during[route]!.p99Ms / idle[route]!.p99Ms;
    return {
      goal: `${providers[provider]}, prune by ${way}: p99 of ${path} at most ${MOST} × idle`,
      measured: `${ratio.toFixed(2)} (${ms(during[route]!.p99Ms)} ms, ${ms(idle[route]!.p99Ms)} ms)`,
      isMet: ratio <= MOST,
    };
  });
}
