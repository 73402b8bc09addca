import type { Command, Input } from '#app/sessions/leases/commands.ts';
import type { LeaseTimes, Moment } from '#app/sessions/leases/lease-time.ts';
import type { LeaseProtocol, LeaseState } from '#app/sessions/leases/protocol.ts';

export type Protocol = typeof LeaseProtocol;

/**
 * The length of a lease in ticks, the unit of time here. Every stored moment is relative to now, so that
 * equivalent states are equal.
 */
const LEASE = 2;
/** Ticks after which a barrier counts as abandoned, unless {@link Bounds.isPatient}. */
const ABANDONED_AFTER = 3;

export interface Bounds {
  nodes: number;
  sessions: number;
  /** Number of nodes that revoke, counted from the first. Default: all. */
  revokers?: number;
  /** Number of nodes that never renew their lease, counted from the first. Default: none. */
  idlers?: number;
  /** The length of a lease in ticks. Default 2. */
  lease?: number;
  /** Number of links that break, over all nodes. */
  breaks: number;
  /** Number of links that are opened, over all nodes. */
  opens: number;
  /** How often the database loses its barriers, as it may when it restarts. */
  losses: number;
  /** Number of reads of a row, over all nodes. */
  reads: number;
  /**
   * Statements of a round run before the next tick, and its timers fire when they are due. Messages and
   * everything else may still take forever.
   */
  isPrompt?: boolean;
  /** No barrier counts as abandoned. */
  isPatient?: boolean;
  /** Every step of a statement is a separate action. By default, equivalent steps run together. */
  isFine?: boolean;
}

interface Statement {
  command: Command;
  step: number;
  reply: Input | null;
}

interface Node {
  protocol: LeaseState;
  /** For each session: whether it is in the cache. */
  cache: boolean[];
  /** Pending reads by session; null once the session was invalidated during the read. */
  reading: (number | null)[];
  /** Messages in transit over the link; null if the database has no link. */
  inbox: string[] | null;
  linksOpened: number;
  statements: Statement[];
  timers: { round: string; left: number }[];
}

export interface World {
  /** The rows in the database. */
  leases: string[];
  barriers: string[];
  /** For each session: null while it is live; the ticks since its revoke began; -1 once that returned. */
  revokes: (number | null)[];
  nodes: Node[];
  left: { breaks: number; opens: number; losses: number; reads: number };
}

export interface Action {
  what:
    | 'tick'
    | 'lose barriers'
    | 'deliver'
    | 'execute'
    | 'reply'
    | 'timer'
    | 'renew'
    | 'break'
    | 'open'
    | 'read'
    | 'cache row'
    | 'revoke';
  node: number;
  at: number;
}

const leaseTimesFor = ({ isPrompt, isPatient, lease = LEASE }: Bounds): LeaseTimes => ({
  leaseMs: lease,
  marginMs: 0,
  // Otherwise timers may fire late anyway, so they may as well be due at once.
  answerWithinMs: isPrompt ? 1 : 0,
  abandonedAfterMs: isPatient ? Infinity : ABANDONED_AFTER,
});

const NOW: Moment = { monotonic: 0, wall: 0 };
const RETURNED = -1;
const addressOf = (node: number) => `n${node}`;
/** Maximum duration of a revoke in ticks if the database is prompt. */
const LONGEST_REVOKE = 1 + LEASE;

/** Returns the first state: every node has a link, a new lease, and every session in its cache. */
export function firstWorld(bounds: Bounds, Protocol: Protocol): World {
  const { nodes, sessions, breaks, opens, losses, reads } = bounds;
  const addresses = Array.from({ length: nodes }, (_, node) => addressOf(node));
  const createNode = (address: string): Node => {
    const protocol = new Protocol(address, leaseTimesFor(bounds));
    protocol.apply({ kind: 'link opened', link: 1 }, NOW);
    protocol.apply({ kind: 'taken', link: 1, barriers: [] }, NOW);
    return {
      protocol: protocol.state,
      cache: Array<boolean>(sessions).fill(true),
      reading: [],
      inbox: [],
      linksOpened: 1,
      statements: [],
      timers: [],
    };
  };
  return {
    leases: addresses.map((address) => `${address} 1`),
    barriers: [],
    revokes: Array<null>(sessions).fill(null),
    nodes: addresses.map(createNode),
    left: { breaks, opens, losses, reads },
  };
}

/** Returns the actions that are possible in this state. */
export function actionsOf(world: World, bounds: Bounds): Action[] {
  const { isPrompt, isFine, revokers = bounds.nodes, idlers = 0, lease = LEASE } = bounds;
  const actions: Action[] = [];
  const add = (what: Action['what'], node: number, at = 0) => actions.push({ what, node, at });
  // Nodes and sessions are symmetric, so node 0 revokes first, and session 0 is revoked first.
  const nextRevoke = world.revokes.indexOf(null);
  world.nodes.forEach((node, n) => {
    node.statements.forEach(({ reply }, at) => add(reply ? 'reply' : 'execute', n, at));
    node.timers.forEach(({ left }, at) => left === 0 && add('timer', n, at));
    if (node.inbox?.length) add('deliver', n);
    const { link } = node.protocol;
    if (link) {
      const age = -(link.since?.monotonic ?? 0);
      // A second check in the same tick would not extend a lease.
      const isUseful = isFine ? !link.renewal : !link.renewal && age > 0;
      if (link.since && n >= idlers && (isUseful || age >= lease)) add('renew', n);
      if (world.left.breaks > 0) add('break', n);
    } else if (world.left.opens > 0) add('open', n);
    if (world.left.reads > 0 && link?.since) {
      node.cache.forEach((isCached, session) => {
        if (!isCached && world.revokes[session] === null) add('read', n, session);
      });
    }
    node.reading.forEach((_, at) => add('cache row', n, at));
    if ((nextRevoke > 0 && n < revokers) || (nextRevoke === 0 && n === 0))
      add('revoke', n, nextRevoke);
  });
  if (!isPrompt || !isRoundDue(world)) add('tick', 0);
  if (world.left.losses > 0 && world.barriers.length > 0) add('lose barriers', 0);
  return actions;
}

/** True while a round has a step that does not wait for other nodes. */
const isRoundDue = ({ nodes }: World): boolean =>
  nodes.some(
    ({ statements, timers }) =>
      statements.some(({ command }) => 'round' in command && command.do !== 'answer') ||
      timers.some(({ left }) => left === 0),
  );

/** Performs an action: changes the world in place. */
export function perform(world: World, action: Action, bounds: Bounds, Protocol: Protocol): void {
  const { what, at } = action;
  if (what === 'tick') return tick(world, bounds);
  if (what === 'lose barriers') {
    world.left.losses -= 1;
    world.barriers = [];
    return;
  }
  const n = action.node;
  const node = world.nodes[n]!;
  const setting = { world, bounds, Protocol };
  const apply = (input: Input) => applyTo(setting, n, input);
  const { link } = node.protocol;
  switch (what) {
    case 'deliver': {
      const text = node.inbox!.shift()!;
      apply({ kind: 'received', link: node.linksOpened, text });
      // Delivers an event and its round together: with the event alone, a node only caches less.
      const isRound = node.inbox?.[0]?.startsWith('round') ?? false;
      if (text.startsWith('ended') && isRound && !bounds.isFine)
        perform(world, action, bounds, Protocol);
      return;
    }
    case 'execute':
      return execute(setting, n, node.statements[at]!);
    case 'reply': {
      const [statement] = node.statements.splice(at, 1) as [Statement];
      return apply(statement.reply!);
    }
    case 'timer': {
      const [{ round }] = node.timers.splice(at, 1) as [Node['timers'][number]];
      return apply({ kind: 'waited', round });
    }
    case 'renew':
      return apply({ kind: 'renewal due', link: link!.number });
    case 'break':
      world.left.breaks -= 1;
      return apply({ kind: 'link lost', link: link!.number, why: 'it broke' });
    case 'open':
      world.left.opens -= 1;
      node.linksOpened += 1;
      node.inbox = [];
      return apply({ kind: 'link opened', link: node.linksOpened });
    case 'read':
      if (!isCurrent(world, n, bounds, Protocol)) return;
      world.left.reads -= 1;
      node.reading.push(at);
      return;
    case 'cache row': {
      const [session] = node.reading.splice(at, 1) as [number | null];
      if (session !== null && isCurrent(world, n, bounds, Protocol)) node.cache[session] = true;
      return;
    }
    case 'revoke':
      world.revokes[at] = 0;
      send(world, `ended s${at} user`);
      forget(node, at);
      return apply({ kind: 'settle', round: `r${at}` });
  }
}

/** Returns the fault in this state; null if there is none. */
export function faultOf(world: World, bounds: Bounds, Protocol: Protocol): string | null {
  for (const [session, revoke] of world.revokes.entries()) {
    if (revoke === null) continue;
    if (bounds.isPrompt && revoke > LONGEST_REVOKE)
      return `the revoke of s${session} takes too long`;
    if (revoke !== RETURNED) continue;
    for (const [n, { cache }] of world.nodes.entries()) {
      if (cache[session] && isCurrent(world, n, bounds, Protocol)) {
        return `${addressOf(n)} answers from its cache with s${session}, whose revoke has returned`;
      }
    }
  }
  return null;
}

const isCurrent = (world: World, n: number, bounds: Bounds, Protocol: Protocol): boolean =>
  new Protocol(addressOf(n), leaseTimesFor(bounds), world.nodes[n]!.protocol).isCurrent(NOW);

function tick(world: World, { isPrompt, isPatient, lease = LEASE }: Bounds): void {
  const isPending = (revoke: number | null) => revoke !== null && revoke !== RETURNED;
  if (isPrompt) {
    world.revokes = world.revokes.map((revoke) =>
      isPending(revoke) ? Math.min(revoke! + 1, LONGEST_REVOKE + 1) : revoke,
    );
  }
  for (const { protocol, timers } of world.nodes) {
    for (const timer of timers) timer.left = Math.max(0, timer.left - 1);
    const { link } = protocol;
    if (!link) continue;
    if (link.since) link.since = earlier(link.since, lease);
    if (link.renewal) link.renewal.since = earlier(link.renewal.since, lease);
    for (const [barrier, since] of Object.entries(link.firstSeenAt)) {
      link.firstSeenAt[barrier] = earlier(since, isPatient ? 0 : ABANDONED_AFTER);
    }
  }
}

/** Returns the moment one tick earlier. All moments before `-max` are equivalent. */
function earlier({ monotonic }: Moment, max: number): Moment {
  const earlierBy1 = Math.max(-max, monotonic - 1);
  return { monotonic: earlierBy1, wall: earlierBy1 };
}

function send(world: World, text: string): void {
  for (const { inbox } of world.nodes) inbox?.push(text);
}

function forget(node: Node, session: number): void {
  node.cache[session] = false;
  node.reading = node.reading.map((read) => (read === session ? null : read));
}

/** True if no cache can answer for any session, whatever happens next. */
export function isOver({ revokes, nodes }: World, { isPrompt }: Bounds): boolean {
  if (revokes.includes(null)) return false;
  if (isPrompt && revokes.some((revoke) => revoke !== RETURNED)) return false;
  return nodes.every(
    ({ cache, reading }) => !cache.includes(true) && reading.every((read) => read === null),
  );
}

/** Removes messages and barriers of finished rounds, because they can no longer affect a node. */
export function purge(world: World): void {
  for (const [session, revoke] of world.revokes.entries()) {
    const round = `r${session}`;
    if (revoke !== RETURNED || world.barriers.includes(round)) continue;
    const replies = world.nodes.flatMap(({ statements }) => statements.map(({ reply }) => reply));
    if (replies.some((reply) => reply && 'barriers' in reply && reply.barriers.includes(round))) {
      continue;
    }
    for (const node of world.nodes) {
      node.statements = node.statements.filter(
        ({ command }) => command.do !== 'answer' || command.round !== round,
      );
      node.inbox = node.inbox?.filter((text) => text.split(' ')[1] !== round) ?? null;
      node.timers = node.timers.filter((timer) => timer.round !== round);
      const { link } = node.protocol;
      if (!link) continue;
      const isOther = (barrier: string) => barrier !== round;
      link.knownBarriers = link.knownBarriers.filter(isOther);
      if (link.renewal) {
        link.renewal.knownBarriers = link.renewal.knownBarriers.filter(isOther);
      }
      const { [round]: _, ...firstSeenAt } = link.firstSeenAt;
      link.firstSeenAt = firstSeenAt;
    }
  }
}

interface Setting {
  world: World;
  bounds: Bounds;
  Protocol: Protocol;
}

function applyTo(setting: Setting, n: number, input: Input): void {
  const { world, bounds, Protocol } = setting;
  const protocol = new Protocol(addressOf(n), leaseTimesFor(bounds), world.nodes[n]!.protocol);
  for (const command of protocol.apply(input, NOW)) run(setting, n, command);
}

/** Number of steps of a statement that run at once, unless {@link Bounds.isFine}. */
const STEPS_AT_ONCE: Partial<Record<Command['do'], number>> = {
  take: 1,
  check: 1,
  rename: 1,
  ask: 1,
  raise: 1,
  lift: 1,
  release: 1,
};

function run(setting: Setting, n: number, command: Command): void {
  const { world, bounds } = setting;
  const node = world.nodes[n]!;
  switch (command.do) {
    case 'drop link':
      node.inbox = null;
      return;
    case 'report link':
      node.cache.fill(false);
      node.reading.fill(null);
      return;
    case 'deliver event':
      return forget(node, Number(command.event.id!.slice(1)));
    case 'wait':
      node.timers.push({ round: command.round, left: command.ms });
      return;
    case 'finish':
      // A revoke that failed has not returned.
      if (command.failure === null) world.revokes[Number(command.round.slice(1))] = RETURNED;
      return;
    default: {
      const statement: Statement = { command, step: 0, reply: null };
      node.statements.push(statement);
      const atOnce = bounds.isFine ? 0 : (STEPS_AT_ONCE[command.do] ?? 0);
      for (let step = 0; step < atOnce; step += 1) execute(setting, n, statement);
    }
  }
}

/** Runs one step of a statement, atomically in the database. */
function execute(setting: Setting, n: number, statement: Statement): void {
  const { world, bounds } = setting;
  const node = world.nodes[n]!;
  const { command } = statement;
  const isFirst = statement.step === 0;
  statement.step += 1;
  const done = () => node.statements.splice(node.statements.indexOf(statement), 1);
  const reply = (input: Input) => {
    statement.reply = input;
    // A late reply is equivalent to a late statement, except for a check: its lease counts from the start.
    if (bounds.isFine || command.do === 'check') return;
    done();
    applyTo(setting, n, input);
  };
  switch (command.do) {
    case 'take':
      if (!isFirst) {
        return reply({ kind: 'taken', link: command.link, barriers: [...world.barriers] });
      }
      world.leases = [...without(world.leases, command.before), command.leaseId].sort();
      return;
    case 'check': {
      const isThere = world.leases.includes(command.leaseId);
      const { link } = command;
      return reply({ kind: 'checked', link, isThere, barriers: [...world.barriers] });
    }
    case 'rename': {
      const isDone = world.leases.includes(command.from);
      if (isDone) world.leases = [...without(world.leases, [command.from]), command.to].sort();
      return reply({ kind: 'renamed', link: command.link, isDone });
    }
    case 'answer': {
      done();
      const to = Number(command.address.slice(1));
      const { inbox, linksOpened } = world.nodes[to]!;
      const text = `answer ${command.round} ${addressOf(n)}`;
      if (bounds.isFine) inbox?.push(text);
      else if (inbox) applyTo(setting, to, { kind: 'received', link: linksOpened, text });
      return;
    }
    case 'release':
      done();
      world.leases = without(world.leases, command.leaseIds);
      return;
    case 'ask':
    case 'raise': {
      const { round } = command;
      const isAsk = command.do === 'ask';
      if (!isFirst) {
        return reply({ kind: isAsk ? 'asked' : 'raised', round, leaseIds: [...world.leases] });
      }
      if (!isAsk) world.barriers = [...new Set([...world.barriers, round])].sort();
      return send(world, `${isAsk ? 'round' : 'barrier'} ${round} ${addressOf(n)}`);
    }
    case 'lift': {
      const { round, deadLeaseIds } = command;
      const wasUp = world.barriers.includes(round);
      world.barriers = without(world.barriers, [round]);
      if (wasUp) world.leases = without(world.leases, deadLeaseIds);
      if (node.protocol.rounds[round]) return reply({ kind: 'lifted', round, wasUp });
      done();
      return;
    }
    default:
      throw new Error(`${command.do} is not a statement`);
  }
}

const without = (list: string[], removed: string[]) =>
  list.filter((text) => !removed.includes(text));
