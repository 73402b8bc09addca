/** How long a node may answer from memory after it last asked for leave, in milliseconds. */
export const LEASE_MS = 2000;
/** It ends so much earlier for whoever holds it: clocks run at slightly different speeds. */
const MARGIN_MS = 50;

export interface LeaseClock {
  /** Milliseconds that never go back and do not stop while the process is stopped. */
  monotonic(): number;
  /** Milliseconds of the wall clock, which goes on while the machine sleeps. */
  wall(): number;
}

export const systemClock: LeaseClock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
};

/** A moment from which a lease is reckoned: taken before leave is asked for. */
export interface Moment {
  monotonic: number;
  wall: number;
}

export const momentOf = (clock: LeaseClock): Moment => ({
  monotonic: clock.monotonic(),
  wall: clock.wall(),
});

/** True while a lease that was asked for at this moment holds; by either clock, whichever is ahead. */
export function isHeld(since: Moment, clock: LeaseClock, leaseMs: number): boolean {
  const lastsMs = leaseMs - MARGIN_MS;
  return clock.monotonic() - since.monotonic < lastsMs && clock.wall() - since.wall < lastsMs;
}
