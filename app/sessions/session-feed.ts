/** A change to a session that caches and open pages must know about. Activity causes no event. */
export interface SessionEvent {
  /** `ended`: revoked or deleted. `changed`: it got a new name or token, or its user was changed. */
  kind: 'started' | 'changed' | 'ended';
  /** Public id; null for every session of the user. */
  id: string | null;
  userId: string;
}

/**
 * Delivers session events at best effort. A lost event keeps no user signed in: events only tell
 * subscribers to read the row again, and the row decides.
 */
export interface NewsFeed {
  /** Notifies every subscriber on every node; those of this process before it returns. */
  publish(news: readonly SessionEvent[]): void;
  /**
   * @param listener must not throw. It gets the events of one node in the order of their commits.
   * @returns a function that unsubscribes.
   */
  subscribe(listener: (news: SessionEvent) => void): () => void;
  /**
   * @param listener called with false when the link went down or may have missed an event, and with
   *   true when it is up again.
   * @returns a function that unsubscribes.
   */
  onLink(listener: (isUp: boolean) => void): () => void;
  /** True while this node, as far as it knows, receives the events of other nodes. */
  isLinked(): boolean;
  close(): Promise<void>;
}

/** A feed with leases, as a `SessionCache` needs it. */
export interface SessionFeed extends Omit<NewsFeed, 'isLinked'> {
  /**
   * True while the cache may answer: this node receives every commit of any node, and a node that
   * ends a session waits for this one. Never true for longer than the node's lease.
   */
  isCurrent(): boolean;
  /**
   * Resolves once no node's cache answers with data older than the commits before the call: each node
   * has received the events, or its lease has expired. A single node does not wait.
   *
   * @throws if the state of the other nodes is unknown.
   */
  settle(): Promise<void>;
}

/** Returns a feed for a single process that alone writes to its store. */
export function inProcessFeed(): SessionFeed & NewsFeed {
  const listeners = new Set<(news: SessionEvent) => void>();
  return {
    publish(news) {
      for (const event of news) for (const listener of listeners) listener(event);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    isCurrent: () => true,
    isLinked: () => true,
    onLink: () => () => undefined,
    settle: () => Promise.resolve(),
    close() {
      listeners.clear();
      return Promise.resolve();
    },
  };
}
