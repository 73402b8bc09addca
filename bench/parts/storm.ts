import { mkdtempSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DEMO, seed, startBenchApplication } from '../application.ts';
import { startContender } from '../contender-process.ts';
import { PERSON } from '../contenders/contender.ts';
import type { Bench, Part } from '../part.ts';
import { medianOf } from '../rounds.ts';
import { CONNECTIONS, measureSteadily, type Latency, type Steady } from '../steady-requests.ts';
import { markdown } from '../table.ts';

const PEOPLE = { quick: 1, whole: 8 };
const PER_SECOND = 100;
const ROUNDS = { quick: 1, whole: 3 };
const SECONDS = { quick: 0.2, whole: 8 };
const PEERS = ['hmac-cookie', 'connect-redis', 'prisma-two-queries', 'better-auth'];
const MOST = 3;

/** Something that people sign in to, while others are signed in. */
interface Stormed {
  name: string;
  probe: Steady;
  signIn(): Promise<void>;
  stop(): Promise<void>;
}

interface Round {
  idle: Latency;
  stormy: Latency;
  signInsPerSecond: number;
}

/** The signed-in route while eight people sign in without pause, at bcrypt's cost 12. */
export const storm: Part = async (bench) => {
  const found: { name: string; rounds: Round[] }[] = [];
  const peers = PEERS.slice(0, bench.mode === 'quick' ? 1 : PEERS.length);
  const starts = [startLatchkey, ...peers.map((name) => (own: Bench) => startPeer(name, own))];
  for (const start of starts) {
    const stormed = await start(bench);
    try {
      const rounds: Round[] = [];
      for (let round = 1; round <= ROUNDS[bench.mode]; round += 1) {
        bench.say(`${stormed.name}, round ${round} of ${ROUNDS[bench.mode]}`);
        const measured = await measure(stormed, bench.mode);
        const { idle, stormy, signInsPerSecond } = measured;
        const p99s = [idle, stormy].map(({ p99Ms }) => p99Ms.toFixed(1)).join(' and ');
        bench.say(`p99 ${p99s} ms; ${signInsPerSecond.toFixed(1)} sign-ins a second`);
        rounds.push(measured);
      }
      found.push({ name: stormed.name, rounds });
    } finally {
      await stormed.stop();
    }
  }
  const rows = found.map(({ name, rounds }) => {
    const of = (value: (round: Round) => number) => medianOf(rounds.map(value));
    return [
      name,
      of(({ idle }) => idle.p99Ms).toFixed(1),
      of(({ stormy }) => stormy.p50Ms).toFixed(1),
      of(({ stormy }) => stormy.p99Ms).toFixed(1),
      of(({ stormy }) => stormy.mostMs).toFixed(1),
      of((round) => round.stormy.p99Ms / round.idle.p99Ms).toFixed(1),
      of(({ signInsPerSecond }) => signInsPerSecond).toFixed(1),
    ];
  });
  const ratio = Number(rows[0]![5]);
  const columns = ['', 'idle p99 ms', 'p50 ms', 'p99 ms', 'most ms', 'p99 / idle', 'sign-ins/s'];
  return {
    title: 'A storm of sign-ins',
    text: `The signed-in route at ${PER_SECOND} requests a second, each reckoned from when it was due, first alone and then while ${PEOPLE[bench.mode]} people sign in without
pause: bcrypt at cost 12, but better-auth, which has its own way to hash. Medians of ${ROUNDS[bench.mode]} rounds of ${SECONDS[bench.mode]} s. Latchkey is the whole built
application (\`GET /api/session\`, \`POST /api/login\`); the peers hash with bcryptjs in the process that serves, as it is mostly done. While that
computes, a process takes one new connection and one request of each connection a turn: the requests wait for that, and for the
${CONNECTIONS} connections that the client opens at most.

${markdown(columns, rows)}`,
    goals: [
      {
        goal: `p99 of the signed-in route at most ${MOST} × its idle p99`,
        measured: `${ratio} ×`,
        isMet: ratio <= MOST,
      },
    ],
  };
};

async function measure({ probe, signIn }: Stormed, mode: Bench['mode']): Promise<Round> {
  const seconds = SECONDS[mode];
  await signIn();
  const [idle] = await measureSteadily([probe], delay(seconds * 1000));
  let isOver = false;
  let signIns = 0;
  const users = Array.from({ length: PEOPLE[mode] }, async () => {
    while (!isOver) {
      await signIn();
      signIns += 1;
    }
  });
  // Whoever fails is told of at the end, when all are waited for: until then it would end the bench, and
  // leave behind what it has started.
  for (const user of users) user.catch(() => undefined);
  // The first of them are in the middle of it by then.
  await signIn();
  const began = performance.now();
  signIns = 0;
  try {
    const [stormy] = await measureSteadily([probe], delay(seconds * 1000));
    const lasted = (performance.now() - began) / 1000;
    return { idle: idle!, stormy: stormy!, signInsPerSecond: signIns / lasted };
  } finally {
    isOver = true;
    await Promise.all(users);
  }
}

async function startLatchkey(bench: Bench): Promise<Stormed> {
  const folder = mkdtempSync(join(bench.folder, 'latchkey-'));
  await seed({ folder });
  // One person signs in hundreds of times, and the cap would end the session that is asked with.
  const env = { SESSIONS_PER_USER: '100000' };
  const application = await startBenchApplication({ folder, env });
  const token = await application.signIn();
  const headers = { authorization: `Bearer ${token}` };
  const url = `${application.origin}/api/session`;
  const answer = await fetch(url, { headers });
  const said = await answer.text();
  const id = `"id":"${token.split('.')[0]}"`;
  // Not the whole answer: once a minute the end of the session moves on.
  const isRight = (body: string) => body.includes(id) && body.includes(DEMO.email);
  if (!isRight(said)) throw new Error(`Latchkey answers ${answer.status}: ${said}`);
  return {
    name: 'latchkey',
    probe: { url, headers, perSecond: PER_SECOND, isRight },
    signIn: async () => void (await application.signIn()),
    stop: () => application.stop(),
  };
}

async function startPeer(name: string, bench: Bench): Promise<Stormed> {
  const contender = await startContender(name, {
    postgresUrl: await bench.postgresUrl(),
    redisUrl: await bench.redisUrl(),
    folder: mkdtempSync(join(bench.folder, 'of-')),
  });
  await contender.check();
  const { url, headers } = contender;
  const user = JSON.stringify(PERSON);
  const door = url.replace(/\/me$/, '/sign-in');
  return {
    name,
    probe: { url, headers, perSecond: PER_SECOND, isRight: (body) => body === user },
    async signIn() {
      const status = await post(door);
      if (status !== 204) throw new Error(`${name}: a sign-in is answered ${status}`);
    },
    stop: () => contender.stop(),
  };
}

/** For as long as it takes: `fetch` gives up on a process that has no time to take connections. */
function post(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST' }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    // A connection that was kept, and closed by whoever had no time for it, is made anew.
    asked.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') post(url).then(resolve, reject);
      else reject(error);
    });
    asked.end();
  });
}
