import {
  actionsOf,
  faultOf,
  firstWorld,
  isOver,
  perform,
  purge,
  type Action,
  type Bounds,
  type Protocol,
  type World,
} from './world.ts';

export interface Exploration {
  states: number;
  transitions: number;
  /** The number of actions to the most distant state, by a shortest path. */
  depth: number;
  /** False if the exploration stopped at `maxStates` or `maxDepth`. */
  isComplete: boolean;
  fault: { what: string; trace: string[] } | null;
}

/**
 * Visits every reachable state, breadth first, so that the trace to a fault is a shortest one. A 53-bit
 * hash identifies a state.
 */
export function explore(
  bounds: Bounds,
  Protocol: Protocol,
  { maxStates = Infinity, maxDepth = Infinity }: { maxStates?: number; maxDepth?: number } = {},
): Exploration {
  const seen = new HashSet();
  const first = canonical(firstWorld(bounds, Protocol));
  seen.add(hashOf(first));
  const actions: (Action | null)[] = [null];
  const parents: number[] = [-1];
  let layer: { state: string; index: number }[] = [{ state: first, index: 0 }];
  let transitions = 0;
  let depth = 0;
  const outcome = (isComplete: boolean, what: string | null, last = 0): Exploration => ({
    states: seen.size,
    transitions,
    depth,
    isComplete,
    fault:
      what === null ? null : { what, trace: traceTo(last, actions, parents, bounds, Protocol) },
  });
  while (layer.length > 0 && depth < maxDepth) {
    const next: typeof layer = [];
    for (const { state, index } of layer) {
      const possible = actionsOf(JSON.parse(state) as World, bounds);
      for (const action of possible) {
        const world = JSON.parse(state) as World;
        perform(world, action, bounds, Protocol);
        transitions += 1;
        purge(world);
        const reached = canonical(world);
        if (!seen.add(hashOf(reached))) continue;
        actions.push(action);
        parents.push(index);
        const what = faultOf(world, bounds, Protocol);
        if (what !== null) return outcome(false, what, actions.length - 1);
        if (isOver(world, bounds)) continue;
        next.push({ state: reached, index: actions.length - 1 });
      }
      if (seen.size > maxStates) return outcome(false, null);
    }
    layer = next;
    if (layer.length > 0) depth += 1;
  }
  return outcome(layer.length === 0, null);
}

/** Returns the state as text, with leases renumbered and unordered lists sorted, so that equal states match. */
function canonical(world: World): string {
  for (const node of world.nodes) {
    if (node.statements.length > 1) sortByText(node.statements);
    if (node.timers.length > 1) sortByText(node.timers);
    if (node.reading.length > 1) sortByText(node.reading);
  }
  const text = JSON.stringify(world);
  const turns: Set<number>[] = world.nodes.map(() => new Set<number>());
  let isRenamed = false;
  for (const [, node, turn] of text.matchAll(LEASE_ID)) {
    turns[Number(node)]!.add(Number(turn));
    if (Number(turn) > 1) isRenamed = true;
  }
  if (!isRenamed) return text;
  const ranks = turns.map((set) => [...set].sort((one, other) => one - other));
  return text.replace(
    LEASE_ID,
    (_, node: string, turn: string) => `"n${node} ${ranks[Number(node)]!.indexOf(Number(turn))}"`,
  );
}

const LEASE_ID = /"n(\d) (\d+)"/g;

function sortByText(list: unknown[]): void {
  const texts = new Map(list.map((item) => [item, JSON.stringify(item)]));
  list.sort((one, other) => (texts.get(one)! < texts.get(other)! ? -1 : 1));
}

function traceTo(
  last: number,
  actions: (Action | null)[],
  parents: number[],
  bounds: Bounds,
  Protocol: Protocol,
): string[] {
  const path: Action[] = [];
  for (let index = last; index > 0; index = parents[index]!) path.unshift(actions[index]!);
  let world = firstWorld(bounds, Protocol);
  return path.map((action) => {
    const text = describeAction(action, world);
    perform(world, action, bounds, Protocol);
    purge(world);
    world = JSON.parse(canonical(world)) as World;
    return text;
  });
}

function describeAction({ what, node, at }: Action, world: World): string {
  const { statements, inbox, timers } = world.nodes[node]!;
  const statement = statements[at];
  const of = `n${node}`;
  switch (what) {
    case 'tick':
      return 'one tick passes';
    case 'lose barriers':
      return 'the database loses its barriers';
    case 'deliver':
      return `${of} receives "${inbox![0]}"`;
    case 'execute':
      return `the database executes for ${of}: ${JSON.stringify(statement!.command)}, step ${statement!.step + 1}`;
    case 'reply':
      return `${of} gets ${JSON.stringify(statement!.reply)}`;
    case 'timer':
      return `${of} has waited for ${timers[at]!.round}`;
    case 'renew':
      return `${of} is due to renew`;
    case 'break':
      return `the link of ${of} breaks`;
    case 'open':
      return `${of} opens a link`;
    case 'read':
      return `${of} reads the row of s${at}`;
    case 'cache row':
      return `${of} gets a row`;
    case 'revoke':
      return `${of} revokes s${at}`;
  }
}

/** A set of numbers without the limit of a JavaScript Set, which holds 16 million. */
class HashSet {
  readonly #sets = Array.from({ length: 16 }, () => new Set<number>());
  size = 0;

  /** Adds a hash. Returns false if the set already had it. */
  add(hash: number): boolean {
    const set = this.#sets[hash % 16]!;
    if (set.has(hash)) return false;
    set.add(hash);
    this.size += 1;
    return true;
  }
}

/** Returns the 53-bit hash cyrb53 by bryc, which is in the public domain. */
function hashOf(text: string): number {
  let h1 = 0xdeadbeef;
  let h2 = 0x41c6ce57;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    h1 = Math.imul(h1 ^ code, 2654435761);
    h2 = Math.imul(h2 ^ code, 1597334677);
  }
  h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909);
  h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909);
  return 4294967296 * (2097151 & h2) + (h1 >>> 0);
}
