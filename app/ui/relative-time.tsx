import { useEffect, useState } from 'react';
import { useHydrated } from './use-hydrated.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const UPDATE_INTERVAL_MS = 30_000;

/** Each unit, with the count from which the next unit is used. */
const UNITS: [fewerThan: number, unitMs: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, MINUTE_MS, 'minute'],
  [24, HOUR_MS, 'hour'],
  [30, DAY_MS, 'day'],
  [12, 30 * DAY_MS, 'month'],
  [Infinity, 365 * DAY_MS, 'year'],
];

const format = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

/** Returns "2 minutes ago", "in 13 days", or "just now" for the last minute. */
export function relativeTime(at: Date, now: Date): string {
  const distanceMs = at.getTime() - now.getTime();
  if (Math.abs(distanceMs) < MINUTE_MS) return distanceMs > 0 ? 'in a minute' : 'just now';
  // Rounds a past time down to full units, and a future time to the nearest unit.
  const count = (unitMs: number) =>
    distanceMs < 0 ? Math.ceil(distanceMs / unitMs) : Math.round(distanceMs / unitMs);
  const [, unitMs, unit] = UNITS.find(([limit, length]) => Math.abs(count(length)) < limit)!;
  // The count of years can be 0, because twelve months of 30 days are shorter than a year.
  return format.format(count(unitMs) || Math.sign(distanceMs), unit);
}

/** Returns "21 November 2026 at 14:05:09 UTC". */
export function exactTime(at: Date, timeZone?: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'long',
    timeStyle: 'long',
    timeZone,
  }).format(at);
}

const timeZoneHere = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

interface RelativeTimeProps {
  at: string;
  /** The server's time when the page was rendered; server and browser calculate from it. */
  now: string;
  /** Shown before the time, such as "Active". */
  prefix?: string;
}

/**
 * A relative time, with the exact time on hover and for assistive technology. The server renders it in
 * UTC; scripts show the user's time zone and keep it up to date.
 */
export function RelativeTime({ at, now, prefix }: RelativeTimeProps) {
  const [elapsedMs, setElapsedMs] = useState(0);
  const timeZone = useHydrated() ? timeZoneHere() : 'UTC';

  useEffect(() => {
    const startedAt = performance.now();
    // Adds elapsed time to the server's time, because this device's clock may be wrong.
    const timer = setInterval(
      () => setElapsedMs(performance.now() - startedAt),
      UPDATE_INTERVAL_MS,
    );
    return () => clearInterval(timer);
  }, [now]);

  const date = new Date(at);
  const currentTime = new Date(new Date(now).getTime() + elapsedMs);
  const exact = exactTime(date, timeZone);
  return (
    <time dateTime={at} title={exact}>
      {prefix ? `${prefix} ` : ''}
      {relativeTime(date, currentTime)}
      <span className="sr-only"> ({exact})</span>
    </time>
  );
}
