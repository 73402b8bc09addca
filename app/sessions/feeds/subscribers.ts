import type { SessionEvent } from '../session-feed.ts';

export interface Subscribers {
  subscribe(listener: (news: SessionEvent) => void): () => void;
  onLink(listener: (isUp: boolean) => void): () => void;
  tell(news: SessionEvent): void;
  tellLink(isUp: boolean): void;
  clear(): void;
}

/** Returns the listeners of a feed. They are called in the order in which they subscribed. */
export function createSubscribers(): Subscribers {
  const listeners = new Set<(news: SessionEvent) => void>();
  const linkListeners = new Set<(isUp: boolean) => void>();
  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onLink(listener) {
      linkListeners.add(listener);
      return () => linkListeners.delete(listener);
    },
    tell(news) {
      for (const listener of listeners) listener(news);
    },
    tellLink(isUp) {
      for (const listener of linkListeners) listener(isUp);
    },
    clear() {
      listeners.clear();
      linkListeners.clear();
    },
  };
}
