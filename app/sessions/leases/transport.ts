/** An open connection over which a node receives messages, in the order in which they were sent. */
export interface LeaseLink {
  /** Sends a message to one node. */
  send(address: string, text: string): Promise<unknown>;
  /** Deletes the leases `before`, inserts one, then returns the barriers. */
  take(leaseId: string, before: readonly string[]): Promise<string[]>;
  /** Reads atomically whether the lease exists, and the barriers. */
  check(leaseId: string): Promise<{ isThere: boolean; barriers: string[] }>;
  /** Renames the lease. Returns false if it is gone. */
  rename(from: string, to: string): Promise<boolean>;
  /** Closes the connection, even a broken one. */
  close(): Promise<unknown>;
}

/** The leases that existed after the message of a round was sent. */
export interface LeasesFound {
  leaseIds: string[];
  /** How long valid leases without a row may exist because the database lost rows, in milliseconds. */
  unknownForMs: number;
}

/** Stores leases and barriers, and carries messages. Implemented for PostgreSQL and Redis. */
export interface LeaseTransport {
  /** The address at which only this node receives messages. It contains no space. */
  ownAddress: string;
  /**
   * @param onMessage gets every message to all nodes, and to this node.
   * @param onLost called when a message may have been missed; any number of times.
   */
  open(onMessage: (text: string) => void, onLost: (why: string) => void): Promise<LeaseLink>;
  /** Sends a message to this node, over another connection than its link. */
  sendToSelf(text: string): Promise<unknown>;
  /** Sends a message to all nodes, then reads the leases. */
  ask(text: string): Promise<LeasesFound>;
  /** Inserts a barrier and sends the message to all nodes, atomically. Then reads the leases. */
  raise(barrier: string, text: string): Promise<LeasesFound>;
  /**
   * Deletes a barrier and, only if it still existed, these leases, atomically.
   *
   * @returns whether the barrier existed.
   */
  lift(barrier: string, deadLeaseIds: readonly string[]): Promise<boolean>;
  /** Deletes leases. */
  release(leaseIds: readonly string[]): Promise<unknown>;
}
