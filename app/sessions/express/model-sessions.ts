import { randomUUID } from 'node:crypto';
import type { SessionData } from 'express-session';
import { deleteInBatches } from '../stores/batches.ts';
import { createKeyedQueue } from '../stores/keyed-queue.ts';
import { expiryFrom, type Expiry, type ExpiryOptions } from './expiry.ts';
import type { ExpressSessions } from './express-store.ts';
import type { SessionRow, SessionRows, Where } from './session-model.ts';
import { SessionEndedError, SessionsUnavailableError } from './store-errors.ts';
import type { StoreLog } from './store-log.ts';
import { isStoredSid, storedSid } from './stored-sid.ts';

export interface Serializer {
  stringify(session: SessionData): string;
  parse(text: string): SessionData;
}

export interface PrismaSessionsOptions<Options> extends ExpiryOptions<Options> {
  /** If true, the row's `id` equals its `sid`. Default: a random id. */
  dbRecordIdIsSessionId?: boolean;
  /** Returns the row's `id` for its `sid`. Default: a random id. */
  dbRecordIdFunction?: (sid: string) => string;
  /** Default: JSON. */
  serializer?: Serializer;
  /**
   * Called for each session that was ended, expired, deleted or overwritten. The store then reads rows
   * before it deletes them. `sid` is the session id if the store knows it, or else the stored id.
   */
  dispose?: (sid: string, session: SessionData) => void;
  /** If true, `dispose` is not called for overwritten sessions. */
  noDisposeOnSet?: boolean;
  /** If true, `get` returns an expired session once more and deletes it. It cannot be saved. */
  stale?: boolean;
  /**
   * What the column `sid` stores. `hashed` (the default): the SHA-256 of the id, see `storedSid`. Rows with
   * plain ids are found too, and then hashed. `plain`: the id itself, for as long as other programs that
   * need plain ids use the table.
   */
  storeSids?: 'hashed' | 'plain';
  /** Returns the current time. Default: the system clock. */
  clock?: () => Date;
}

interface Parts {
  rows: SessionRows;
  log: StoreLog;
  disconnect: () => Promise<unknown>;
}

const PAGE_ROWS = 500;
const PRUNE_BATCH = { targetMs: 10, mostRows: 500 };

/** Stores sessions of express-session in a model with `id`, `sid`, `data` and `expiresAt`. */
export class ModelSessions<
  Options extends PrismaSessionsOptions<Options>,
> implements ExpressSessions {
  readonly #options: Options;
  readonly #parts: Parts;
  readonly #rows: SessionRows;
  readonly #serializer: Serializer;
  readonly #expiry: Expiry;
  readonly #clock: () => Date;
  /** Runs the changes of one session in the order of the calls. */
  readonly #enqueue = createKeyedQueue();
  /** Sessions that have a row, by object. Saving one changes the row and never creates one. */
  readonly #known = new WeakMap<object, string>();

  /** @throws TypeError that names the invalid option. */
  constructor(options: Options, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#rows = parts.rows;
    this.#serializer = options.serializer ?? JSON;
    this.#expiry = expiryFrom(options);
    this.#clock = options.clock ?? (() => new Date());
  }

  async get(sid: string): Promise<SessionData | null> {
    const row = await this.#fetch(sid);
    if (!row) return null;
    const now = this.#clock();
    if (row.expiresAt > now) return this.#read(row, sid);
    const isDeleted = (await this.#rows.delete({ id: row.id, expiresAt: { lte: now } })) > 0;
    // Another process deleted it, or a request has just saved it.
    if (!isDeleted) return this.#readIfLive(await this.#fetch(sid), sid, now);
    this.#dispose(sid, row);
    return this.#options.stale ? this.#read(row, sid) : null;
  }

  async set(sid: string, session: SessionData): Promise<void> {
    const now = this.#clock();
    // Read before the first await, because the session may change later.
    const data = this.#serializer.stringify(session);
    const expiresAt = this.#expiry.of(session, sid, now);
    await this.#enqueue(sid, async () => {
      const [overwritten] = this.#wantsOverwritten() ? await this.#rows.find(this.#where(sid)) : [];
      const isChange = this.#known.get(session) === sid;
      if (isChange) await this.#change(sid, { data, expiresAt });
      else await this.#save(sid, { data, expiresAt });
      this.#known.set(session, sid);
      if (overwritten) this.#dispose(sid, overwritten);
    });
  }

  async touch(sid: string, session: SessionData): Promise<void> {
    const now = this.#clock();
    const expiresAt = this.#expiry.of(session, sid, now);
    await this.#enqueue(sid, () =>
      this.#rows.update({ ...this.#where(sid), expiresAt: { gt: now } }, { expiresAt }),
    );
  }

  async destroy(sids: readonly string[]): Promise<void> {
    // Wait for earlier changes of these sessions.
    await Promise.all(sids.map((sid) => this.#enqueue(sid, () => Promise.resolve())));
    const plainOf = new Map(sids.map((sid) => [storedSid(sid), sid]));
    for (let start = 0; start < sids.length; start += PAGE_ROWS) {
      const page = sids.slice(start, start + PAGE_ROWS);
      // Accepts stored ids too, because `ids()` returns them. They are enough to end a session.
      const keys = page.flatMap((sid) => (isStoredSid(sid) ? [sid] : this.#keysOf(sid)));
      const where = { sid: { in: keys } };
      if (this.#options.dispose) await this.#drop(where, (key) => plainOf.get(key) ?? key);
      else await this.#rows.delete(where);
    }
  }

  async all(): Promise<Record<string, SessionData>> {
    const rows = await this.#rows.find({ expiresAt: { gt: this.#clock() } });
    return Object.fromEntries(rows.map((row) => [row.sid, this.#read(row)]));
  }

  ids(): Promise<string[]> {
    return this.#rows.findSids({ expiresAt: { gt: this.#clock() } });
  }

  length(): Promise<number> {
    return this.#rows.count({ expiresAt: { gt: this.#clock() } });
  }

  async clear(): Promise<void> {
    if (this.#options.dispose) await this.#drop({});
    else await this.#rows.delete();
  }

  async prune(): Promise<number> {
    const where = { expiresAt: { lte: this.#clock() } };
    if (this.#options.dispose) return this.#drop(where);
    return deleteInBatches(async (rows) => {
      const ids = await this.#rows.findIds(where, rows);
      // Repeat the condition, because one of them may have been saved in between.
      return ids.length === 0 ? 0 : this.#rows.delete({ id: { in: ids }, ...where });
    }, PRUNE_BATCH);
  }

  adopt(stored: object, created: object): void {
    const sid = this.#known.get(stored);
    if (sid !== undefined) this.#known.set(created, sid);
  }

  async close(): Promise<void> {
    await this.#parts.disconnect();
  }

  /**
   * Replaces every plain id in the table by its hash, a page at a time, as `get` does for a single id. No
   * user is signed out. Returns the number of changed rows.
   */
  async hashStoredSids(): Promise<number> {
    let changed = 0;
    for (let after = ''; ;) {
      const rows = await this.#rows.find({ id: { gt: after } }, PAGE_ROWS);
      for (const row of rows) {
        // Already hashed, maybe by this loop: hashing can change `id`, by which the pages are sorted.
        if (isStoredSid(row.sid)) continue;
        changed += (await this.#hashSid(row)) ? 1 : 0;
      }
      const last = rows.at(-1);
      if (rows.length < PAGE_ROWS || !last) return changed;
      after = last.id;
    }
  }

  #keysOf(sid: string): string[] {
    // A hash that was read in the table must not work as an id.
    return isStoredSid(sid) ? [storedSid(sid)] : [storedSid(sid), sid];
  }

  #where(sid: string): Where {
    return { sid: { in: this.#keysOf(sid) } };
  }

  #storedFor(sid: string): string {
    return this.#options.storeSids === 'plain' && !isStoredSid(sid) ? sid : storedSid(sid);
  }

  async #fetch(sid: string): Promise<SessionRow | null> {
    const stored = this.#storedFor(sid);
    const find = async () => {
      const rows = await this.#rows.find(this.#where(sid));
      return rows.find((row) => row.sid === stored) ?? rows[0] ?? null;
    };
    const row = await find();
    if (!row || row.sid !== sid || row.sid === stored) return row;
    return (await this.#hashSid(row)) ?? find();
  }

  /** Replaces the row's plain id by its hash. Returns null if the row was hashed or ended concurrently. */
  async #hashSid(row: SessionRow): Promise<SessionRow | null> {
    const sid = storedSid(row.sid);
    // If the record's id equals the session id, hash it too, or it would reveal the session id.
    const id = row.id === row.sid ? sid : row.id;
    const isHashed = (await this.#rows.update({ id: row.id, sid: row.sid }, { sid, id })) > 0;
    return isHashed ? { ...row, sid, id } : null;
  }

  async #change(sid: string, change: { data: string; expiresAt: Date }): Promise<void> {
    if ((await this.#rows.update(this.#where(sid), change)) === 0) throw new SessionEndedError();
  }

  async #save(sid: string, { data, expiresAt }: { data: string; expiresAt: Date }): Promise<void> {
    const stored = this.#storedFor(sid);
    const row = { id: this.#idFor(stored), sid: stored, data, expiresAt };
    if (await this.#rows.create(row)) return;
    if ((await this.#rows.update({ sid: stored }, { data, expiresAt })) > 0) return;
    throw new SessionsUnavailableError(
      new Error(
        'Another session has this record id: dbRecordIdFunction must return a unique id per sid.',
      ),
    );
  }

  #idFor(stored: string): string {
    const { dbRecordIdIsSessionId, dbRecordIdFunction } = this.#options;
    return dbRecordIdIsSessionId ? stored : (dbRecordIdFunction?.(stored) ?? randomUUID());
  }

  #readIfLive(row: SessionRow | null, sid: string, now: Date): SessionData | null {
    return row && row.expiresAt > now ? this.#read(row, sid) : null;
  }

  #read(row: SessionRow, sid?: string): SessionData {
    try {
      const session = this.#serializer.parse(row.data ?? '{}');
      this.#expiry.applyTo(session, row.expiresAt);
      if (sid !== undefined) this.#known.set(session, sid);
      return session;
    } catch (error) {
      // A row that cannot be parsed says nothing about its session.
      throw new SessionsUnavailableError(error);
    }
  }

  #wantsOverwritten(): boolean {
    return this.#options.dispose !== undefined && !this.#options.noDisposeOnSet;
  }

  /** Deletes rows one by one and calls `dispose` for each. Returns the number of deleted rows. */
  async #drop(where: Where, nameOf = (key: string) => key): Promise<number> {
    for (let dropped = 0; ;) {
      const rows = await this.#rows.find(where, PAGE_ROWS);
      for (const row of rows) {
        if ((await this.#rows.delete({ ...where, id: row.id })) === 0) continue;
        dropped += 1;
        this.#dispose(nameOf(row.sid), row);
      }
      if (rows.length < PAGE_ROWS) return dropped;
    }
  }

  #dispose(sid: string, row: SessionRow): void {
    try {
      this.#options.dispose?.(sid, this.#read(row));
    } catch (error) {
      // The row is deleted anyway, so the call succeeds.
      this.#parts.log.error('dispose() threw an error', error);
    }
  }
}
