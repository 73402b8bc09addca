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
  /** The row's `id` is what its `sid` is. Default: a random one. */
  dbRecordIdIsSessionId?: boolean;
  /** Makes the row's `id` from what its `sid` is. Default: a random one. */
  dbRecordIdFunction?: (sid: string) => string;
  /** In place of JSON. */
  serializer?: Serializer;
  /**
   * Hears of each session that was dropped: ended, run out, removed, or overwritten. Rows are read before
   * they are deleted then. `sid` is the id where it is known, and what is stored of it elsewhere.
   */
  dispose?: (sid: string, session: SessionData) => void;
  /** True: `dispose` does not hear of those that were overwritten. */
  noDisposeOnSet?: boolean;
  /** True: a session that has run out is handed out once more, and then it is gone. It cannot be saved. */
  stale?: boolean;
  /**
   * What stands in the column `sid`. `hashed` (the default): its SHA-256, see `storedSid`; rows of plain
   * ids are found too, and moved over when they are. `plain`: the id itself, as long as programs that know
   * no better read the same table.
   */
  storeSids?: 'hashed' | 'plain';
  /** Where the time comes from. Default: the clock of this machine. */
  clock?: () => Date;
}

interface Parts {
  rows: SessionRows;
  log: StoreLog;
  disconnect: () => Promise<unknown>;
}

const PAGE_ROWS = 500;
const PRUNE_BATCH = { targetMs: 10, mostRows: 500 };

/** Sessions of express-session on a model with `id`, `sid`, `data` and `expiresAt`. */
export class ModelSessions<
  Options extends PrismaSessionsOptions<Options>,
> implements ExpressSessions {
  readonly #options: Options;
  readonly #parts: Parts;
  readonly #rows: SessionRows;
  readonly #serializer: Serializer;
  readonly #expiry: Expiry;
  readonly #clock: () => Date;
  /** Changes of one session are made in the order in which they were asked for. */
  readonly #inTurn = createKeyedQueue();
  /** Objects that stand for a row: saving one of them changes the row, and never makes one. */
  readonly #known = new WeakMap<object, string>();

  /** @throws TypeError naming an option that is not what it may be. */
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
    const isMine = (await this.#rows.delete({ id: row.id, expiresAt: { lte: now } })) > 0;
    // Gone by another's hand, unless it was saved this moment.
    if (!isMine) return this.#readIfLive(await this.#fetch(sid), sid, now);
    this.#dispose(sid, row);
    return this.#options.stale ? this.#read(row, sid) : null;
  }

  async set(sid: string, session: SessionData): Promise<void> {
    const now = this.#clock();
    // Before anything is awaited: the session may change meanwhile.
    const data = this.#serializer.stringify(session);
    const expiresAt = this.#expiry.of(session, sid, now);
    await this.#inTurn(sid, async () => {
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
    await this.#inTurn(sid, () =>
      this.#rows.update({ ...this.#where(sid), expiresAt: { gt: now } }, { expiresAt }),
    );
  }

  async destroy(sids: readonly string[]): Promise<void> {
    // After what was asked for before.
    await Promise.all(sids.map((sid) => this.#inTurn(sid, () => Promise.resolve())));
    const plainOf = new Map(sids.map((sid) => [storedSid(sid), sid]));
    for (let start = 0; start < sids.length; start += PAGE_ROWS) {
      const page = sids.slice(start, start + PAGE_ROWS);
      // Also by what is stored: `ids()` answers no more, and to end a session it is enough.
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
      // Once more: one of them may have been saved in between.
      return ids.length === 0 ? 0 : this.#rows.delete({ id: { in: ids }, ...where });
    }, PRUNE_BATCH);
  }

  adopt(stored: object, made: object): void {
    const sid = this.#known.get(stored);
    if (sid !== undefined) this.#known.set(made, sid);
  }

  async close(): Promise<void> {
    await this.#parts.disconnect();
  }

  /**
   * Writes the hash of every id that stands there as it is, a page at a time: what `get` does with those
   * that are used. Nobody is signed out. Answers how many rows were changed.
   */
  async hashStoredSids(): Promise<number> {
    let changed = 0;
    for (let after = ''; ;) {
      const rows = await this.#rows.find({ id: { gt: after } }, PAGE_ROWS);
      for (const row of rows) {
        // Its own id would tell too, and is left: rows are read in their order.
        if (isStoredSid(row.sid)) continue;
        changed += (await this.#move(row)) ? 1 : 0;
      }
      const last = rows.at(-1);
      if (rows.length < PAGE_ROWS || !last) return changed;
      after = last.id;
    }
  }

  #keysOf(sid: string): string[] {
    // What somebody read in the table is no id.
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
    return (await this.#move(row)) ?? find();
  }

  /** null: it was moved, or ended, by somebody else. */
  async #move(row: SessionRow): Promise<SessionRow | null> {
    const sid = storedSid(row.sid);
    // Where the record's id was the session's, it would still tell it.
    const id = row.id === row.sid ? sid : row.id;
    const isMoved = (await this.#rows.update({ id: row.id, sid: row.sid }, { sid, id })) > 0;
    return isMoved ? { ...row, sid, id } : null;
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
      new Error('Another session has this record id: each sid needs one of its own.'),
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
      // Of a row that cannot be read nothing may be concluded.
      throw new SessionsUnavailableError(error);
    }
  }

  #wantsOverwritten(): boolean {
    return this.#options.dispose !== undefined && !this.#options.noDisposeOnSet;
  }

  /** Deletes one by one, and tells of each. Answers how many rows went. */
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
      // What was dropped is dropped.
      this.#parts.log.error('dispose(): it threw', error);
    }
  }
}
