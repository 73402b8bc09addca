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
/** Public pages, which users can read with and without a session. */
const PAGES = ['/privacy', '/developers'];
const MIN_RATIO = 0.95;

interface Pair {
  page: string;
  signedOut: Round[];
  signedIn: Round[];
}

/** Measures the same pages with and without a session, in the real application. */
export const pages: Part = async ({ mode, folder, logProgress }) => {
  await seed({ folder });
  const application = await startBenchApplication({ folder });
  try {
    const cookie = `session=${await application.signIn()}`;
    const pairs: Pair[] = [];
    for (const page of PAGES) {
      await check(application, page, cookie);
      const pair: Pair = { page, signedOut: [], signedIn: [] };
      const url = application.origin + page;
      const { cpuMicroseconds } = application;
      const headers = { signedOut: {}, signedIn: { cookie } };
      for (let round = mode === 'quick' ? 1 : 0; round <= ROUNDS[mode]; round += 1) {
        logProgress(`${page}, ${round === 0 ? 'warm-up' : `round ${round} of ${ROUNDS[mode]}`}`);
        const order =
          round % 2 ? (['signedOut', 'signedIn'] as const) : (['signedIn', 'signedOut'] as const);
        for (const state of order) {
          const name = `${page} (${state})`;
          const loaded = { name, url, headers: headers[state], cpuMicroseconds };
          const measured = await measure(loaded, LOAD[mode]);
          if (round > 0) pair[state].push(measured);
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
  const signedOut = await (await fetch(origin + page)).text();
  const signedIn = await (await fetch(origin + page, { headers: { cookie } })).text();
  const isRight =
    signedOut.includes('</html>') &&
    signedOut.includes('href="/login') &&
    signedIn.includes('</html>') &&
    signedIn.includes('Dana Demo');
  if (!isRight) throw new Error(`${page} does not show whether a user is signed in`);
}

const ratiosOf = ({ signedOut, signedIn }: Pair, value: (round: Round) => number) =>
  signedOut.map((round, index) => value(signedIn[index]!) / value(round));

const speedOf = (pair: Pair) => medianOf(ratiosOf(pair, (round) => round.requestsPerSecond));

function textOf(pairs: Pair[], mode: Bench['mode']): string {
  const rows = pairs.map((pair) => {
    const { page, signedOut, signedIn } = pair;
    const of = (rounds: Round[], value: (round: Round) => number) => medianOf(rounds.map(value));
    const cpu = (round: Round) => round.cpuMicroseconds;
    return [
      page,
      Math.round(of(signedOut, (round) => round.requestsPerSecond)).toLocaleString('en'),
      Math.round(of(signedIn, (round) => round.requestsPerSecond)).toLocaleString('en'),
      speedOf(pair).toFixed(2),
      (1 / medianOf(ratiosOf(pair, cpu))).toFixed(2),
      `${of(signedOut, (round) => round.p99Ms).toFixed(1)} / ${of(signedIn, (round) => round.p99Ms).toFixed(1)}`,
    ];
  });
  const { connections } = LOAD[mode];
  return `Public pages, requested alternately without and with a session: ${ROUNDS[mode]} rounds of ${SECONDS} s each, ${connections} connections, the built application on SQLite
with its log. The signed-in page is larger: it has the user's menu and the current session.

${markdown(['page', 'signed out/s', 'signed in/s', 'ratio', 'ratio by CPU', 'p99 ms of both'], rows)}`;
}

function goalOf(pair: Pair): Goal {
  const ratio = speedOf(pair);
  return {
    goal: `${pair.page} signed in: at least ${MIN_RATIO} of the same page without a session`,
    measured: ratio.toFixed(2),
    isMet: ratio >= MIN_RATIO,
  };
}
