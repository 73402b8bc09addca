const DAY_MS = 86_400_000;

/** Returns the date of `at` in this time zone, as "2026-11-21". */
export const dayOf = (at: string, timeZone: string | undefined): string =>
  new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', timeZone }).format(new Date(at));

// Calculates with dates in UTC: with times, a day has 23 or 25 hours when the clocks change.
const dayBefore = (day: string) =>
  new Date(Date.parse(day) - DAY_MS).toISOString().slice(0, day.length);

/** Returns "Today", "Yesterday" or "Thursday 19 November", with the year if it is another year. */
export function dayText(at: string, now: string, timeZone: string | undefined): string {
  const day = dayOf(at, timeZone);
  const today = dayOf(now, timeZone);
  if (day === today) return 'Today';
  if (day === dayBefore(today)) return 'Yesterday';
  const isThisYear = day.slice(0, 4) === today.slice(0, 4);
  return new Intl.DateTimeFormat('en-GB', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: isThisYear ? undefined : 'numeric',
    timeZone,
  }).format(new Date(at));
}
