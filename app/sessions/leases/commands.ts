import type { SessionEvent } from '../session-feed.ts';

/** What happened to a node. `link` numbers the link that it came by: what an earlier link brings late is ignored. */
export type Input =
  | { kind: 'link opened'; link: number }
  | { kind: 'link lost'; link: number; why: string }
  | { kind: 'heard'; link: number; text: string }
  | { kind: 'taken'; link: number; barriers: string[] }
  | { kind: 'renewal due'; link: number }
  | { kind: 'looked'; link: number; isThere: boolean; barriers: string[] }
  | { kind: 'renamed'; link: number; isDone: boolean }
  | { kind: 'settle'; round: string }
  | { kind: 'asked'; round: string; leaseIds: string[] }
  | { kind: 'waited'; round: string }
  | { kind: 'raised'; round: string; leaseIds: string[] }
  | { kind: 'lifted'; round: string; wasUp: boolean }
  | { kind: 'failed'; round: string; why: string };

/** What the node has to do next. */
export type Command =
  /** Deletes the rows `before`, inserts the lease, then reads the barriers. Then: `taken`. */
  | { do: 'take'; link: number; leaseId: string; before: string[] }
  /** Reads whether the lease is there, and the barriers, at one moment. Then: `looked`. */
  | { do: 'look'; link: number; leaseId: string }
  /** Renames the lease if it is still there. Then: `renamed`. */
  | { do: 'rename'; link: number; from: string; to: string }
  | { do: 'answer'; link: number; address: string; round: string }
  /** Memory is empty from here on. */
  | { do: 'drop link'; link: number; why: string }
  /** Deletes leases of this node. */
  | { do: 'give back'; leaseIds: string[] }
  /** Memory starts, empty; or ends. */
  | { do: 'tell link'; isUp: boolean }
  | { do: 'tell news'; news: SessionEvent }
  /** Sends `round` to all nodes, then reads the leases. Then: `asked`. */
  | { do: 'ask'; round: string }
  /** Inserts the barrier and sends `barrier` to all nodes, in one step; then reads the leases. Then: `raised`. */
  | { do: 'raise'; round: string }
  /** Deletes the barrier, and `deadLeaseIds` only if the barrier was still there, in one step. Then: `lifted`. */
  | { do: 'lift'; round: string; deadLeaseIds: string[] }
  | { do: 'wait'; round: string; ms: number }
  | { do: 'finish'; round: string; failure: string | null };
