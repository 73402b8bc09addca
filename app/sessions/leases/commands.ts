import type { SessionEvent } from '../session-feed.ts';

/** What happened to a node. `link` is the number of a link; the input of an earlier link is ignored. */
export type Input =
  | { kind: 'link opened'; link: number }
  | { kind: 'link lost'; link: number; why: string }
  | { kind: 'received'; link: number; text: string }
  | { kind: 'taken'; link: number; barriers: string[] }
  | { kind: 'renewal due'; link: number }
  | { kind: 'checked'; link: number; isThere: boolean; barriers: string[] }
  | { kind: 'renamed'; link: number; isDone: boolean }
  | { kind: 'settle'; round: string }
  | { kind: 'asked'; round: string; leaseIds: string[] }
  | { kind: 'waited'; round: string }
  | { kind: 'raised'; round: string; leaseIds: string[] }
  | { kind: 'lifted'; round: string; wasUp: boolean }
  | { kind: 'failed'; round: string; why: string };

/** What the node must do next. "Result" is the input that follows. */
export type Command =
  /** Delete the rows `before`, insert the lease, then read the barriers. Result: `taken`. */
  | { do: 'take'; link: number; leaseId: string; before: string[] }
  /** Read atomically whether the lease exists, and the barriers. Result: `checked`. */
  | { do: 'check'; link: number; leaseId: string }
  /** Rename the lease if it still exists. Result: `renamed`. */
  | { do: 'rename'; link: number; from: string; to: string }
  | { do: 'answer'; link: number; address: string; round: string }
  /** Close the link. The cache stays empty until the next lease. */
  | { do: 'drop link'; link: number; why: string }
  /** Delete leases of this node. */
  | { do: 'release'; leaseIds: string[] }
  /** Report to subscribers that the link is up or down. Either clears the cache. */
  | { do: 'report link'; isUp: boolean }
  | { do: 'deliver event'; event: SessionEvent }
  /** Send `round` to all nodes, then read the leases. Result: `asked`. */
  | { do: 'ask'; round: string }
  /** Insert the barrier and send `barrier` to all nodes, atomically; then read the leases. Result: `raised`. */
  | { do: 'raise'; round: string }
  /** Delete the barrier and, only if it still existed, `deadLeaseIds`, atomically. Result: `lifted`. */
  | { do: 'lift'; round: string; deadLeaseIds: string[] }
  | { do: 'wait'; round: string; ms: number }
  | { do: 'finish'; round: string; failure: string | null };
