import type { Command, Input } from './commands.ts';
import { isHeld, type LeaseTimes, type Moment } from './lease-time.ts';

interface Renewal {
  /** The lease holds from here on, once it is renewed. */
  since: Moment;
  /** Barriers that the node had heard of when it looked. */
  heard: string[];
  renamedTo: string | null;
}

interface Link {
  number: number;
  leaseId: string;
  /** null until the lease is taken: there is no memory before. */
  since: Moment | null;
  renewal: Renewal | null;
  /** Barriers whose message came over this link, or that were there before its memory. */
  heard: string[];
  /** Barriers that were there when the node looked, and when it first saw them. */
  seen: Record<string, Moment>;
}

interface Round {
  phase: 'asking' | 'waiting' | 'raising' | 'blocking' | 'lifting';
  leaseIds: string[];
  /** Addresses. */
  answered: string[];
  /** How often the barrier was raised. */
  raises: number;
}

/** Plain data, so that a test can copy it. */
export interface LeaseState {
  lastLeaseId: string;
  link: Link | null;
  /** Rows that this node may have left in the table. */
  ownLeaseIds: string[];
  rounds: Record<string, Round>;
}

const RAISES_MAX = 3;

/**
 * The protocol of leases (Gray and Cheriton, "Leases", SOSP 1989), without any clock, timer or connection:
 * inputs come in, commands go out. tests/sessions/leases explores every order of them.
 *
 * No lease is ever taken from a node that may still use it. What stands instead:
 *
 * 1. A node answers from memory only while its lease holds, and its row is in the table all that time.
 * 2. A round ends for a node once that node answered this very round: it has then dealt with every message
 *    that was sent before the round.
 * 3. A node that does not answer is outwaited. A barrier is a row and a message in one step. While it is up, no
 *    node renews its lease unless it has heard the message; so after one lease's time, every node has
 *    heard it or its lease has run out.
 * 4. A renewal under a barrier renames the lease. After that time, a lease of the old name has run out for
 *    certain, and its row can go.
 * 5. A lease that ran out takes the memory with it, so no two looks lie further apart than one lease, and no
 *    barrier fits between them.
 */
export class LeaseProtocol {
  readonly #address: string;
  readonly #times: LeaseTimes;
  readonly state: LeaseState;
  #commands: Command[] = [];

  /** @param address has no space in it. */
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

  /** True while memory may answer. */
  isCurrent(now: Moment): boolean {
    const since = this.state.link?.since;
    return since != null && isHeld(since, now, this.#times);
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
        return this.#lose(link, input.why);
      case 'heard':
        return this.#hear(link, input.text);
      case 'taken':
        return this.#startMemory(link, input.barriers);
      case 'renewal due':
        return this.#look(link, now);
      case 'looked':
        return this.#decideRenewal(link, input, now);
      case 'renamed':
        if (!link.renewal?.renamedTo) return;
        if (!input.isDone) return this.#lose(link, 'the lease is gone');
        link.leaseId = link.renewal.renamedTo;
        return this.#renew(link, link.renewal, now);
    }
  }

  #takeLease(number: number, now: Moment): void {
    const leaseId = this.#nextLeaseId();
    const before = this.state.ownLeaseIds;
    this.state.ownLeaseIds = [...before, leaseId];
    const renewal = { since: now, heard: [], renamedTo: null };
    this.state.link = { number, leaseId, since: null, renewal, heard: [], seen: {} };
    this.#commands.push({ do: 'take', link: number, leaseId, before });
  }

  #startMemory(link: Link, barriers: string[]): void {
    if (link.since || !link.renewal) return;
    link.since = link.renewal.since;
    link.renewal = null;
    // What is read from now on was committed after these.
    link.heard = [...new Set([...link.heard, ...barriers])].sort();
    this.state.ownLeaseIds = [link.leaseId];
    this.#commands.push({ do: 'tell link', isUp: true });
  }

  #look(link: Link, now: Moment): void {
    if (!link.since) return;
    if (!this.isCurrent(now)) return this.#lose(link, 'the lease ran out');
    if (link.renewal) return;
    link.renewal = { since: now, heard: [...link.heard], renamedTo: null };
    this.#commands.push({ do: 'look', link: link.number, leaseId: link.leaseId });
  }

  #decideRenewal(
    link: Link,
    { isThere, barriers }: { isThere: boolean; barriers: string[] },
    now: Moment,
  ): void {
    const { renewal } = link;
    if (!renewal) return;
    if (!isThere) return this.#lose(link, 'the lease is gone');
    // A barrier that was heard of before the look and is not there was lifted.
    link.heard = link.heard.filter((one) => barriers.includes(one) || !renewal.heard.includes(one));
    this.#liftAbandoned(link, barriers, now);
    if (barriers.length === 0) return this.#renew(link, renewal, now);
    if (barriers.some((barrier) => !link.heard.includes(barrier))) {
      // The message may be on its way: the next look will tell.
      link.renewal = null;
      return;
    }
    const to = this.#nextLeaseId();
    renewal.renamedTo = to;
    this.state.ownLeaseIds.push(to);
    this.#commands.push({ do: 'rename', link: link.number, from: link.leaseId, to });
  }

  #renew(link: Link, { since }: Renewal, now: Moment): void {
    if (!this.isCurrent(now)) return this.#lose(link, 'the lease ran out');
    link.since = since;
    link.renewal = null;
    this.state.ownLeaseIds = [link.leaseId];
  }

  #liftAbandoned(link: Link, barriers: string[], now: Moment): void {
    link.seen = Object.fromEntries(barriers.map((barrier) => [barrier, link.seen[barrier] ?? now]));
    for (const [round, since] of Object.entries(link.seen)) {
      if (now.monotonic - since.monotonic < this.#times.abandonedAfterMs) continue;
      this.#commands.push({ do: 'lift', round, deadLeaseIds: [] });
    }
  }

  #lose(link: Link, why: string): void {
    const { ownLeaseIds, rounds } = this.state;
    this.state.link = null;
    this.#commands.push({ do: 'drop link', link: link.number, why });
    if (link.since) this.#commands.push({ do: 'tell link', isUp: false });
    // The memory is gone, so other nodes need not wait for this one.
    this.#commands.push({ do: 'give back', leaseIds: ownLeaseIds });
    for (const id of Object.keys(rounds)) this.#answered(id, this.#address);
  }

  #hear(link: Link, text: string): void {
    const [kind, first, rest] = threeOf(text);
    switch (kind) {
      case 'started':
      case 'changed':
      case 'ended': {
        const news = { kind, id: first === '*' ? null : first, userId: rest } as const;
        this.#commands.push({ do: 'tell news', news });
        return;
      }
      case 'answer':
        return this.#answered(first, rest);
      case 'barrier':
        if (!link.heard.includes(first)) link.heard = [...link.heard, first].sort();
        return this.#answer(link, first, rest);
      case 'round':
        return this.#answer(link, first, rest);
    }
  }

  #answer(link: Link, round: string, address: string): void {
    if (address === this.#address) this.#answered(round, address);
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
        this.#commands.push({ do: 'lift', round: id, deadLeaseIds: silentOf(round) });
        return;
      case 'raised':
        round.phase = 'blocking';
        round.leaseIds = input.leaseIds;
        if (isAnswered(round)) return this.#finish(id);
        this.#commands.push({ do: 'wait', round: id, ms: this.#times.leaseMs });
        return;
      case 'lifted':
        // A database that lost the barrier may have lost it too early.
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
    // Without a link no answer would arrive.
    if (link) this.#commands.push({ do: 'ask', round: id });
    else this.#raise(id, round);
  }

  #raise(id: string, round: Round): void {
    round.phase = 'raising';
    round.raises += 1;
    this.#commands.push({ do: 'raise', round: id });
  }

  #answered(id: string, address: string): void {
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

/** A node has one memory, whatever it calls its lease. */
const silentOf = ({ leaseIds, answered }: Round): string[] =>
  leaseIds.filter((leaseId) => !answered.includes(leaseId.split(' ')[0]!));

const isAnswered = (round: Round): boolean => silentOf(round).length === 0;

/** The first two words, and the rest: a user's id is foreign text and may have spaces. */
function threeOf(text: string): [string, string, string] {
  const [kind = '', first = ''] = text.split(' ', 2);
  return [kind, first, text.slice(kind.length + first.length + 2)];
}
