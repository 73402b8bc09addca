/** Something happened to a session that those who remember or show it have to know. Activity is no news. */
export interface SessionEvent {
  /** `ended`: revoked or deleted. `changed`: renamed, under a new token, or its person was changed. */
  kind: 'started' | 'changed' | 'ended';
  /** Public id. null: every session of the user. */
  id: string | null;
  userId: string;
}

/**
 * Carries the news of sessions, at best effort. The row decides: a subscriber that hears news reads the
 * row, and a user whose news is lost is not signed in any longer for it.
 */
export interface NewsFeed {
  /** Tells every subscriber, on every node; those of this process before it returns. */
  publish(news: readonly SessionEvent[]): void;
  /**
   * @param listener must not throw; called in the order in which things were committed, as far as one
   *   node's news go.
   * @returns its clean-up.
   */
  subscribe(listener: (news: SessionEvent) => void): () => void;
  /**
   * @param listener called when the link went down, or may have missed something (false), and when it
   *   is there again (true).
   * @returns its clean-up.
   */
  onLink(listener: (isUp: boolean) => void): () => void;
  /** True while news of other nodes arrive, as far as this one knows. */
  isLinked(): boolean;
  close(): Promise<void>;
}

/** News under leases: what a `SessionCache` needs, and nothing else does. */
export interface SessionFeed extends Omit<NewsFeed, 'isLinked'> {
  /**
   * True while everything that is committed anywhere is heard here, and every node that ends a session
   * waits for this one: while it is, memory may answer. Never true for longer than the node's lease.
   */
  isCurrent(): boolean;
  /**
   * Resolves once no node answers from memory what was committed before the call: each has heard of it,
   * or holds no lease any more. A node alone waits for nobody.
   *
   * @throws when that cannot be told.
   */
  settle(): Promise<void>;
}

/** For one process that has its store to itself. */
export function inProcessFeed(): SessionFeed & NewsFeed {
  const listeners = new Set<(news: SessionEvent) => void>();
  return {
    publish(news) {
      for (const one of news) for (const listener of listeners) listener(one);
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
