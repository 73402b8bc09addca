import autocannon from 'autocannon';
import { seed, startBenchApplication } from '../application.ts';
import type { Part } from '../part.ts';
import { markdown } from '../table.ts';

const STEPS = {
  quick: [200, 400],
  whole: [10_000, 100_000, 250_000, 500_000, 750_000, 1_000_000],
};
const CONNECTIONS = 20;
const MOST = 1.5;
/** Of twenty requests eighteen are the hot one; the others are a page and a list. */
const HOT_OF_EACH = 18;

/** Whether memory grows with the number of requests. */
export const memory: Part = async ({ mode, folder, say }) => {
  await seed({ folder });
  const application = await startBenchApplication({ folder });
  try {
    const token = await application.signIn();
    const hot = { path: '/api/session', headers: { authorization: `Bearer ${token}` } };
    const others = [
      { path: '/privacy', headers: { cookie: `session=${token}` } },
      { path: '/api/sessions', headers: { authorization: `Bearer ${token}` } },
    ];
    const requests = [...Array.from({ length: HOT_OF_EACH }, () => hot), ...others];
    const readings: { after: number; mib: number }[] = [];
    let done = 0;
    for (const until of STEPS[mode]) {
      say(`${until.toLocaleString('en')} requests`);
      const result = await autocannon({
        url: application.origin,
        connections: CONNECTIONS,
        amount: until - done,
        requests,
      });
      if (result.non2xx + result.errors + result.timeouts > 0) {
        throw new Error(`${result.non2xx + result.errors} of ${until - done} answers were wrong`);
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
      text: `One process of the built application on SQLite; of ${requests.length} requests ${HOT_OF_EACH} ask \`/api/session\`, one a page and one the list of sessions. Nothing is
told to collect garbage before memory is read.

${markdown(['requests', 'memory MiB'], rows)}`,
      goals: [
        {
          goal: `memory after 1 million requests: at most ${MOST} × that after 100 thousand`,
          measured: `${ratio.toFixed(2)} ×`,
          isMet: ratio <= MOST,
        },
      ],
    };
  } finally {
    await application.stop();
  }
};
