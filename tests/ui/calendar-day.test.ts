import { expect, test } from 'vitest';
import { dayText } from '#app/ui/calendar-day.ts';

test.each([
  ['UTC', '2026-11-21T23:59:59Z', '2026-11-22T00:00:00Z', 'Yesterday'],
  ['UTC', '2026-12-31T23:59:59Z', '2027-01-01T00:00:00Z', 'Yesterday'],
  ['UTC', '2026-12-30T12:00:00Z', '2027-01-01T00:00:00Z', 'Wednesday, 30 December 2026'],
  ['UTC', '2028-02-29T12:00:00Z', '2028-03-01T12:00:00Z', 'Yesterday'],
  ['Asia/Kolkata', '2026-11-21T18:30:00Z', '2026-11-22T18:29:59Z', 'Today'],
  // The clocks go back: 25 October lasts 25 hours in Vienna, 1 November in St. John's.
  ['Europe/Vienna', '2026-10-24T12:00:00Z', '2026-10-25T22:30:00Z', 'Yesterday'],
  ['America/St_Johns', '2026-10-31T12:00:00Z', '2026-11-02T03:00:00Z', 'Yesterday'],
  // They go forward: 29 March lasts 23 hours.
  ['Europe/Vienna', '2026-03-29T10:00:00Z', '2026-03-29T22:30:00Z', 'Yesterday'],
  ['Europe/Vienna', '2026-03-28T22:30:00Z', '2026-03-29T22:30:00Z', 'Saturday 28 March'],
])('in %s, the day of %s is shown at %s as "%s"', (timeZone, at, now, text) => {
  expect(dayText(at, now, timeZone)).toBe(text);
});
