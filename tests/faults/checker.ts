import { setImmediate as nextTurn } from 'node:timers/promises';

/** What a node said of a token. `unavailable`: a 503, or nothing at all. */
export type Verdict = 'live' | 'refused' | 'unavailable';

/** A node of several that share their sessions; its process may be ended, paused and started. */
export interface FaultyNode {
  ask(token: string): Promise<Verdict>;
  /** True: it was ended. `unavailable`: nobody knows. */
  revoke(target: Target): Promise<true | 'unavailable'>;
  /** Why it was unavailable since this was last asked, and how often. */
  tellExcuses?(): string[];
}

/** A session that somebody is signed in by. */
export interface Target {
  id: string;
  token: string;
}

export interface Workload {
  nodes: readonly FaultyNode[];
  /** Signs somebody in; null when that cannot be done just now. */
  signIn: () => Promise<Target | null>;
  clients: number;
  /** Below 1; printed with its seed by whoever makes it. */
  random: () => number;
}

/** What was seen while something went wrong. */
export interface Seen {
  asked: number;
  ended: number;
  unavailable: number;
  /** Let in after the answer to their end had come: there must be none. */
  letIn: string[];
  /** Signed out though nobody had: there must be none. */
  signedOut: string[];
}

type State = 'live' | 'ending' | 'dead' | 'unknown';

const ENDS_OUT_OF = 8;

/**
 * Has clients work, each with sessions of its own, while `fault` does what it does, and knows of every
 * session what has to be said of it: whoever asks after an end was answered has to be refused, by
 * every node, and nobody else may be.
 */
export async function workThrough(
  { nodes, signIn, clients, random }: Workload,
  fault: (knowledge: { doubtLive: () => void }) => Promise<void>,
): Promise<Seen> {
  const seen: Seen = { asked: 0, ended: 0, unavailable: 0, letIn: [], signedOut: [] };
  const states = new Map<string, State>();
  let isOver = false;
  let doubts = 0;
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!;

  const ask = async (target: Target, node: FaultyNode) => {
    const before = states.get(target.id);
    const verdict = await node.ask(target.token);
    seen.asked += 1;
    if (verdict === 'unavailable') seen.unavailable += 1;
    // Whatever changed meanwhile may be answered either way.
    if (before === 'dead' && verdict === 'live') seen.letIn.push(target.id);
    if (before === 'live' && states.get(target.id) === 'live' && verdict === 'refused') {
      seen.signedOut.push(target.id);
    }
  };
  const end = async (target: Target) => {
    states.set(target.id, 'ending');
    const isEnded = await pick(nodes).revoke(target);
    states.set(target.id, isEnded === true ? 'dead' : 'unknown');
    if (isEnded !== true) return;
    seen.ended += 1;
    // At once, and everywhere.
    await Promise.all(nodes.map((node) => ask(target, node)));
  };
  const work = async () => {
    const held: Target[] = [];
    const dead: Target[] = [];
    while (!isOver) {
      for (const gone of held.filter(({ id }) => states.get(id) === 'unknown')) {
        held.splice(held.indexOf(gone), 1);
      }
      if (held.length < 3) {
        const doubtsBefore = doubts;
        const target = await signIn();
        if (target) {
          states.set(target.id, doubts === doubtsBefore ? 'live' : 'unknown');
          held.push(target);
        }
      }
      if (held.length === 0) {
        await nextTurn();
        continue;
      }
      if (random() < 1 / ENDS_OUT_OF) {
        const [target] = held.splice(Math.floor(random() * held.length), 1);
        await end(target!);
        if (states.get(target!.id) === 'dead') dead.push(target!);
        continue;
      }
      await ask(dead.length > 0 && random() < 0.3 ? pick(dead) : pick(held), pick(nodes));
    }
    return { held, dead };
  };

  const working = Array.from({ length: clients }, work);
  /** What was live may be gone: of it nothing is known any more. What was dead stays dead. */
  const doubtLive = () => {
    doubts += 1;
    for (const [id, state] of states) if (state === 'live') states.set(id, 'unknown');
  };
  try {
    await fault({ doubtLive });
  } finally {
    isOver = true;
  }
  // Afterwards every node says of every session what it has to say.
  for (const { held, dead } of await Promise.all(working)) {
    for (const target of [...held, ...dead]) {
      for (const node of nodes) await ask(target, node);
    }
  }
  return seen;
}

/** Numbers from a seed: the same ones each time (Lehmer, as in "minimal standard"). */
export function randomFrom(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
