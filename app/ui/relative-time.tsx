import { useEffect, useState } from 'react';
import { useHydrated } from './use-hydrated.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const UPDATE_INTERVAL_MS = 30_000;

/** How many of each unit are told before the next one takes over. */
const UNITS: [fewerThan: number, unitMs: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, MINUTE_MS, 'minute'],
  [24, HOUR_MS, 'hour'],
  [30, DAY_MS, 'day'],
  [12, 30 * DAY_MS, 'month'],
  [Infinity, 365 * DAY_MS, 'year'],
];

const format = new Intl.RelativeTimeFormat('en', { numeric: 'always' });

/** "2 minutes ago", "in 13 days"; "just now" within a minute. */
export function relativeTime(at: Date, now: Date): string {
  const distanceMs = at.getTime() - now.getTime();
  if (Math.abs(distanceMs) < MINUTE_MS) return distanceMs > 0 ? 'in a minute' : 'just now';
  // What is past is past in full; what lies ahead is told to the nearest.
  const count = (unitMs: number) =>
    distanceMs < 0 ? Math.ceil(distanceMs / unitMs) : Math.round(distanceMs / unitMs);
  const [, unitMs, unit] = UNITS.find(([limit, length]) => Math.abs(count(length)) < limit)!;
  // Twelve months of thirty days are a few days short of a year.
  return format.format(count(unitMs) || Math.sign(distanceMs), unit);
}

/** "21 November 2026 at 14:05:09 UTC". */
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
  /** The server's time when the page was made: what both sides reckon from. */
  now: string;
  /** Before the time: "Active". */
  prefix?: string;
}

/**
 * A time as people say it, with the exact time on hover and for assistive technology: in UTC as
 * it comes from the server, in the reader's own time zone once scripts run, and kept up to date.
 */
export function RelativeTime({ at, now, prefix }: RelativeTimeProps) {
  const [elapsedMs, setElapsedMs] = useState(0);
  const timeZone = useHydrated() ? timeZoneHere() : 'UTC';

  useEffect(() => {
    const startedAt = performance.now();
    // The server's clock decides, whatever this device believes.
    const timer = setInterval(
      () => setElapsedMs(performance.now() - startedAt),
      UPDATE_INTERVAL_MS,
    );
    return () => clearInterval(timer);
  }, [now]);

  const date = new Date(at);
  const reckonedNow = new Date(new Date(now).getTime() + elapsedMs);
  const exact = exactTime(date, timeZone);
  return (
    <time dateTime={at} title={exact}>
      {prefix ? `${prefix} ` : ''}
      {relativeTime(date, reckonedNow)}
      <span className="sr-only"> ({exact})</span>
    </time>
  );
}
