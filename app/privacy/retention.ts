import { DAY_MS, HOUR_MS } from '#app/sessions/index.ts';

/**
 * How long what is kept outlives its use, once, for the schedule that deletes it and for every page
 * that says so. The two that an environment sets come with their default; what holds is said by
 * `Sessions.retentionMs` and `ActivityLog.retentionDays`.
 *
 * There is no period for accounts whose e-mail was never proven: where mail is on, none is made before
 * the code has come back, and where it is off none can prove it, so that they are as good as any.
 */
export const retention = {
  /** `SESSION_RETENTION_DAYS`: after it ended. */
  endedSessionMs: 30 * DAY_MS,
  /** `ACTIVITY_RETENTION_DAYS`: after it happened. */
  activityMs: 180 * DAY_MS,
  /** After it is no good any more. */
  mailedCodeMs: DAY_MS,
  /** What worked once is remembered for as long as it could be brought again, and no longer. */
  spentMs: 0,
  /** The longest window in which tries are counted. */
  countersMs: HOUR_MS,
  /** Mail that cannot be sent is given up when it is of no use any more; the longest is of use for this long. */
  waitingMailMs: 7 * DAY_MS,
  /**
   * After an erasure. A restore needs the receipt to purge once more what an older backup brings back,
   * so it has to outlive the oldest backup that anybody keeps; and it names nobody.
   */
  erasureReceiptMs: 3 * 365 * DAY_MS,
} as const;
