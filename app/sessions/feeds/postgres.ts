import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RevocationFeed } from '../revocation-feed.ts';
import { isHeld, LEASE_MS, momentOf, systemClock, type LeaseClock, type Moment } from './lease.ts';
import { createSubscribers } from './subscribers.ts';

/** A connection of its own; `pg.Client` is one. */
export interface ListeningConnection {
  query(text: string, values?: unknown[]): Promise<{ rowCount: number | null }>;
  on(
    event: 'notification',
    listener: (message: { channel: string; payload?: string }) => void,
  ): unknown;
  on(event: 'error' | 'end', listener: () => void): unknown;
  end(): Promise<void>;
}

export interface PostgresFeedOptions {
  /** Opens a connection that hears notifications: to the primary, and past any pooler. */
  connect(): Promise<ListeningConnection>;
  /** Runs one statement on any other connection, outside of a transaction. */
  ask(text: string, ...values: unknown[]): Promise<Record<string, unknown>[]>;
  /** The schema of the `Session` table, whose triggers tell. Default `public`. */
  schema?: string;
  log: Pick<Console, 'info' | 'warn'>;
  /** For tests. */
  clock?: LeaseClock;
  leaseMs?: number;
}

/** How long a node may take to say that it has heard, before its lease is taken away. */
const ANSWER_WITHIN_MS = 250;
const HELLO_WITHIN_MS = 2000;
const RETRY_FIRST_MS = 100;
const RETRY_LAST_MS = 5000;
/** A lease is renewed so often in its time. */
const RENEWALS = 4;

/** A connection that is up, and the lease that is held by it. */
interface Link {
  connection: ListeningConnection;
  leaseId: string;
  since: Moment;
}

/**
 * The news of a `Session` table on PostgreSQL: triggers tell of every row that ends, also by a cascade
 * or by hand (NOTIFY), and every node listens.
 *
 * **Leases** (Gray and Cheriton, "Leases", SOSP 1989). A node that answers from memory has a row in
 * `CacheLease` and looks at it four times in the lease's time: found, it may go on for that long from
 * before it looked. {@link RevocationFeed.settle} sends a round to all after the commit; each answers
 * once it has dealt with everything before it. Whoever does not answer loses its row, so that it cannot
 * renew, and the time of its lease is waited out. No clock of one machine is compared with another's.
 */
export function postgresFeed(options: PostgresFeedOptions): RevocationFeed {
  const { connect, ask, log, clock = systemClock, leaseMs = LEASE_MS, schema = 'public' } = options;
  const channel = `latchkey_${schema}`;
  const ownChannel = `latchkey_${randomUUID()}`;
  const subscribers = createSubscribers();
  /** What is waited for, by its id: answers of rounds, and the first word over a new connection. */
  const rounds = new Map<string, (leaseId: string) => void>();
  /** Leases that this node has taken; it answers by none but that of its link. */
  const owned = new Set<string>();
  let link: Link | null = null;
  let isClosed = false;
  let retryMs = RETRY_FIRST_MS;
  let isBroken = false;
  const closing = new AbortController();
  const pause = (ms: number) =>
    sleep(ms, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);

  const hear = (connection: ListeningConnection, payload: string) => {
    const [kind = '', first = '', second = ''] = payload.split(' ');
    switch (kind) {
      case 'started':
      case 'changed':
      case 'ended':
        return subscribers.tell({ kind, id: first === '*' ? null : first, userId: second });
      case 'hello':
      case 'answer':
        return rounds.get(first)?.(second);
      case 'round': {
        if (!link || link.connection !== connection) return;
        if (second === ownChannel) return rounds.get(first)?.(link.leaseId);
        const answer = `answer ${first} ${link.leaseId}`;
        connection.query('SELECT pg_notify($1, $2)', [second, answer]).catch(() => undefined);
      }
    }
  };

  const lose = (connection: ListeningConnection, why: string) => {
    connection.end().catch(() => undefined);
    if (link?.connection !== connection) return;
    link = null;
    subscribers.tellLink(false);
    if (isClosed) return;
    isBroken = true;
    log.warn(`the news of sessions are cut off (${why}); every request reads its row`);
  };

  const takeLease = async (): Promise<void> => {
    const connection = await connect();
    try {
      connection.on('notification', ({ payload = '' }) => hear(connection, payload));
      connection.on('error', () => lose(connection, 'the connection failed'));
      connection.on('end', () => lose(connection, 'the connection ended'));
      await connection.query(`LISTEN "${channel}"`);
      await connection.query(`LISTEN "${ownChannel}"`);
      await hello();
      // Nobody need wait for what this node had before.
      await connection.query('DELETE FROM "CacheLease" WHERE "id" = ANY($1)', [[...owned]]);
      const leaseId = randomUUID();
      owned.add(leaseId);
      const since = momentOf(clock);
      await connection.query('INSERT INTO "CacheLease" ("id") VALUES ($1)', [leaseId]);
      link = { connection, leaseId, since };
      // Memory starts empty, and streams look at their rows.
      subscribers.tellLink(true);
    } catch (error) {
      connection.end().catch(() => undefined);
      throw error;
    }
  };

  // A pooler hands each transaction to another connection, and notifications to nobody.
  const hello = async (): Promise<void> => {
    const id = randomUUID();
    const heard = new Promise<true>((resolve) => rounds.set(id, () => resolve(true)));
    try {
      await ask('SELECT pg_notify($1, $2)::text', ownChannel, `hello ${id}`);
      if (!(await firstOf(heard, { orAfterMs: HELLO_WITHIN_MS, answer: false }))) {
        throw new Error('notifications do not arrive: is there a pooler in between?');
      }
    } finally {
      rounds.delete(id);
    }
  };

  const renew = async (held: Link): Promise<void> => {
    const since = momentOf(clock);
    const found = await held.connection.query('SELECT 1 FROM "CacheLease" WHERE "id" = $1', [
      held.leaseId,
    ]);
    if (found.rowCount !== 1) throw new Error('the lease was taken away');
    held.since = since;
  };

  const tryToLink = async (): Promise<void> => {
    try {
      await takeLease();
      if (isBroken) log.info('the news of sessions arrive again');
      isBroken = false;
      retryMs = RETRY_FIRST_MS;
    } catch (error) {
      if (isClosed) return;
      if (!isBroken) {
        log.warn(`no news of sessions (${messageOf(error)}); every request reads its row`);
      }
      isBroken = true;
      await pause(retryMs * (1 + Math.random()));
      retryMs = Math.min(RETRY_LAST_MS, retryMs * 2);
    }
  };

  /** Links, and renews for as long as there is a link; then begins anew. */
  const keepLinked = async (): Promise<void> => {
    while (!isClosed) {
      if (!link) {
        await tryToLink();
        continue;
      }
      const held: Link = link;
      await pause(leaseMs / RENEWALS);
      if (isClosed || link !== held) continue;
      // When no answer comes the lease runs out by itself meanwhile.
      const failure = await firstOf(
        renew(held).then(() => null, messageOf),
        { orAfterMs: leaseMs, answer: 'the database does not answer' },
      );
      if (failure !== null) lose(held.connection, failure);
    }
  };

  const isCurrent = () => link !== null && isHeld(link.since, clock, leaseMs);

  const round = async (): Promise<void> => {
    const id = randomUUID();
    const answered = new Set<string>();
    let look = () => {};
    rounds.set(id, (leaseId) => {
      answered.add(leaseId);
      look();
    });
    try {
      await ask('SELECT pg_notify($1, $2)::text', channel, `round ${id} ${ownChannel}`);
      const rows = await ask('SELECT "id" FROM "CacheLease"');
      const isOver = (leaseId: string) =>
        answered.has(leaseId) || (owned.has(leaseId) && link?.leaseId !== leaseId);
      const missing = () => rows.map((row) => String(row.id)).filter((leaseId) => !isOver(leaseId));
      const all = new Promise<true>((resolve) => {
        look = () => {
          if (missing().length === 0) resolve(true);
        };
        look();
      });
      if (await firstOf(all, { orAfterMs: ANSWER_WITHIN_MS, answer: false })) return;
      // Without its row none of them renews; what they had is over in one lease's time at the latest.
      await ask('DELETE FROM "CacheLease" WHERE "id" = ANY($1::text[])', missing());
      await firstOf(all, { orAfterMs: leaseMs, answer: false });
    } finally {
      rounds.delete(id);
    }
  };

  let current: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  /** Who asks while a round is under way shares the one after it: theirs was committed too late for it. */
  const settle = (): Promise<void> => {
    if (next) return next;
    const before = current ?? Promise.resolve();
    const mine = before
      .catch(() => undefined)
      .then(() => {
        current = mine;
        next = null;
        return round();
      })
      .finally(() => {
        if (current === mine) current = null;
      });
    next = mine;
    return mine;
  };

  void keepLinked();

  return {
    // The triggers do: also of what no process of ours has done.
    publish: () => undefined,
    subscribe: (listener) => subscribers.subscribe(listener),
    onLink: (listener) => subscribers.onLink(listener),
    isCurrent,
    settle,
    async close() {
      isClosed = true;
      closing.abort();
      const held = link;
      link = null;
      subscribers.clear();
      if (!held) return;
      await held.connection
        .query('DELETE FROM "CacheLease" WHERE "id" = $1', [held.leaseId])
        .catch(() => undefined);
      await held.connection.end().catch(() => undefined);
    },
  };
}

async function firstOf<Answer, Late>(
  promise: Promise<Answer>,
  { orAfterMs, answer }: { orAfterMs: number; answer: Late },
): Promise<Answer | Late> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Late>((resolve) => {
    timer = setTimeout(() => resolve(answer), orAfterMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
