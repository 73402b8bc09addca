/**
 * A time and a time zone in which all tests must pass.
 *
 * @typedef {object} Day
 * @property {string} startsAt UTC, ISO 8601: the time at which the clock of each run starts
 * @property {string} timeZone
 * @property {boolean} [hasJourneys] if true, also run the browser, fault and tooling tests, which take as
 *   long as the rest
 */

/**
 * Not every combination, but each zone at least twice. A run that starts shortly before the clocks change
 * covers the hours before and after the change.
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
const WITHOUT_JOURNEYS = ['tests/pages', 'tests/api'];

/**
 * Returns the arguments of each Vitest run of a day.
 *
 * @param {Day} day
 * @returns {string[][]}
 */
export function runsOf({ hasJourneys = false }) {
  return [ROOMS, hasJourneys ? FRONT_DOOR : [...FRONT_DOOR, ...WITHOUT_JOURNEYS]];
}

/**
 * Returns the name of a day, which `--only` searches.
 *
 * @param {Day} day
 */
export const nameOf = ({ startsAt, timeZone }) => `${startsAt} ${timeZone}`;

/**
 * Returns a table of passed and failed tests, with one line per day.
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
