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
/** Of each turn, unmeasured: whoever rested for a minute is slower at first. */
const WARM_TURN: Load = { connections: CONNECTIONS, seconds: 1 };
const TURN: Load = { connections: CONNECTIONS, seconds: SECONDS };
/** Coprime to the number of contenders: each comes after each. */
const STEP = 7;
const PEERS = ['autocannon', 'better-auth', 'connect-redis', 'iron-session', 'jose'].concat(
  '@quixo3/prisma-session-store',
);

/** A contender, and a floor of its own: both are asked equally often, and rest equally long between. */
interface Pair {
  contender: ContenderProcess;
  floor: ContenderProcess;
}

/** `GET /me` of each contender, in interleaved rounds, each beside a floor of its own. */
export const requests: Part = async (bench) => {
  const pairs: Pair[] = [];
  try {
    await startAll(namesOf(bench), bench, pairs);
    const measured = await inRounds(pairs, bench);
    for (const [index, { contender }] of pairs.entries()) {
      await contender.check();
      const isEnded = await contender.checkEnd();
      measured[index]!.canEnd = contender.name === 'floor' ? null : isEnded;
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

/** Each with its floor, one pair at a time: a process that starts is a compiler first. */
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
  bench.say(`starting ${name}`);
  const contender = await startContender(name, {
    postgresUrl: await bench.postgresUrl(),
    redisUrl: await bench.redisUrl(),
    folder: mkdtempSync(join(bench.folder, 'of-')),
  });
  await contender.check();
  return contender;
}

async function inRounds(pairs: Pair[], { mode, say }: Bench): Promise<Measured[]> {
  const measured: Measured[] = pairs.map(({ contender: { name } }) => ({
    name,
    rounds: [],
    canEnd: null,
  }));
  const turnOf = mode === 'whole' ? measureWarm : (one: ContenderProcess) => measure(one, QUICK);
  const rounds = ROUNDS[mode];
  if (mode === 'whole') {
    for (const { contender, floor } of pairs) {
      say(`warming up ${contender.name}`);
      await measure(floor, WARM_UP);
      await measure(contender, WARM_UP);
    }
  }
  for (let round = 1; round <= rounds; round += 1) {
    // Each round in another order: who comes after whom is nobody's advantage.
    const order = pairs.map((_, turn) => (turn * STEP + round) % pairs.length);
    for (const [turn, index] of order.entries()) {
      const { contender, floor } = pairs[index]!;
      say(`round ${round} of ${rounds}, ${turn + 1} of ${pairs.length}: ${contender.name}`);
      const isFloorFirst = round % 2 === 1;
      const first = await turnOf(isFloorFirst ? floor : contender);
      const second = await turnOf(isFloorFirst ? contender : floor);
      const [own, beside] = isFloorFirst ? [second, first] : [first, second];
      measured[index]!.rounds.push({ ...own, floor: beside });
    }
  }
  return measured;
}

async function measureWarm(contender: ContenderProcess): Promise<Round> {
  await measure(contender, WARM_TURN);
  return measure(contender, TURN);
}

function textOf(measured: readonly Measured[], { mode }: Bench): string {
  return `The signed-in route \`GET /me\`, each contender in a process of its own with the same Express route, driven from the same machine by
${CONNECTIONS} connections: ${ROUNDS[mode]} rounds in changing order, of ${SECONDS} s each after one that is not measured. Each contender has a floor of its own (the same
route without any session, in a process that was started with it and is asked as often), which has its turn just before or just after:
"of the floor" is the median of the ratios to that, "of its CPU" the same for requests a second of the server's own CPU time. The first row
is a floor beside a floor: what it is off by, the others may be. The client of a floor sends no cookie. Every contender's answer was
checked before and after, and that an ended session is refused.

${markdown(requestColumns, requestRows(measured))}

${versionsOf(...PEERS)}.`;
}

const LEAST_OF_FLOOR = 0.9;

function goals(measured: readonly Measured[]): Goal[] {
  const rows = new Map(requestRows(measured).map((row) => [row[0], row]));
  const ratioOf = (name: string) => Number(rows.get(name)?.[2] ?? NaN);
  const p99Of = (name: string) => Number(rows.get(name)?.[6] ?? NaN);
  const stateless = p99Of('hmac-cookie');
  return ['latchkey-sqlite', 'latchkey-postgresql'].flatMap((name) => [
    {
      goal: `${name}: at least ${LEAST_OF_FLOOR.toFixed(2)} of the floor`,
      measured: ratioOf(name).toFixed(2),
      isMet: ratioOf(name) >= LEAST_OF_FLOOR,
    },
    {
      goal: `${name}: p99 no worse than that of the signed cookie`,
      measured: `${p99Of(name)} ms, ${stateless} ms`,
      isMet: p99Of(name) <= stateless,
    },
  ]);
}
