/** How long a node may answer from memory after it last looked for its lease, in milliseconds. */
export const LEASE_MS = 1000;
/** The holder ends its lease this much earlier, because clocks run at slightly different speeds. */
const MARGIN_MS = 50;

export interface LeaseClock {
  /** Milliseconds that never go back and do not stop while the process is stopped. */
  monotonic(): number;
  /** Milliseconds of the wall clock, which also counts while the machine sleeps. */
  wall(): number;
}

export const systemClock: LeaseClock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
};

/** A reading of both clocks. */
export interface Moment {
  monotonic: number;
  wall: number;
}

export const readLeaseClock = (clock: LeaseClock): Moment => ({
  monotonic: clock.monotonic(),
  wall: clock.wall(),
});

export interface LeaseTimes {
  leaseMs: number;
  /** How much earlier than `leaseMs` the holder ends its lease. */
  marginMs: number;
  /** How long a round waits for answers before it raises a barrier. */
  answerWithinMs: number;
  /** A barrier that a node has seen for so long was left behind by a process that died. */
  abandonedAfterMs: number;
}

/** The times of a lease of this length. */
export const timesOf = (leaseMs: number): LeaseTimes => ({
  leaseMs,
  marginMs: MARGIN_MS,
  answerWithinMs: 250,
  abandonedAfterMs: 10 * leaseMs,
});

/** True while a lease holds that was looked for at `since`. Reads both clocks and believes the later one. */
export function isHeld(since: Moment, now: Moment, times: LeaseTimes): boolean {
  const lastsMs = times.leaseMs - times.marginMs;
  return now.monotonic - since.monotonic < lastsMs && now.wall - since.wall < lastsMs;
}
