import { LRUCache } from 'lru-cache';
import type { SessionFeed, SessionEvent } from './session-feed.ts';
import type { Session } from './session.ts';
import type { StoredSession } from './session-store.ts';

/** Where an answer about a session came from. `bypass`: memory was not allowed to answer. */
export type Lookup = 'hit' | 'miss' | 'bypass';

export interface SessionCacheOptions {
  feed: SessionFeed;
  /** Sessions that are remembered at most; the least recently used goes. Default 50,000. */
  max?: number;
  /** Hears of every look-up, to count them. */
  onLookup?: (lookup: Lookup) => void;
}

const DEFAULT_MAX = 50_000;
/** More than that while rows are being read, and everything counts as forgotten. */
const FORGOTTEN_MAX = 10_000;

/** What the engine asks of memory; {@link SessionCache} is it. */
export interface SessionLookup<Meta = unknown, User = unknown> {
  get(id: string): StoredSession<Meta, User> | null;
  read(
    fetch: () => Promise<StoredSession<Meta, User> | null>,
  ): Promise<StoredSession<Meta, User> | null>;
  touch(id: string, lastSeenAt: Date, expiresAt: Date): void;
  forget(id: string): void;
}

/** Remembers nothing: every look-up reads its row, and counts as a miss. */
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
 * Live sessions in memory, in front of any store. It remembers what a store said to be live and
 * nothing else: whoever is refused was refused by the row.
 *
 * It answers only while its feed is current, and starts empty whenever the feed may have missed
 * something (Gray and Cheriton, "Leases", SOSP 1989; see docs/decisions).
 */
export class SessionCache<Meta = unknown, User = unknown> implements SessionLookup<Meta, User> {
  readonly #feed: SessionFeed;
  readonly #onLookup: (lookup: Lookup) => void;
  readonly #rows: LRUCache<string, StoredSession<Meta, User>>;
  readonly #idsOf = new Map<string, Set<string>>();
  readonly #cleanUps: (() => void)[];
  /** Rises with everything that is forgotten, so that a read that began before can be told apart. */
  #clock = 0;
  #reading = 0;
  #clearedAt = 0;
  /** What was forgotten while rows were being read, by id and by user. */
  readonly #forgottenAt = new Map<string, number>();

  constructor({ feed, max = DEFAULT_MAX, onLookup = () => undefined }: SessionCacheOptions) {
    this.#feed = feed;
    this.#onLookup = onLookup;
    this.#rows = new LRUCache({ max, dispose: (stored, id) => this.#unlist(stored, id) });
    this.#cleanUps = [feed.subscribe((news) => this.#hear(news)), feed.onLink(() => this.clear())];
  }

  /** How many sessions are remembered. */
  get size(): number {
    return this.#rows.size;
  }

  /** The row as memory has it; null: ask the store. Not to be changed by whoever gets it. */
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
   * Reads a row and remembers it, if it is live by its own word. It is not remembered when anything
   * was forgotten of it while it was read: it may be what there was before.
   */
  async read(
    fetch: () => Promise<StoredSession<Meta, User> | null>,
  ): Promise<StoredSession<Meta, User> | null> {
    const began = this.#clock;
    const wasCurrent = this.#feed.isCurrent();
    this.#reading += 1;
    try {
      const stored = await fetch();
      if (stored && wasCurrent && this.#isStillTrue(stored, began)) this.#remember(stored);
      return stored;
    } finally {
      this.#reading -= 1;
      if (this.#reading === 0) this.#forgottenAt.clear();
    }
  }

  /** Moves the times of a session that was just written; a session that is not remembered stays so. */
  touch(id: string, lastSeenAt: Date, expiresAt: Date): void {
    const stored = this.#rows.peek(id);
    if (!stored || stored.record.lastSeenAt > lastSeenAt) return;
    this.#rows.set(id, { ...stored, record: { ...stored.record, lastSeenAt, expiresAt } });
    this.#list(stored.record);
  }

  forget(id: string): void {
    this.#note(`id ${id}`);
    this.#rows.delete(id);
  }

  forgetUser(userId: string): void {
    this.#note(`user ${userId}`);
    for (const id of [...(this.#idsOf.get(userId) ?? [])]) this.#rows.delete(id);
  }

  clear(): void {
    this.#clock += 1;
    this.#clearedAt = this.#clock;
    this.#rows.clear();
  }

  /** Hears no more news. Nothing is answered from it afterwards. */
  close(): void {
    for (const cleanUp of this.#cleanUps.splice(0)) cleanUp();
    this.clear();
  }

  #hear({ kind, id, userId }: SessionEvent): void {
    if (kind === 'started') return;
    if (id === null) this.forgetUser(userId);
    else this.forget(id);
  }

  #note(name: string): void {
    this.#clock += 1;
    if (this.#reading === 0) return;
    this.#forgottenAt.set(name, this.#clock);
    if (this.#forgottenAt.size <= FORGOTTEN_MAX) return;
    this.#clearedAt = this.#clock;
    this.#forgottenAt.clear();
  }

  #isStillTrue({ record }: StoredSession, began: number): boolean {
    if (record.revokedAt || this.#cleanUps.length === 0 || !this.#feed.isCurrent()) return false;
    const forgotten = [`id ${record.id}`, `user ${record.userId}`].map(
      (name) => this.#forgottenAt.get(name) ?? 0,
    );
    return Math.max(this.#clearedAt, ...forgotten) <= began;
  }

  #remember(stored: StoredSession<Meta, User>): void {
    this.#rows.set(stored.record.id, stored);
    this.#list(stored.record);
  }

  #list({ id, userId }: Session): void {
    const ids = this.#idsOf.get(userId) ?? new Set();
    this.#idsOf.set(userId, ids.add(id));
  }

  #unlist({ record }: StoredSession, id: string): void {
    const ids = this.#idsOf.get(record.userId);
    ids?.delete(id);
    if (ids?.size === 0) this.#idsOf.delete(record.userId);
  }
}
