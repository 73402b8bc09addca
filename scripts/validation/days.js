/**
 * A moment and a time zone in which all tests have to pass.
 *
 * @typedef {object} Day
 * @property {string} startsAt UTC, ISO 8601: the clock with which each run begins, and goes on
 * @property {string} timeZone
 * @property {boolean} [hasJourneys] true: also the browser, faults and tooling, which take as long as the rest
 */

/**
 * Not every moment in every zone: each zone comes up twice at least. A run that begins shortly before
 * the clocks change lives through both hours.
 *
 * @type {Day[]}
 */
export const DAYS = [
  { startsAt: '2026-12-31T23:59:30Z', timeZone: 'UTC', hasJourneys: true },
  { startsAt: '2026-12-31T23:59:30Z', timeZone: 'Pacific/Apia' },
  { startsAt: '2027-02-28T12:00:00Z', timeZone: 'Asia/Kolkata' },
  { startsAt: '2027-02-28T12:00:00Z', timeZone: 'Pacific/Apia' },
  { startsAt: '2028-02-29T12:00:00Z', timeZone: 'America/St_Johns' },
  { startsAt: '2027-03-14T05:29:15Z', timeZone: 'America/St_Johns' },
  { startsAt: '2027-11-07T04:29:15Z', timeZone: 'America/St_Johns' },
  { startsAt: '2027-03-28T00:59:15Z', timeZone: 'Europe/Vienna' },
  { startsAt: '2027-10-31T00:59:15Z', timeZone: 'Europe/Vienna', hasJourneys: true },
  { startsAt: '2038-01-19T03:14:00Z', timeZone: 'UTC' },
  { startsAt: '2038-01-19T03:14:00Z', timeZone: 'Asia/Kolkata' },
];

const DAY_WIDTH = 20;
const ZONE_WIDTH = 16;

const ROOMS = ['--project', 'rooms'];
const FRONT_DOOR = ['--project', 'front door'];

/**
 * Returns the runs of Vitest for a day, as its arguments.
 *
 * @param {Day} day
 * @returns {string[][]}
 */
export function runsOf({ hasJourneys = false }) {
  return [ROOMS, hasJourneys ? FRONT_DOOR : [...FRONT_DOOR, 'tests/routes']];
}

/**
 * Returns the name of a day, which `--only` looks in.
 *
 * @param {Day} day
 */
export const nameOf = ({ startsAt, timeZone }) => `${startsAt} ${timeZone}`;

/**
 * Returns a table of what passed and failed, one line for each day that was run.
 *
 * @param {{ day: Day, tally: import('./tally.js').Tally, seconds: number }[]} outcomes
 * @returns {string[]}
 */
export function tableOf(outcomes) {
  const line = (/** @type {string[]} */ [day = '', zone = '', ...numbers]) =>
    [day.padEnd(DAY_WIDTH), zone.padEnd(ZONE_WIDTH), ...numbers.map((text) => text.padStart(8))]
      .join(' ')
      .trimEnd();
  return [
    line(['day', 'zone', 'passed', 'failed', 'seconds']),
    ...outcomes.map(({ day, tally, seconds }) =>
      line([
        day.startsAt,
        day.timeZone,
        ...[tally.passed, tally.failed, Math.round(seconds)].map(String),
      ]),
    ),
  ];
}
