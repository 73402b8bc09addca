import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { contenders } from '../contenders/all.ts';
import { startContender, type ContenderProcess } from '../contender-process.ts';
import type { Bench, Goal, Part } from '../part.ts';
import { versionsOf } from '../results.ts';
import { measure, type Load, type Round } from '../rounds.ts';
import { markdown, requestColumns, requestRows, type Measured } from '../table.ts';

const ROUNDS = { quick: 1, whole: 5 };
const SECONDS = 2;
const CONNECTIONS = 10;
const WARM_UP: Load = { connections: CONNECTIONS, seconds: 3 };
const QUICK: Load = { connections: CONNECTIONS, amount: 100 };
/** Before each measured turn, because a process that was idle for a minute is slower at first. */
const WARM_TURN: Load = { connections: CONNECTIONS, seconds: 1 };
const TURN: Load = { connections: CONNECTIONS, seconds: SECONDS };
/** Coprime to the number of contenders, so that the order visits each of them. */
const STEP = 7;
const PEERS = ['autocannon', 'better-auth', 'connect-redis', 'iron-session', 'jose'].concat(
  '@quixo3/prisma-session-store',
);

/** A contender and its own floor. Both get the same load, and are idle for equally long between. */
interface Pair {
  contender: ContenderProcess;
  floor: ContenderProcess;
}

/** Measures `GET /me` of each contender in interleaved rounds, each together with its own floor. */
export const requests: Part = async (bench) => {
  const pairs: Pair[] = [];
  try {
    await startAll(namesOf(bench), bench, pairs);
    const measured = await inRounds(pairs, bench);
    for (const [index, { contender }] of pairs.entries()) {
      await contender.check();
      const isRevoked = await contender.checkRevocation();
      measured[index]!.canRevoke = contender.name === 'floor' ? null : isRevoked;
    }
    return { title: 'A signed-in request', text: textOf(measured, bench), goals: goals(measured) };
  } finally {
    for (const { contender, floor } of pairs) await Promise.all([contender.stop(), floor.stop()]);
  }
};

function namesOf({ chosen }: Bench): string[] {
  const isWanted = (name: string) =>
    chosen.length === 0 || name === 'floor' || chosen.includes(name);
  return Object.keys(contenders).filter(isWanted);
}

/** Starts one pair at a time, because each process first compiles its TypeScript. */
async function startAll(names: string[], bench: Bench, pairs: Pair[]) {
  for (const name of names) {
    const starting = [start(name, bench), start('floor', bench)] as const;
    const [contender, floor] = await Promise.allSettled(starting);
    if (contender.status === 'rejected') throw contender.reason;
    if (floor.status === 'rejected') throw floor.reason;
    pairs.push({ contender: contender.value, floor: floor.value });
  }
}

async function start(name: string, bench: Bench): Promise<ContenderProcess> {
  bench.logProgress(`starting ${name}`);
  const contender = await startContender(name, {
    postgresUrl: await bench.postgresUrl(),
    redisUrl: await bench.redisUrl(),
    folder: mkdtempSync(join(bench.folder, 'of-')),
  });
  await contender.check();
  return contender;
}

async function inRounds(pairs: Pair[], { mode, logProgress }: Bench): Promise<Measured[]> {
  const measured: Measured[] = pairs.map(({ contender: { name } }) => ({
    name,
    rounds: [],
    canRevoke: null,
  }));
  const turnOf =
    mode === 'whole' ? measureWarm : (process: ContenderProcess) => measure(process, QUICK);
  const rounds = ROUNDS[mode];
  if (mode === 'whole') {
    for (const { contender, floor } of pairs) {
      logProgress(`warming up ${contender.name}`);
      await measure(floor, WARM_UP);
      await measure(contender, WARM_UP);
    }
  }
  for (let round = 1; round <= rounds; round += 1) {
    // Each round has another order, so that no contender has an advantage from the one before it.
    const order = pairs.map((_, turn) => (turn * STEP + round) % pairs.length);
    for (const [turn, index] of order.entries()) {
      const { contender, floor } = pairs[index]!;
      logProgress(`round ${round} of ${rounds}, ${turn + 1} of ${pairs.length}: ${contender.name}`);
      const isFloorFirst = round % 2 === 1;
      const first = await turnOf(isFloorFirst ? floor : contender);
      const second = await turnOf(isFloorFirst ? contender : floor);
      const [own, ofFloor] = isFloorFirst ? [second, first] : [first, second];
      measured[index]!.rounds.push({ ...own, floor: ofFloor });
    }
  }
  return measured;
}

async function measureWarm(contender: ContenderProcess): Promise<Round> {
  await measure(contender, WARM_TURN);
  return measure(contender, TURN);
}

function textOf(measured: readonly Measured[], { mode }: Bench): string {
  return `The signed-in route \`GET /me\`. Each contender runs in its own process with the same Express route, under load from the same machine by
${CONNECTIONS} connections: ${ROUNDS[mode]} rounds of ${SECONDS} s in changing order, each after one second without measurement. Each contender has its own floor: the same
route without sessions, in a process that is started with it, gets the same load, and is measured directly before or after it. "Of the
floor" is the median of the ratios to that floor; "of its CPU" is the same for requests per second of the server's CPU time. The first row
compares a floor with a floor, which shows the error of the others. The client of a floor sends no cookie. The responses were checked
before and after, and that a revoked session is refused.

${markdown(requestColumns, requestRows(measured))}

${versionsOf(...PEERS)}.`;
}

const MIN_OF_FLOOR = 0.9;

function goals(measured: readonly Measured[]): Goal[] {
  const rows = new Map(requestRows(measured).map((row) => [row[0], row]));
  const ratioOf = (name: string) => Number(rows.get(name)?.[2] ?? NaN);
  const p99Of = (name: string) => Number(rows.get(name)?.[6] ?? NaN);
  const stateless = p99Of('hmac-cookie');
  return ['latchkey-sqlite', 'latchkey-postgresql'].flatMap((name) => [
    {
      goal: `${name}: at least ${MIN_OF_FLOOR.toFixed(2)} of the floor`,
      measured: ratioOf(name).toFixed(2),
      isMet: ratioOf(name) >= MIN_OF_FLOOR,
    },
    {
      goal: `${name}: p99 not above that of hmac-cookie`,
      measured: `${p99Of(name)} ms, ${stateless} ms`,
      isMet: p99Of(name) <= stateless,
    },
  ]);
}
