import { setImmediate as nextTurn } from 'node:timers/promises';

/** A node's response to a token. `unavailable`: a 503, or no response. */
export type Verdict = 'live' | 'refused' | 'unavailable';

/** One of several nodes that share their sessions. Its process may be killed, paused and started. */
export interface FaultyNode {
  checkToken(token: string): Promise<Verdict>;
  /** Returns true if the session was revoked, `unavailable` if that is unknown. */
  revoke(target: Target): Promise<true | 'unavailable'>;
  /** Returns the reasons why the node was unavailable since the last call, and how often. */
  takeFailures?(): string[];
}

/** A session that is to be checked and revoked. */
export interface Target {
  id: string;
  token: string;
}

export interface Workload {
  nodes: readonly FaultyNode[];
  /** Starts a session; null if that fails because of the fault. */
  signIn: () => Promise<Target | null>;
  clients: number;
  /** Returns a number from 0 to below 1. */
  random: () => number;
}

/** The results of a workload. */
export interface WorkloadResult {
  checked: number;
  revoked: number;
  unavailable: number;
  /** Sessions that a node accepted after their revocation had returned: must be empty. */
  acceptedAfterRevoke: string[];
  /** Sessions that a node refused although no client had revoked them: must be empty. */
  wronglySignedOut: string[];
}

type State = 'live' | 'being-revoked' | 'revoked' | 'unknown';

const REVOKE_PROBABILITY = 1 / 8;

/**
 * Runs clients, each with its own sessions, while `fault` does its work, and tracks the expected state of
 * every session. After a revocation has returned, every node must refuse that session. Nodes must refuse no
 * other session.
 *
 * @param fault calls `doubtLive` if live sessions may have been lost, so that their state is unknown
 */
export async function runWorkload(
  { nodes, signIn, clients, random }: Workload,
  fault: (workload: { doubtLive: () => void }) => Promise<void>,
): Promise<WorkloadResult> {
  const result: WorkloadResult = {
    checked: 0,
    revoked: 0,
    unavailable: 0,
    acceptedAfterRevoke: [],
    wronglySignedOut: [],
  };
  const states = new Map<string, State>();
  let isOver = false;
  let doubts = 0;
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)]!;

  const check = async (target: Target, node: FaultyNode) => {
    const before = states.get(target.id);
    const verdict = await node.checkToken(target.token);
    result.checked += 1;
    if (verdict === 'unavailable') result.unavailable += 1;
    // If the state changed during the check, either verdict is right.
    if (before === 'revoked' && verdict === 'live') result.acceptedAfterRevoke.push(target.id);
    if (before === 'live' && states.get(target.id) === 'live' && verdict === 'refused') {
      result.wronglySignedOut.push(target.id);
    }
  };
  const revoke = async (target: Target) => {
    states.set(target.id, 'being-revoked');
    const isRevoked = await pick(nodes).revoke(target);
    states.set(target.id, isRevoked === true ? 'revoked' : 'unknown');
    if (isRevoked !== true) return;
    result.revoked += 1;
    // All nodes must refuse it at once.
    await Promise.all(nodes.map((node) => check(target, node)));
  };
  const runClient = async () => {
    const live: Target[] = [];
    const revoked: Target[] = [];
    while (!isOver) {
      for (const lost of live.filter(({ id }) => states.get(id) === 'unknown')) {
        live.splice(live.indexOf(lost), 1);
      }
      if (live.length < 3) {
        const doubtsBefore = doubts;
        const target = await signIn();
        if (target) {
          states.set(target.id, doubts === doubtsBefore ? 'live' : 'unknown');
          live.push(target);
        }
      }
      if (live.length === 0) {
        await nextTurn();
        continue;
      }
      if (random() < REVOKE_PROBABILITY) {
        const [target] = live.splice(Math.floor(random() * live.length), 1);
        await revoke(target!);
        if (states.get(target!.id) === 'revoked') revoked.push(target!);
        continue;
      }
      const target = revoked.length > 0 && random() < 0.3 ? pick(revoked) : pick(live);
      await check(target, pick(nodes));
    }
    return { live, revoked };
  };

  const running = Array.from({ length: clients }, runClient);
  /** Makes the state of live sessions unknown. Revoked sessions stay revoked. */
  const doubtLive = () => {
    doubts += 1;
    for (const [id, state] of states) if (state === 'live') states.set(id, 'unknown');
  };
  try {
    await fault({ doubtLive });
  } finally {
    isOver = true;
  }
  // In the end, check every session on every node once more.
  for (const { live, revoked } of await Promise.all(running)) {
    for (const target of [...live, ...revoked]) {
      for (const node of nodes) await check(target, node);
    }
  }
  return result;
}

/** Returns a random number generator that repeats its numbers for the same seed (Lehmer, "minimal standard"). */
export function randomFrom(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
