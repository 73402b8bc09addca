import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inProject } from '../../scripts/set-up/project.js';
import { DAYS, nameOf, runsOf, tableOf } from '../../scripts/validation/days.js';

test('every time zone has at least two days, all different', () => {
  const zones = DAYS.map(({ timeZone }) => timeZone);
  for (const zone of zones) expect(zones.filter((each) => each === zone).length).toBeGreaterThan(1);
  expect(new Set(DAYS.map(nameOf)).size).toBe(DAYS.length);
});

test.each([
  ['America/St_Johns', [2027, 2, 14], -210, -150],
  ['America/St_Johns', [2027, 10, 7], -150, -210],
  ['Europe/Vienna', [2027, 2, 28], 60, 120],
  ['Europe/Vienna', [2027, 9, 31], 120, 60],
] as const)('in %s a run starts less than a minute before the clocks change on %j', (...row) => {
  const [timeZone, [year, month, date], before, after] = row;
  const day = DAYS.find(
    (each) =>
      each.timeZone === timeZone &&
      Date.parse(each.startsAt) - Date.UTC(year, month, date) < 86_400_000 &&
      Date.parse(each.startsAt) >= Date.UTC(year, month, date),
  )!;
  expect(offsetMinutes(Date.parse(day.startsAt), timeZone)).toBe(before);
  expect(offsetMinutes(Date.parse(day.startsAt) + 60_000, timeZone)).toBe(after);
});

test('the browser tests run on two days, and the tests of rooms, pages and the API on all', () => {
  expect(DAYS.filter(({ hasJourneys }) => hasJourneys)).toHaveLength(2);
  for (const day of DAYS) {
    const [rooms, frontDoor] = runsOf(day);
    expect(rooms).toEqual(['--project', 'rooms']);
    const folders = frontDoor!.slice(2);
    expect(folders).toEqual(day.hasJourneys ? [] : ['tests/pages', 'tests/api']);
    expect(folders.filter((folder) => !existsSync(inProject(folder)))).toEqual([]);
  }
});

test('the table of results has a line per day', () => {
  const [day, other] = DAYS;
  const lines = tableOf([
    { day: day!, tally: { passed: 6023, failed: 0 }, seconds: 61.4 },
    { day: other!, tally: { passed: 6021, failed: 2 }, seconds: 9 },
  ]);
  expect(lines).toEqual([
    'day                  zone               passed   failed  seconds',
    '2026-12-31T23:59:30Z UTC                  6023        0       61',
    '2026-12-31T23:59:30Z Pacific/Apia         6021        2        9',
  ]);
});

function offsetMinutes(at: number, timeZone: string): number {
  const local = new Date(at).toLocaleString('sv-SE', { timeZone });
  return (Date.parse(`${local.replace(' ', 'T')}Z`) - Math.floor(at / 1000) * 1000) / 60_000;
}
