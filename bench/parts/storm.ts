import { mkdtempSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DEMO, seed, startBenchApplication } from '../application.ts';
import { startContender } from '../contender-process.ts';
import { USER } from '../contenders/contender.ts';
import type { Bench, Part } from '../part.ts';
import { medianOf } from '../rounds.ts';
import { CONNECTIONS, measureSteadily, type Latency, type Steady } from '../steady-requests.ts';
import { markdown } from '../table.ts';

const USERS = { quick: 1, whole: 8 };
const PER_SECOND = 100;
const ROUNDS = { quick: 1, whole: 3 };
const SECONDS = { quick: 0.2, whole: 8 };
const PEERS = ['hmac-cookie', 'connect-redis', 'prisma-two-queries', 'better-auth'];
const MAX_RATIO = 3;

/** An application that is measured while users sign in to it. */
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

/** Measures the signed-in route while eight users sign in without pause, at bcrypt's cost 12. */
export const storm: Part = async (bench) => {
  const found: { name: string; rounds: Round[] }[] = [];
  const peers = PEERS.slice(0, bench.mode === 'quick' ? 1 : PEERS.length);
  const starts = [startLatchkey, ...peers.map((name) => (own: Bench) => startPeer(name, own))];
  for (const start of starts) {
    const stormed = await start(bench);
    try {
      const rounds: Round[] = [];
      for (let round = 1; round <= ROUNDS[bench.mode]; round += 1) {
        bench.logProgress(`${stormed.name}, round ${round} of ${ROUNDS[bench.mode]}`);
        const measured = await measure(stormed, bench.mode);
        const { idle, stormy, signInsPerSecond } = measured;
        const p99s = [idle, stormy].map(({ p99Ms }) => p99Ms.toFixed(1)).join(' and ');
        bench.logProgress(`p99 ${p99s} ms; ${signInsPerSecond.toFixed(1)} sign-ins a second`);
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
      of(({ stormy }) => stormy.maxMs).toFixed(1),
      of((round) => round.stormy.p99Ms / round.idle.p99Ms).toFixed(1),
      of(({ signInsPerSecond }) => signInsPerSecond).toFixed(1),
    ];
  });
  const ratio = Number(rows[0]![5]);
  const columns = ['', 'idle p99 ms', 'p50 ms', 'p99 ms', 'max ms', 'p99 / idle', 'sign-ins/s'];
  return {
    title: 'A storm of sign-ins',
    text: `The signed-in route at ${PER_SECOND} requests a second, each measured from its scheduled time, first alone and then while ${USERS[bench.mode]} users sign in without
pause, with bcrypt at cost 12 (better-auth has its own hash). Medians of ${ROUNDS[bench.mode]} rounds of ${SECONDS[bench.mode]} s. Latchkey is the complete built application
(\`GET /api/session\`, \`POST /api/login\`). The others hash with bcryptjs in the process that serves, as most applications do. While bcryptjs
computes, a process accepts one new connection, and reads one request of each connection, per turn of the event loop. Requests wait for
that, and for one of the ${CONNECTIONS} connections that the client opens at most.

${markdown(columns, rows)}`,
    goals: [
      {
        goal: `p99 of the signed-in route at most ${MAX_RATIO} × its idle p99`,
        measured: `${ratio} ×`,
        isMet: ratio <= MAX_RATIO,
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
  const users = Array.from({ length: USERS[mode] }, async () => {
    while (!isOver) {
      await signIn();
      signIns += 1;
    }
  });
  // A failure is reported at the end, by Promise.all. As an unhandled rejection it would end the bench at
  // once, and leave its processes behind.
  for (const user of users) user.catch(() => undefined);
  // After this the sign-ins of all users are running.
  await signIn();
  const startedAt = performance.now();
  signIns = 0;
  try {
    const [stormy] = await measureSteadily([probe], delay(seconds * 1000));
    const measuredSeconds = (performance.now() - startedAt) / 1000;
    return { idle: idle!, stormy: stormy!, signInsPerSecond: signIns / measuredSeconds };
  } finally {
    isOver = true;
    await Promise.all(users);
  }
}

async function startLatchkey(bench: Bench): Promise<Stormed> {
  const folder = mkdtempSync(join(bench.folder, 'latchkey-'));
  await seed({ folder });
  // One user signs in hundreds of times, and the limit per user would end the measured session.
  const env = { SESSIONS_PER_USER: '100000' };
  const application = await startBenchApplication({ folder, env });
  const token = await application.signIn();
  const headers = { authorization: `Bearer ${token}` };
  const url = `${application.origin}/api/session`;
  const answer = await fetch(url, { headers });
  const body = await answer.text();
  const id = `"id":"${token.split('.')[0]}"`;
  // Not the whole response, because the expiry changes once a minute.
  const isRight = (text: string) => text.includes(id) && text.includes(DEMO.email);
  if (!isRight(body)) throw new Error(`Latchkey returned ${answer.status}: ${body}`);
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
  const user = JSON.stringify(USER);
  const signInUrl = url.replace(/\/me$/, '/sign-in');
  return {
    name,
    probe: { url, headers, perSecond: PER_SECOND, isRight: (body) => body === user },
    async signIn() {
      const status = await post(signInUrl);
      if (status !== 204) throw new Error(`${name}: a sign-in returned ${status}`);
    },
    stop: () => contender.stop(),
  };
}

/** Sends a POST without a timeout: `fetch` gives up on a process that is too busy to accept connections. */
function post(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST' }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    // A busy process may close a reused connection: retry on a new one.
    sent.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET') post(url).then(resolve, reject);
      else reject(error);
    });
    sent.end();
  });
}
