/** How long a node's cache may answer after the node last checked its lease, in milliseconds. */
export const LEASE_MS = 1000;
/** The node ends its lease earlier by this, because clocks run at slightly different speeds. */
const MARGIN_MS = 50;

export interface LeaseClock {
  /** Milliseconds that never go back, and that continue while the process is stopped. */
  monotonic(): number;
  /** Milliseconds of the wall clock, which continues while the machine sleeps. */
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
  /** How much earlier than `leaseMs` a node ends its own lease. */
  marginMs: number;
  /** How long a round waits for answers before it raises a barrier. */
  answerWithinMs: number;
  /** After this time a barrier counts as abandoned by a process that died. */
  abandonedAfterMs: number;
}

/** Returns the times for a lease of this length. */
export const leaseTimesFor = (leaseMs: number): LeaseTimes => ({
  leaseMs,
  marginMs: MARGIN_MS,
  answerWithinMs: 250,
  abandonedAfterMs: 10 * leaseMs,
});

/** True while a lease that was checked at `since` is valid. Of the two clocks, the later one decides. */
export function isLeaseValid(since: Moment, now: Moment, times: LeaseTimes): boolean {
  const lastsMs = times.leaseMs - times.marginMs;
  return now.monotonic - since.monotonic < lastsMs && now.wall - since.wall < lastsMs;
}
