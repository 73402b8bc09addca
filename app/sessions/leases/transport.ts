/** An open connection over which a node hears messages, in the order in which they were sent. */
export interface LeaseLink {
  /** Sends a message to one node. */
  send(address: string, text: string): Promise<unknown>;
  /** Deletes the leases `before`, inserts one, then reads the barriers. */
  take(leaseId: string, before: readonly string[]): Promise<string[]>;
  /** Reads at one moment whether the lease is there, and the barriers. */
  look(leaseId: string): Promise<{ isThere: boolean; barriers: string[] }>;
  /** False when the lease is gone. */
  rename(from: string, to: string): Promise<boolean>;
  /** Closes the connection, even a broken one. */
  close(): Promise<unknown>;
}

/** Leases as they were after the message of a round was sent. */
export interface LeasesFound {
  leaseIds: string[];
  /** For so long, in milliseconds, there may be others: the database lost its rows. */
  unknownForMs: number;
}

/** Where messages, leases and barriers are kept; PostgreSQL and Redis are two. */
export interface LeaseTransport {
  /** Where this node alone receives messages. Has no space in it. */
  ownAddress: string;
  /**
   * @param heard gets every message to all nodes, and to this node.
   * @param lost called when a message may have been missed; any number of times.
   */
  open(heard: (text: string) => void, lost: (why: string) => void): Promise<LeaseLink>;
  /** Sends a message to this node, over another connection than its link. */
  sendToSelf(text: string): Promise<unknown>;
  /** Sends a message to all nodes, then reads the leases. */
  ask(text: string): Promise<LeasesFound>;
  /** Inserts a barrier and sends the message to all nodes, in one step; then reads the leases. */
  raise(barrier: string, text: string): Promise<LeasesFound>;
  /**
   * Deletes a barrier and, only if it was still there, these leases; in one step.
   *
   * @returns whether it was there.
   */
  lift(barrier: string, deadLeaseIds: readonly string[]): Promise<boolean>;
  /** Deletes leases. */
  refund(leaseIds: readonly string[]): Promise<unknown>;
}
