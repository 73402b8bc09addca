import { setTimeout as delay } from 'node:timers/promises';
import { seed, startBenchApplication } from '../application.ts';
import type { Part } from '../part.ts';
import { medianOf } from '../rounds.ts';
import { markdown } from '../table.ts';

const STARTS = { quick: 1, whole: 7 };
const REST_MS = { quick: 0, whole: 5000 };
const MAX_MS = 1200;
const MAX_MIB = 130;
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** Measures the time from the command to the first page, and the memory of the idle process. */
export const start: Part = async ({ mode, folder, logProgress }) => {
  await seed({ folder });
  const ways: {
    name: string;
    command?: [string, ...string[]];
    times: number[];
    memory: number[];
  }[] = [
    { name: 'npm start', command: [npm, 'start'], times: [], memory: [] },
    { name: 'node scripts/run-built.js server', times: [], memory: [] },
  ];
  for (let round = 1; round <= STARTS[mode]; round += 1) {
    for (const { name, command, times, memory } of ways) {
      logProgress(`${name}, ${round} of ${STARTS[mode]}`);
      const application = await startBenchApplication({ folder, ...(command && { command }) });
      times.push(application.startedInMs);
      await delay(REST_MS[mode]);
      memory.push(application.residentMiB());
      await application.stop();
    }
  }
  const rows = ways.map(({ name, times, memory }) => [
    name,
    medianOf(times).toFixed(0),
    Math.max(...times).toFixed(0),
    // With npm start, it would be the memory of npm itself.
    name === 'npm start' ? '' : medianOf(memory).toFixed(0),
  ]);
  const [[, byNpm = ''] = [], [, , , memory = ''] = []] = rows;
  return {
    title: 'Start and memory at rest',
    text: `The built project on SQLite, ${STARTS[mode]} starts of each command, alternating: the time from the command to the first complete page of
\`/login\`, and the memory in RAM ${REST_MS.whole / 1000} s later.

${markdown(['', 'first page ms (median)', 'max', 'memory MiB'], rows)}`,
    goals: [
      {
        goal: `npm start to the first page: at most ${MAX_MS} ms`,
        measured: `${byNpm} ms`,
        isMet: Number(byNpm) <= MAX_MS,
      },
      {
        goal: `memory at rest: at most ${MAX_MIB} MiB`,
        measured: `${memory} MiB`,
        isMet: Number(memory) <= MAX_MIB,
      },
    ],
  };
};
