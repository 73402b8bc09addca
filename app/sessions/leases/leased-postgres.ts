import { randomUUID } from 'node:crypto';
import type { SessionFeed } from '../session-feed.ts';
import { leasedFeed, type LeasedFeedOptions } from './leased-feed.ts';
import type { LeaseLink } from './transport.ts';

/** A dedicated connection, such as a `pg.Client`. */
export interface ListeningConnection {
  query(
    text: string,
    values?: unknown[],
  ): Promise<{ rowCount: number | null; rows: Record<string, unknown>[] }>;
  on(
    event: 'notification',
    listener: (message: { channel: string; payload?: string }) => void,
  ): unknown;
  on(event: 'error' | 'end', listener: () => void): unknown;
  end(): Promise<void>;
}

export interface LeasedPostgresFeedOptions extends Omit<
  LeasedFeedOptions,
  'transport' | 'publish'
> {
  /** Opens a connection that receives notifications: to the primary, not through a pooler. */
  connect(): Promise<ListeningConnection>;
  /** Runs one statement on another connection, outside of a transaction. */
  ask(text: string, ...values: unknown[]): Promise<Record<string, unknown>[]>;
  /** The schema of the `Session` table, whose triggers send notifications. Default `public`. */
  schema?: string;
}

/** Prefix of the barriers, which are rows of the same table as the leases. */
const BARRIER = 'barrier ';
const NOTIFY = 'SELECT pg_notify($1, $2)';
const READ_LEASES = 'SELECT "id" FROM "CacheLease"';
/** One statement outside of a transaction is atomic: the row and the notification appear together. */
const RAISE = `
WITH raised AS (INSERT INTO "CacheLease" ("id") VALUES ($3) ON CONFLICT DO NOTHING)
SELECT pg_notify($1, $2)::text`;
/** Locks the barrier's row before deleting leases: if two nodes lift it, only one finds it. */
const LIFT = `
WITH lifted AS (DELETE FROM "CacheLease" WHERE "id" = $1 RETURNING 1),
  gone AS (DELETE FROM "CacheLease" WHERE "id" = ANY($2::text[]) AND EXISTS (SELECT 1 FROM lifted))
SELECT count(*)::int AS "count" FROM lifted`;
const REMOVE = 'DELETE FROM "CacheLease" WHERE "id" = ANY($1::text[])';

/**
 * Returns a feed with leases of a `Session` table on PostgreSQL; see {@link leasedFeed}. Triggers notify
 * every node of each row that ends, also by a cascade or by hand (NOTIFY). Notifications arrive in the
 * order of the commits. Leases and barriers are rows of `CacheLease`.
 */
export function leasedPostgresFeed(options: LeasedPostgresFeedOptions): SessionFeed {
  const { schema = 'public', ...rest } = options;
  const ask: LeasedPostgresFeedOptions['ask'] = (text, ...values) => options.ask(text, ...values);
  const channel = `latchkey_${schema}`;
  const ownAddress = `latchkey_${randomUUID()}`;
  const findLeases = async () => {
    const ids = idsOf(await ask(READ_LEASES));
    return { leaseIds: ids.filter((id) => !id.startsWith(BARRIER)), unknownForMs: 0 };
  };
  return leasedFeed({
    ...rest,
    // The triggers publish, also changes that other programs make.
    publish: () => undefined,
    transport: {
      ownAddress,
      sendToSelf: (text) => ask(`${NOTIFY}::text`, ownAddress, text),
      async ask(text) {
        await ask(`${NOTIFY}::text`, channel, text);
        return findLeases();
      },
      async raise(barrier, text) {
        await ask(RAISE, channel, text, BARRIER + barrier);
        return findLeases();
      },
      async lift(barrier, deadLeaseIds) {
        const [row] = await ask(LIFT, BARRIER + barrier, deadLeaseIds);
        return row?.count === 1;
      },
      release: (leaseIds) => ask(REMOVE, leaseIds),
      async open(onMessage, onLost) {
        const connection = await options.connect();
        connection.on('notification', ({ payload = '' }) => onMessage(payload));
        connection.on('error', () => onLost('the connection failed'));
        connection.on('end', () => onLost('the connection ended'));
        try {
          await connection.query(`LISTEN "${channel}"`);
          await connection.query(`LISTEN "${ownAddress}"`);
        } catch (error) {
          connection.end().catch(() => undefined);
          throw error;
        }
        return createLink(connection);
      },
    },
  });
}

function createLink(connection: ListeningConnection): LeaseLink {
  const check = async (leaseId: string) => {
    const text = `${READ_LEASES} WHERE "id" = $1 OR "id" LIKE '${BARRIER}%'`;
    const ids = idsOf((await connection.query(text, [leaseId])).rows);
    const barriers = ids.filter((id) => id.startsWith(BARRIER));
    return {
      isThere: ids.includes(leaseId),
      barriers: barriers.map((id) => id.slice(BARRIER.length)),
    };
  };
  return {
    send: (address, text) => connection.query(NOTIFY, [address, text]),
    async take(leaseId, before) {
      await connection.query(REMOVE, [before]);
      await connection.query('INSERT INTO "CacheLease" ("id") VALUES ($1)', [leaseId]);
      return (await check(leaseId)).barriers;
    },
    check,
    async rename(from, to) {
      const text = 'UPDATE "CacheLease" SET "id" = $2 WHERE "id" = $1';
      return (await connection.query(text, [from, to])).rowCount === 1;
    },
    close: () => connection.end(),
  };
}

const idsOf = (rows: Record<string, unknown>[]): string[] => rows.map(({ id }) => String(id));
