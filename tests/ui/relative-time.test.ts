import { expect, test } from 'vitest';
import { exactTime, relativeTime } from '#app/ui/relative-time.tsx';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const NOW = new Date('2026-11-21T12:00:00.000Z');
const at = (distanceMs: number) => new Date(NOW.getTime() + distanceMs);

test.each([
  [0, 'just now'],
  [-1, 'just now'],
  [-MINUTE_MS + 1, 'just now'],
  [-MINUTE_MS, '1 minute ago'],
  [-2 * MINUTE_MS + 1, '1 minute ago'],
  [-2 * MINUTE_MS, '2 minutes ago'],
  [-HOUR_MS + 1, '59 minutes ago'],
  [-HOUR_MS, '1 hour ago'],
  [-DAY_MS + 1, '23 hours ago'],
  [-DAY_MS, '1 day ago'],
  [-3 * DAY_MS, '3 days ago'],
  [-30 * DAY_MS + 1, '29 days ago'],
  [-30 * DAY_MS, '1 month ago'],
  [-359 * DAY_MS, '11 months ago'],
  [-365 * DAY_MS, '1 year ago'],
  [-3 * 365 * DAY_MS, '3 years ago'],
])('a time %i ms from now is "%s": the past is rounded down', (distanceMs, text) => {
  expect(relativeTime(at(distanceMs), NOW)).toBe(text);
});

test.each([
  [1, 'in a minute'],
  [MINUTE_MS - 1, 'in a minute'],
  [MINUTE_MS, 'in 1 minute'],
  [HOUR_MS - 1, 'in 1 hour'],
  [HOUR_MS, 'in 1 hour'],
  [DAY_MS - 1, 'in 1 day'],
  [DAY_MS, 'in 1 day'],
  [14 * DAY_MS - 1, 'in 14 days'],
  [14 * DAY_MS, 'in 14 days'],
  [30 * DAY_MS, 'in 1 month'],
  [365 * DAY_MS, 'in 1 year'],
])('a time %i ms ahead is "%s": the future is rounded to the nearest unit', (distanceMs, text) => {
  expect(relativeTime(at(distanceMs), NOW)).toBe(text);
});

test('a count is never zero, and never as large as the next unit', () => {
  for (let days = -800; days <= 800; days += 1) {
    for (const shiftMs of [-1, 0, 1, HOUR_MS, 13 * HOUR_MS]) {
      const text = relativeTime(at(days * DAY_MS + shiftMs), NOW);
      const [, count, unit] = /(\d+) (minute|hour|day|month|year)/.exec(text) ?? [];
      if (count === undefined) continue;
      const limit = { minute: 60, hour: 24, day: 30, month: 12, year: 100 }[unit!]!;
      expect(Number(count), text).toBeGreaterThan(0);
      expect(Number(count), text).toBeLessThan(limit);
    }
  }
});

test('the exact time names its time zone', () => {
  expect(exactTime(NOW, 'UTC')).toBe('21 November 2026 at 12:00:00 UTC');
  expect(exactTime(NOW, 'Europe/Vienna')).toMatch(/^21 November 2026 at 13:00:00 (CET|GMT\+1)$/);
});
