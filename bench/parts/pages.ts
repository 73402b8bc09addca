import { seed, startBenchApplication, type BenchApplication } from '../application.ts';
import type { Bench, Goal, Part } from '../part.ts';
import { measure, medianOf, type Load, type Round } from '../rounds.ts';
import { markdown } from '../table.ts';

const ROUNDS = { quick: 1, whole: 7 };
const SECONDS = 3;
const LOAD: Record<Bench['mode'], Load> = {
  quick: { connections: 4, amount: 40 },
  whole: { connections: 10, seconds: SECONDS },
};
/** Everybody may read them, signed in or not. */
const PAGES = ['/privacy', '/developers'];
const LEAST = 0.95;

interface Pair {
  page: string;
  stranger: Round[];
  signedIn: Round[];
}

/** The same page for somebody signed in and for a stranger, in the real application. */
export const pages: Part = async ({ mode, folder, say }) => {
  await seed({ folder });
  const application = await startBenchApplication({ folder });
  try {
    const cookie = `session=${await application.signIn()}`;
    const pairs: Pair[] = [];
    for (const page of PAGES) {
      await check(application, page, cookie);
      const pair: Pair = { page, stranger: [], signedIn: [] };
      const url = application.origin + page;
      const { cpuMicroseconds } = application;
      const as = { stranger: {}, signedIn: { cookie } };
      for (let round = mode === 'quick' ? 1 : 0; round <= ROUNDS[mode]; round += 1) {
        say(`${page}, ${round === 0 ? 'warm-up' : `round ${round} of ${ROUNDS[mode]}`}`);
        const order =
          round % 2 ? (['stranger', 'signedIn'] as const) : (['signedIn', 'stranger'] as const);
        for (const who of order) {
          const loaded = { name: `${page} (${who})`, url, headers: as[who], cpuMicroseconds };
          const measured = await measure(loaded, LOAD[mode]);
          if (round > 0) pair[who].push(measured);
        }
      }
      pairs.push(pair);
    }
    return { title: 'A signed-in page', text: textOf(pairs, mode), goals: pairs.map(goalOf) };
  } finally {
    await application.stop();
  }
};

async function check({ origin }: BenchApplication, page: string, cookie: string): Promise<void> {
  const stranger = await (await fetch(origin + page)).text();
  const signedIn = await (await fetch(origin + page, { headers: { cookie } })).text();
  const isRight =
    stranger.includes('</html>') &&
    stranger.includes('href="/login') &&
    signedIn.includes('</html>') &&
    signedIn.includes('Dana Demo');
  if (!isRight) throw new Error(`${page} does not show who is signed in`);
}

const ratiosOf = ({ stranger, signedIn }: Pair, value: (round: Round) => number) =>
  stranger.map((round, index) => value(signedIn[index]!) / value(round));

const speedOf = (pair: Pair) => medianOf(ratiosOf(pair, (round) => round.requestsPerSecond));

function textOf(pairs: Pair[], mode: Bench['mode']): string {
  const rows = pairs.map((pair) => {
    const { page, stranger, signedIn } = pair;
    const of = (rounds: Round[], value: (round: Round) => number) => medianOf(rounds.map(value));
    const cpu = (round: Round) => round.cpuMicroseconds;
    return [
      page,
      Math.round(of(stranger, (round) => round.requestsPerSecond)).toLocaleString('en'),
      Math.round(of(signedIn, (round) => round.requestsPerSecond)).toLocaleString('en'),
      speedOf(pair).toFixed(2),
      (1 / medianOf(ratiosOf(pair, cpu))).toFixed(2),
      `${of(stranger, (round) => round.p99Ms).toFixed(1)} / ${of(signedIn, (round) => round.p99Ms).toFixed(1)}`,
    ];
  });
  const { connections } = LOAD[mode];
  return `Pages that everybody may read, asked for by a stranger and by somebody signed in, in turns: ${ROUNDS[mode]} rounds of ${SECONDS} s each, ${connections} connections,
the built application on SQLite with its log. The page of whoever is signed in has more in it: the menu with their name, and the session at hand.

${markdown(['page', 'stranger/s', 'signed in/s', 'ratio', 'ratio by CPU', 'p99 ms of both'], rows)}`;
}

function goalOf(pair: Pair): Goal {
  const ratio = speedOf(pair);
  return {
    goal: `${pair.page} signed in: at least ${LEAST} of the same page without a session`,
    measured: ratio.toFixed(2),
    isMet: ratio >= LEAST,
  };
}
