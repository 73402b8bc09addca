import { LRUCache } from 'lru-cache';
import type { SessionFeed, SessionEvent } from './session-feed.ts';
import type { Session } from './session.ts';
import type { StoredSession } from './session-store.ts';

/** Whether a look-up was answered from memory. `bypass`: the cache was not allowed to answer. */
export type Lookup = 'hit' | 'miss' | 'bypass';

export interface SessionCacheOptions {
  feed: SessionFeed;
  /** Maximum number of cached sessions. The least recently used is evicted. Default 50,000. */
  max?: number;
  /** Called for every look-up, for example to count them. */
  onLookup?: (lookup: Lookup) => void;
}

const DEFAULT_MAX = 50_000;
/** After more invalidations than this during reads, everything counts as invalidated. */
const MAX_INVALIDATIONS = 10_000;

/** What the engine needs of a cache; {@link SessionCache} implements it. */
export interface SessionLookup<Meta = unknown, User = unknown> {
  get(id: string): StoredSession<Meta, User> | null;
  read(
    fetch: () => Promise<StoredSession<Meta, User> | null>,
  ): Promise<StoredSession<Meta, User> | null>;
  touch(id: string, lastSeenAt: Date, expiresAt: Date): void;
  forget(id: string): void;
}

/** Returns a cache that stores nothing: every look-up reads its row and counts as a miss. */
export function uncachedLookup<Meta, User>(
  onLookup: (lookup: Lookup) => void,
): SessionLookup<Meta, User> {
  return {
    get() {
      onLookup('miss');
      return null;
    },
    read: (fetch) => fetch(),
    touch: () => undefined,
    forget: () => undefined,
  };
}

/**
 * Caches live sessions in front of any store. It caches only sessions that the store returned as live,
 * so only a row can refuse a token.
 *
 * It answers only while its feed is current, and clears itself whenever the feed may have missed an
 * event (Gray and Cheriton, "Leases", SOSP 1989; see docs/decisions).
 */
export class SessionCache<Meta = unknown, User = unknown> implements SessionLookup<Meta, User> {
  readonly #feed: SessionFeed;
  readonly #onLookup: (lookup: Lookup) => void;
  readonly #rows: LRUCache<string, StoredSession<Meta, User>>;
  readonly #idsByUser = new Map<string, Set<string>>();
  readonly #cleanUps: (() => void)[];
  /** Counts invalidations, so that a read can tell whether one happened after it began. */
  #clock = 0;
  #pendingReads = 0;
  #clearedAt = 0;
  /** Invalidations while rows were being read, by id and by user. */
  readonly #invalidatedAt = new Map<string, number>();

  constructor({ feed, max = DEFAULT_MAX, onLookup = () => undefined }: SessionCacheOptions) {
    this.#feed = feed;
    this.#onLookup = onLookup;
    this.#rows = new LRUCache({ max, dispose: (stored, id) => this.#unindex(stored, id) });
    this.#cleanUps = [
      feed.subscribe((event) => this.#applyEvent(event)),
      feed.onLink(() => this.clear()),
    ];
  }

  /** The number of cached sessions. */
  get size(): number {
    return this.#rows.size;
  }

  /** Returns the cached row, which the caller must not change; null if the store must be asked. */
  get(id: string): StoredSession<Meta, User> | null {
    if (!this.#feed.isCurrent()) {
      this.#onLookup('bypass');
      return null;
    }
    const stored = this.#rows.get(id);
    this.#onLookup(stored ? 'hit' : 'miss');
    return stored ?? null;
  }

  /**
   * Reads a row, and caches it if it is not revoked. Does not cache it if it was invalidated during the
   * read, because the read may have returned the state before that.
   */
  async read(
    fetch: () => Promise<StoredSession<Meta, User> | null>,
  ): Promise<StoredSession<Meta, User> | null> {
    const begunAt = this.#clock;
    const wasCurrent = this.#feed.isCurrent();
    this.#pendingReads += 1;
    try {
      const stored = await fetch();
      if (stored && wasCurrent && this.#isStillCurrent(stored, begunAt)) this.#add(stored);
      return stored;
    } finally {
      this.#pendingReads -= 1;
      if (this.#pendingReads === 0) this.#invalidatedAt.clear();
    }
  }

  /** Updates the times of a cached session after a write. Does nothing if the session is not cached. */
  touch(id: string, lastSeenAt: Date, expiresAt: Date): void {
    const stored = this.#rows.peek(id);
    if (!stored || stored.record.lastSeenAt > lastSeenAt) return;
    this.#rows.set(id, { ...stored, record: { ...stored.record, lastSeenAt, expiresAt } });
    this.#index(stored.record);
  }

  forget(id: string): void {
    this.#recordInvalidation(`id ${id}`);
    this.#rows.delete(id);
  }

  forgetUser(userId: string): void {
    this.#recordInvalidation(`user ${userId}`);
    for (const id of [...(this.#idsByUser.get(userId) ?? [])]) this.#rows.delete(id);
  }

  clear(): void {
    this.#clock += 1;
    this.#clearedAt = this.#clock;
    this.#rows.clear();
  }

  /** Unsubscribes from the feed and clears the cache, which then stays empty. */
  close(): void {
    for (const cleanUp of this.#cleanUps.splice(0)) cleanUp();
    this.clear();
  }

  #applyEvent({ kind, id, userId }: SessionEvent): void {
    if (kind === 'started') return;
    if (id === null) this.forgetUser(userId);
    else this.forget(id);
  }

  #recordInvalidation(key: string): void {
    this.#clock += 1;
    if (this.#pendingReads === 0) return;
    this.#invalidatedAt.set(key, this.#clock);
    if (this.#invalidatedAt.size <= MAX_INVALIDATIONS) return;
    this.#clearedAt = this.#clock;
    this.#invalidatedAt.clear();
  }

  #isStillCurrent({ record }: StoredSession, begunAt: number): boolean {
    if (record.revokedAt || this.#cleanUps.length === 0 || !this.#feed.isCurrent()) return false;
    const invalidatedAt = [`id ${record.id}`, `user ${record.userId}`].map(
      (key) => this.#invalidatedAt.get(key) ?? 0,
    );
    return Math.max(this.#clearedAt, ...invalidatedAt) <= begunAt;
  }

  #add(stored: StoredSession<Meta, User>): void {
    this.#rows.set(stored.record.id, stored);
    this.#index(stored.record);
  }

  #index({ id, userId }: Session): void {
    const ids = this.#idsByUser.get(userId) ?? new Set();
    this.#idsByUser.set(userId, ids.add(id));
  }

  #unindex({ record }: StoredSession, id: string): void {
    const ids = this.#idsByUser.get(record.userId);
    ids?.delete(id);
    if (ids?.size === 0) this.#idsByUser.delete(record.userId);
  }
}
