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
const AT_ONCE = 2;
/** Coprime to the number of contenders: each comes after each. */
const STEP = 7;
const PEERS = ['autocannon', 'better-auth', 'connect-redis', 'iron-session', 'jose'].concat(
  '@quixo3/prisma-session-store',
);

/** `GET /me` of each contender, in interleaved rounds, and the floor beside each. */
export const requests: Part = async (bench) => {
  const running: ContenderProcess[] = [];
  try {
    await startAll(namesOf(bench), bench, running);
    const measured = await inRounds(running, bench);
    for (const [index, contender] of running.entries()) {
      await contender.check();
      const isEnded = await contender.checkEnd();
      measured[index]!.canEnd = contender.name === 'floor' ? null : isEnded;
    }
    return { title: 'A signed-in request', text: textOf(measured, bench), goals: goals(measured) };
  } finally {
    for (const contender of running) await contender.stop();
  }
};

function namesOf({ chosen }: Bench): string[] {
  const isWanted = (name: string) =>
    chosen.length === 0 || name === 'floor' || chosen.includes(name);
  return Object.keys(contenders).filter(isWanted);
}

/** Two at a time: each is a compiler first. */
async function startAll(names: string[], bench: Bench, running: ContenderProcess[]) {
  for (let index = 0; index < names.length; index += AT_ONCE) {
    const starting = names.slice(index, index + AT_ONCE).map((name) => start(name, bench));
    for (const started of await Promise.allSettled(starting)) {
      if (started.status === 'rejected') throw started.reason;
      running.push(started.value);
    }
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

async function inRounds(running: ContenderProcess[], { mode, say }: Bench): Promise<Measured[]> {
  const measured: Measured[] = running.map(({ name }) => ({ name, rounds: [], canEnd: null }));
  const floor = running.find(({ name }) => name === 'floor')!;
  const rounds = ROUNDS[mode];
  if (mode === 'whole') {
    for (const contender of running) {
      say(`warming up ${contender.name}`);
      await measure(contender, WARM_UP);
    }
  }
  for (let round = 1; round <= rounds; round += 1) {
    // Each round in another order: who comes after whom is nobody's advantage.
    const order = running.map((_, turn) => (turn * STEP + round) % running.length);
    for (const [turn, index] of order.entries()) {
      const contender = running[index]!;
      say(`round ${round} of ${rounds}, ${turn + 1} of ${running.length}: ${contender.name}`);
      // A shared machine is faster now and slower then: each is held against the floor next to it.
      const beside = mode === 'whole' ? await measureWarm(floor) : null;
      const own = mode === 'whole' ? await measureWarm(contender) : await measure(contender, QUICK);
      measured[index]!.rounds.push({ ...own, floor: beside ?? own });
    }
  }
  return measured;
}

async function measureWarm(contender: ContenderProcess): Promise<Round> {
  await measure(contender, WARM_TURN);
  return measure(contender, TURN);
}

function textOf(measured: readonly Measured[], { mode }: Bench): string {
  return `The signed-in route \`GET /me\`, each contender in a process of its own with the same Express route: ${ROUNDS[mode]} rounds of
${SECONDS} s in changing order, ${CONNECTIONS} connections, driven from the same machine. Before each turn the floor has one of the same
length, each after a second that is not measured: "of the floor" is the median of the ratios to that, "of its CPU" the same for requests a second of the server's own CPU time, which
what else the machine does disturbs less. The client of the floor sends no cookie. Every contender's answer was checked before and after,
and that an ended session is refused.

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
