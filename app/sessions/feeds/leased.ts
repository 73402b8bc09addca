import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RevocationFeed } from '../revocation-feed.ts';
import { firstOf } from './first-of.ts';
import { isHeld, LEASE_MS, momentOf, systemClock, type LeaseClock, type Moment } from './lease.ts';
import { createSubscribers } from './subscribers.ts';

/** A link that is up: what is told to all is heard over it, in the order in which it was told. */
export interface LeaseLink {
  /** Tells one node. */
  send(address: string, text: string): Promise<unknown>;
  /** Takes a lease, and gives back those that this node had before. */
  take(leaseId: string, before: readonly string[]): Promise<unknown>;
  /** False when the lease was taken away. */
  holds(leaseId: string): Promise<boolean>;
  giveBack(leaseId: string): Promise<unknown>;
  /** Lets go of the connection, also when it is broken. */
  close(): Promise<unknown>;
}

export interface RoundBegun {
  /** Leases that there are, looked at after all nodes were told. */
  leaseIds: string[];
  /** So long, in milliseconds, there may be others that nobody knows of: those who kept them lost them. */
  unknownForMs: number;
}

/** Where news and leases travel; PostgreSQL and Redis are two. */
export interface LeaseTransport {
  /** Where this node alone is told something. */
  ownAddress: string;
  /**
   * @param heard gets everything that is told to all, and to this node.
   * @param lost called when something may have been missed; any number of times.
   */
  open(heard: (text: string) => void, lost: (why: string) => void): Promise<LeaseLink>;
  /** Tells this node something, over another connection than its link. */
  sayToSelf(text: string): Promise<unknown>;
  /** Tells all nodes, after everything that was committed before; then looks who holds a lease. */
  beginRound(text: string): Promise<RoundBegun>;
  takeAway(leaseIds: string[]): Promise<unknown>;
}

export interface LeasedFeedOptions {
  transport: LeaseTransport;
  publish: RevocationFeed['publish'];
  log: Pick<Console, 'info' | 'warn'>;
  /** For tests. */
  clock?: LeaseClock;
  leaseMs?: number;
}

/** How long a node may take to say that it has heard, before its lease is taken away. */
const ANSWER_WITHIN_MS = 250;
const HELLO_WITHIN_MS = 2000;
/** A connection may hang for as long as its system lets it. */
const LINK_WITHIN_MS = 10_000;
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 5000;
/** A lease is renewed so often in its time. */
const RENEWALS = 4;

/** A link that is up, and the lease that is held by it. */
interface Held {
  link: LeaseLink;
  leaseId: string;
  since: Moment;
}

/**
 * News under leases (Gray and Cheriton, "Leases", SOSP 1989). A node that answers from memory holds a
 * lease and looks for it four times in its length: found, it may go on for that long from before it
 * looked. {@link RevocationFeed.settle} sends a round to all after the commit; each answers once it has
 * dealt with everything before it. Whoever does not answer loses its lease, so that it cannot renew,
 * and the time of it is waited out. No clock of one machine is compared with another's.
 */
export function leasedFeed(options: LeasedFeedOptions): RevocationFeed {
  const { transport, publish, log, clock = systemClock, leaseMs = LEASE_MS } = options;
  const subscribers = createSubscribers();
  /** What is waited for, by its id: answers of rounds, and the first word over a new link. */
  const waiting = new Map<string, (leaseId: string) => void>();
  /** Leases that this node has taken; it answers by none but that of its link. */
  const owned = new Set<string>();
  let held: Held | null = null;
  let isClosed = false;
  let retryMs = RETRY_FIRST_MS;
  let isBroken = false;
  const closing = new AbortController();
  const pause = (ms: number) =>
    sleep(ms, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);

  const hear = (link: LeaseLink | null, text: string) => {
    const [kind, first, rest] = threeOf(text);
    switch (kind) {
      case 'started':
      case 'changed':
      case 'ended':
        return subscribers.tell({ kind, id: first === '*' ? null : first, userId: rest });
      case 'hello':
      case 'answer':
        return waiting.get(first)?.(rest);
      case 'round': {
        if (!held || held.link !== link) return;
        if (rest === transport.ownAddress) return waiting.get(first)?.(held.leaseId);
        link.send(rest, `answer ${first} ${held.leaseId}`).catch(() => undefined);
      }
    }
  };

  const lose = (link: LeaseLink | null, why: string) => {
    link?.close().catch(() => undefined);
    if (!held || held.link !== link) return;
    held = null;
    subscribers.tellLink(false);
    if (isClosed) return;
    isBroken = true;
    log.warn(`the news of sessions are cut off (${why}); every request reads its row`);
  };

  const linkUp = async (givenUp: AbortSignal): Promise<void> => {
    let link: LeaseLink | null = null;
    const losses: string[] = [];
    link = await transport.open(
      (text) => hear(link, text),
      (why) => {
        losses.push(why);
        lose(link, why);
      },
    );
    try {
      await hello();
      const leaseId = randomUUID();
      // Nobody need wait for what this node had before.
      const before = [...owned];
      owned.add(leaseId);
      const since = momentOf(clock);
      await link.take(leaseId, before);
      if (losses[0] !== undefined) throw new Error(losses[0]);
      if (closing.signal.aborted || givenUp.aborted) {
        await link.giveBack(leaseId);
        throw new Error('nobody waits for this link any more');
      }
      for (const id of before) owned.delete(id);
      held = { link, leaseId, since };
      // Memory starts empty, and streams look at their rows.
      subscribers.tellLink(true);
    } catch (error) {
      link.close().catch(() => undefined);
      throw error;
    }
  };

  // A pooler hands each transaction to another connection, and notifications to nobody.
  const hello = async (): Promise<void> => {
    const id = randomUUID();
    const heard = new Promise<true>((resolve) => waiting.set(id, () => resolve(true)));
    try {
      await transport.sayToSelf(`hello ${id}`);
      if (!(await firstOf(heard, { orAfterMs: HELLO_WITHIN_MS, answer: false }))) {
        throw new Error('notifications do not arrive: is there a pooler in between?');
      }
    } finally {
      waiting.delete(id);
    }
  };

  const renew = async (mine: Held): Promise<void> => {
    const since = momentOf(clock);
    if (!(await mine.link.holds(mine.leaseId))) throw new Error('the lease was taken away');
    mine.since = since;
  };

  const tryToLink = async (): Promise<void> => {
    const givenUp = new AbortController();
    const failure = await firstOf(
      linkUp(givenUp.signal).then(() => null, messageOf),
      { orAfterMs: LINK_WITHIN_MS, answer: 'no answer' },
    );
    givenUp.abort();
    if (closing.signal.aborted) return;
    if (failure === null) {
      if (isBroken) log.info('the news of sessions arrive again');
      isBroken = false;
      retryMs = RETRY_FIRST_MS;
      return;
    }
    if (!isBroken) log.warn(`no news of sessions (${failure}); every request reads its row`);
    isBroken = true;
    await pause(retryMs * (1 + Math.random()));
    retryMs = Math.min(RETRY_LAST_MS, retryMs * 2);
  };

  /** Links, and renews for as long as there is a link; then begins anew. */
  const keepLinked = async (): Promise<void> => {
    while (!isClosed) {
      if (!held) {
        await tryToLink();
        continue;
      }
      const mine: Held = held;
      await pause(leaseMs / RENEWALS);
      if (closing.signal.aborted || held !== mine) continue;
      // When no answer comes the lease runs out by itself meanwhile.
      const failure = await firstOf(
        renew(mine).then(() => null, messageOf),
        { orAfterMs: leaseMs, answer: 'no answer about the lease' },
      );
      if (failure !== null) lose(mine.link, failure);
    }
  };

  const round = async (): Promise<void> => {
    const id = randomUUID();
    const answered = new Set<string>();
    let look = () => {};
    waiting.set(id, (leaseId) => {
      answered.add(leaseId);
      look();
    });
    try {
      const { leaseIds, unknownForMs } = await transport.beginRound(
        `round ${id} ${transport.ownAddress}`,
      );
      const unknown = sleep(unknownForMs);
      const isOver = (leaseId: string) =>
        answered.has(leaseId) || (owned.has(leaseId) && held?.leaseId !== leaseId);
      const missing = () => leaseIds.filter((leaseId) => !isOver(leaseId));
      const all = new Promise<true>((resolve) => {
        look = () => {
          if (missing().length === 0) resolve(true);
        };
        look();
      });
      if (!(await firstOf(all, { orAfterMs: ANSWER_WITHIN_MS, answer: false }))) {
        // Without it none of them renews; what they had is over in one lease's time at the latest.
        const silent = missing();
        if (silent.length > 0) await transport.takeAway(silent);
        await firstOf(all, { orAfterMs: leaseMs, answer: false });
      }
      await unknown;
    } finally {
      waiting.delete(id);
    }
  };

  let current: Promise<void> | null = null;
  let next = null as Promise<void> | null;
  /** Who asks while a round is under way shares the one after it: theirs was committed too late for it. */
  const settle = (): Promise<void> => {
    if (next) return next;
    const before = current ?? Promise.resolve();
    const mine = before
      .catch(() => undefined)
      .then(() => {
        current = mine;
        next = null;
        return round();
      })
      .finally(() => {
        if (current === mine) current = null;
      });
    next = mine;
    return mine;
  };

  void keepLinked();

  return {
    publish,
    subscribe: (listener) => subscribers.subscribe(listener),
    onLink: (listener) => subscribers.onLink(listener),
    isCurrent: () => held !== null && isHeld(held.since, clock, leaseMs),
    settle,
    async close() {
      isClosed = true;
      closing.abort();
      const last = held;
      held = null;
      subscribers.clear();
      if (!last) return;
      await last.link.giveBack(last.leaseId).catch(() => undefined);
      await last.link.close().catch(() => undefined);
    },
  };
}

/** The first two words, and the rest: ids of users are somebody else's, and may have spaces. */
function threeOf(text: string): [string, string, string] {
  const [kind = '', first = ''] = text.split(' ', 2);
  return [kind, first, text.slice(kind.length + first.length + 2)];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
