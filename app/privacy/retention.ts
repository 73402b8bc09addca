import { DAY_MS, HOUR_MS } from '#app/sessions/index.ts';

/**
 * The retention periods, for the schedule that deletes data and for every page that shows a period. Two
 * of them are defaults that the environment can change: `Sessions.retentionMs` and
 * `ActivityLog.retentionDays` have the actual values.
 *
 * Accounts with an unverified e-mail have no period. With mail on, no account exists before its e-mail
 * is verified; with mail off, no e-mail can be verified.
 */
export const retention = {
  /** `SESSION_RETENTION_DAYS`: after the session ended. */
  endedSessionMs: 30 * DAY_MS,
  /** `ACTIVITY_RETENTION_DAYS`: after the event. */
  activityMs: 180 * DAY_MS,
  /** After the code has expired. */
  mailedCodeMs: DAY_MS,
  /** After a one-time value has expired: its digest is useless from then on. */
  spentMs: 0,
  /** The longest window of a rate limit. */
  countersMs: HOUR_MS,
  /** The longest time until a queued mail expires and is no longer sent. */
  waitingMailMs: 7 * DAY_MS,
  /**
   * After the erasure. A restore needs the receipt to repeat the erasure on an older backup, so it must
   * be kept longer than any backup. It does not identify the user.
   */
  erasureReceiptMs: 3 * 365 * DAY_MS,
} as const;
