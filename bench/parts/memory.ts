import autocannon from 'autocannon';
import { seed, startBenchApplication } from '../application.ts';
import type { Part } from '../part.ts';
import { markdown } from '../table.ts';

const STEPS = {
  quick: [200, 400],
  whole: [10_000, 100_000, 250_000, 500_000, 750_000, 1_000_000],
};
const CONNECTIONS = 20;
const MAX_RATIO = 1.5;
/** 18 of 20 requests are the most frequent one; the other two are a page and a list. */
const FREQUENT = 18;

/** Measures whether memory grows with the number of requests. */
export const memory: Part = async ({ mode, folder, logProgress }) => {
  await seed({ folder });
  const application = await startBenchApplication({ folder });
  try {
    const token = await application.signIn();
    const frequent = { path: '/api/session', headers: { authorization: `Bearer ${token}` } };
    const others = [
      { path: '/privacy', headers: { cookie: `session=${token}` } },
      { path: '/api/sessions', headers: { authorization: `Bearer ${token}` } },
    ];
    const requests = [...Array.from({ length: FREQUENT }, () => frequent), ...others];
    const readings: { after: number; mib: number }[] = [];
    let done = 0;
    for (const until of STEPS[mode]) {
      logProgress(`${until.toLocaleString('en')} requests`);
      const result = await autocannon({
        url: application.origin,
        connections: CONNECTIONS,
        amount: until - done,
        requests,
      });
      if (result.non2xx + result.errors + result.timeouts > 0) {
        throw new Error(`${result.non2xx + result.errors} of ${until - done} responses were wrong`);
      }
      done = until;
      readings.push({ after: done, mib: application.residentMiB() });
    }
    const first = readings.find(({ after }) => after >= 100_000) ?? readings[0]!;
    const last = readings.at(-1)!;
    const ratio = last.mib / first.mib;
    const rows = readings.map(({ after, mib }) => [after.toLocaleString('en'), mib.toFixed(0)]);
    return {
      title: 'Memory after many requests',
      text: `One process of the built application on SQLite. Of ${requests.length} requests, ${FREQUENT} are for \`/api/session\`, one for a page and one for the list of
sessions. Memory is read without forcing a garbage collection.

${markdown(['requests', 'memory MiB'], rows)}`,
      goals: [
        {
          goal: `memory after 1 million requests: at most ${MAX_RATIO} × the memory after 100,000`,
          measured: `${ratio.toFixed(2)} ×`,
          isMet: ratio <= MAX_RATIO,
        },
      ],
    };
  } finally {
    await application.stop();
  }
};
