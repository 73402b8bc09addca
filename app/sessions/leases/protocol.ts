import type { Command, Input } from './commands.ts';
import { isLeaseValid, type LeaseTimes, type Moment } from './lease-time.ts';

interface Renewal {
  /** The start of the renewed lease. */
  since: Moment;
  /** Barriers that the node knew when it checked its lease. */
  knownBarriers: string[];
  renamedTo: string | null;
}

interface Link {
  number: number;
  leaseId: string;
  /** null until the node has a lease. It caches nothing before. */
  since: Moment | null;
  renewal: Renewal | null;
  /** Barriers whose message this link received, or that existed before the node began to cache. */
  knownBarriers: string[];
  /** For each barrier of the last check: when the node saw it first. */
  firstSeenAt: Record<string, Moment>;
}

interface Round {
  phase: 'asking' | 'waiting' | 'raising' | 'blocking' | 'lifting';
  leaseIds: string[];
  /** Addresses of the nodes that answered. */
  answered: string[];
  /** How often the barrier was raised. */
  raises: number;
}

/** The state of a node, as plain data that a test can copy. */
export interface LeaseState {
  lastLeaseId: string;
  link: Link | null;
  /** Leases of this node that may exist in the database. */
  ownLeaseIds: string[];
  rounds: Record<string, Round>;
}

const RAISES_MAX = 3;

/**
 * The lease protocol of one node (Gray and Cheriton, "Leases", SOSP 1989), without a clock, timer or
 * connection: it takes inputs and returns commands. tests/sessions/leases explores every order of them.
 *
 * The protocol never takes a lease from a node that may still use it. Instead:
 *
 * 1. A node answers from its cache only while its lease is valid. The lease has a row all that time.
 * 2. A round no longer waits for a node once the node has answered this round. The node has then processed
 *    every message that was sent before the round.
 * 3. A round waits for the lease of a silent node to expire. It raises a barrier, which is a row and a
 *    message in one atomic step. While the barrier exists, a node renews its lease only if it has received
 *    the message. So after the time of one lease, each node has received it or its lease has expired.
 * 4. A renewal under a barrier renames the lease. So after that time, a lease of the old name has certainly
 *    expired, and its row can be deleted.
 * 5. When its lease expires, a node clears its cache. So two checks are never further apart than one lease,
 *    and no barrier can appear and disappear between them.
 */
export class LeaseProtocol {
  readonly #address: string;
  readonly #times: LeaseTimes;
  readonly state: LeaseState;
  #commands: Command[] = [];

  /** @param address must not contain a space. */
  constructor(address: string, times: LeaseTimes, state?: LeaseState) {
    this.#address = address;
    this.#times = times;
    this.state = state ?? {
      lastLeaseId: `${address} 0`,
      link: null,
      ownLeaseIds: [],
      rounds: {},
    };
  }

  /** True while the cache may answer. */
  isCurrent(now: Moment): boolean {
    const since = this.state.link?.since;
    return since != null && isLeaseValid(since, now, this.#times);
  }

  apply(input: Input, now: Moment): Command[] {
    this.#commands = [];
    if ('round' in input) this.#applyToRound(input);
    else if (input.kind === 'link opened') this.#takeLease(input.link, now);
    else if (this.state.link?.number === input.link) this.#applyToLink(this.state.link, input, now);
    return this.#commands;
  }

  #applyToLink(
    link: Link,
    input: Exclude<Extract<Input, { link: number }>, { kind: 'link opened' }>,
    now: Moment,
  ): void {
    switch (input.kind) {
      case 'link lost':
        return this.#loseLink(link, input.why);
      case 'received':
        return this.#receive(link, input.text);
      case 'taken':
        return this.#startCaching(link, input.barriers);
      case 'renewal due':
        return this.#checkLease(link, now);
      case 'checked':
        return this.#decideRenewal(link, input, now);
      case 'renamed':
        if (!link.renewal?.renamedTo) return;
        if (!input.isDone) return this.#loseLink(link, 'the lease is gone');
        link.leaseId = link.renewal.renamedTo;
        return this.#renew(link, link.renewal, now);
    }
  }

  #takeLease(number: number, now: Moment): void {
    const leaseId = this.#nextLeaseId();
    const before = this.state.ownLeaseIds;
    this.state.ownLeaseIds = [...before, leaseId];
    const renewal = { since: now, knownBarriers: [], renamedTo: null };
    this.state.link = {
      number,
      leaseId,
      since: null,
      renewal,
      knownBarriers: [],
      firstSeenAt: {},
    };
    this.#commands.push({ do: 'take', link: number, leaseId, before });
  }

  #startCaching(link: Link, barriers: string[]): void {
    if (link.since || !link.renewal) return;
    link.since = link.renewal.since;
    link.renewal = null;
    // Every read from now on sees the commits before these barriers.
    link.knownBarriers = [...new Set([...link.knownBarriers, ...barriers])].sort();
    this.state.ownLeaseIds = [link.leaseId];
    this.#commands.push({ do: 'report link', isUp: true });
  }

  #checkLease(link: Link, now: Moment): void {
    if (!link.since) return;
    if (!this.isCurrent(now)) return this.#loseLink(link, 'the lease ran out');
    if (link.renewal) return;
    link.renewal = { since: now, knownBarriers: [...link.knownBarriers], renamedTo: null };
    this.#commands.push({ do: 'check', link: link.number, leaseId: link.leaseId });
  }

  #decideRenewal(
    link: Link,
    { isThere, barriers }: { isThere: boolean; barriers: string[] },
    now: Moment,
  ): void {
    const { renewal } = link;
    if (!renewal) return;
    if (!isThere) return this.#loseLink(link, 'the lease is gone');
    // Forgets barriers that were lifted: those that the node knew before the check and that are gone.
    link.knownBarriers = link.knownBarriers.filter(
      (barrier) => barriers.includes(barrier) || !renewal.knownBarriers.includes(barrier),
    );
    this.#liftAbandoned(link, barriers, now);
    if (barriers.length === 0) return this.#renew(link, renewal, now);
    if (barriers.some((barrier) => !link.knownBarriers.includes(barrier))) {
      // The message may still arrive, so the next check decides.
      link.renewal = null;
      return;
    }
    const to = this.#nextLeaseId();
    renewal.renamedTo = to;
    this.state.ownLeaseIds.push(to);
    this.#commands.push({ do: 'rename', link: link.number, from: link.leaseId, to });
  }

  #renew(link: Link, { since }: Renewal, now: Moment): void {
    if (!this.isCurrent(now)) return this.#loseLink(link, 'the lease ran out');
    link.since = since;
    link.renewal = null;
    this.state.ownLeaseIds = [link.leaseId];
  }

  #liftAbandoned(link: Link, barriers: string[], now: Moment): void {
    link.firstSeenAt = Object.fromEntries(
      barriers.map((barrier) => [barrier, link.firstSeenAt[barrier] ?? now]),
    );
    for (const [round, since] of Object.entries(link.firstSeenAt)) {
      if (now.monotonic - since.monotonic < this.#times.abandonedAfterMs) continue;
      this.#commands.push({ do: 'lift', round, deadLeaseIds: [] });
    }
  }

  #loseLink(link: Link, why: string): void {
    const { ownLeaseIds, rounds } = this.state;
    this.state.link = null;
    this.#commands.push({ do: 'drop link', link: link.number, why });
    if (link.since) this.#commands.push({ do: 'report link', isUp: false });
    // The cache is empty now, so other nodes need not wait for this one.
    this.#commands.push({ do: 'release', leaseIds: ownLeaseIds });
    for (const id of Object.keys(rounds)) this.#recordAnswer(id, this.#address);
  }

  #receive(link: Link, text: string): void {
    const [kind, first, rest] = splitMessage(text);
    switch (kind) {
      case 'started':
      case 'changed':
      case 'ended': {
        const event = { kind, id: first === '*' ? null : first, userId: rest } as const;
        this.#commands.push({ do: 'deliver event', event });
        return;
      }
      case 'answer':
        return this.#recordAnswer(first, rest);
      case 'barrier':
        if (!link.knownBarriers.includes(first)) {
          link.knownBarriers = [...link.knownBarriers, first].sort();
        }
        return this.#answer(link, first, rest);
      case 'round':
        return this.#answer(link, first, rest);
    }
  }

  #answer(link: Link, round: string, address: string): void {
    if (address === this.#address) this.#recordAnswer(round, address);
    else this.#commands.push({ do: 'answer', link: link.number, address, round });
  }

  #applyToRound(input: Extract<Input, { round: string }>): void {
    const id = input.round;
    if (input.kind === 'settle') return this.#begin(id);
    const round = this.state.rounds[id];
    if (!round) return;
    switch (input.kind) {
      case 'asked':
        round.phase = 'waiting';
        round.leaseIds = input.leaseIds;
        if (isAnswered(round)) return this.#finish(id);
        this.#commands.push({ do: 'wait', round: id, ms: this.#times.answerWithinMs });
        return;
      case 'waited':
        if (round.phase === 'waiting') return this.#raise(id, round);
        round.phase = 'lifting';
        this.#commands.push({ do: 'lift', round: id, deadLeaseIds: silentLeaseIds(round) });
        return;
      case 'raised':
        round.phase = 'blocking';
        round.leaseIds = input.leaseIds;
        if (isAnswered(round)) return this.#finish(id);
        this.#commands.push({ do: 'wait', round: id, ms: this.#times.leaseMs });
        return;
      case 'lifted':
        // If the database lost the barrier, it may have lost it too early.
        if (input.wasUp) return this.#finish(id);
        if (round.raises < RAISES_MAX) return this.#raise(id, round);
        return this.#finish(id, 'the database loses barriers');
      case 'failed':
        return this.#finish(id, input.why);
    }
  }

  #begin(id: string): void {
    const { link } = this.state;
    const answered = link ? [] : [this.#address];
    const round: Round = { phase: 'asking', leaseIds: [], answered, raises: 0 };
    this.state.rounds[id] = round;
    // Without a link, no answers can arrive.
    if (link) this.#commands.push({ do: 'ask', round: id });
    else this.#raise(id, round);
  }

  #raise(id: string, round: Round): void {
    round.phase = 'raising';
    round.raises += 1;
    this.#commands.push({ do: 'raise', round: id });
  }

  #recordAnswer(id: string, address: string): void {
    const round = this.state.rounds[id];
    if (!round || round.answered.includes(address)) return;
    round.answered = [...round.answered, address].sort();
    const isWaiting = round.phase === 'waiting' || round.phase === 'blocking';
    if (isWaiting && isAnswered(round)) this.#finish(id);
  }

  #finish(id: string, failure: string | null = null): void {
    const { [id]: round, ...others } = this.state.rounds;
    this.state.rounds = others;
    if (round?.phase === 'blocking') {
      this.#commands.push({ do: 'lift', round: id, deadLeaseIds: [] });
    }
    this.#commands.push({ do: 'finish', round: id, failure });
  }

  #nextLeaseId(): string {
    const turn = Number(this.state.lastLeaseId.split(' ')[1]) + 1;
    this.state.lastLeaseId = `${this.#address} ${turn}`;
    return this.state.lastLeaseId;
  }
}

/** Returns the leases of nodes that have not answered. A node has one cache under any name of its lease. */
const silentLeaseIds = ({ leaseIds, answered }: Round): string[] =>
  leaseIds.filter((leaseId) => !answered.includes(leaseId.split(' ')[0]!));

const isAnswered = (round: Round): boolean => silentLeaseIds(round).length === 0;

/** Returns the first two words and the rest, because a user's id may contain spaces. */
function splitMessage(text: string): [string, string, string] {
  const [kind = '', first = ''] = text.split(' ', 2);
  return [kind, first, text.slice(kind.length + first.length + 2)];
}
