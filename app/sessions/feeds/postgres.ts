import { randomUUID } from 'node:crypto';
import type { NewsFeed, RevocationFeed } from '../revocation-feed.ts';
import {
  leasedFeed,
  type LeasedFeedOptions,
  type LeaseLink,
  type LeaseTransport,
} from './leased.ts';
import { newsFeed, type NewsFeedOptions } from './news.ts';

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

export interface PostgresConnections {
  /** Opens a connection that hears notifications: to the primary, and past any pooler. */
  connect: () => Promise<ListeningConnection>;
  /** Runs one statement on any other connection, outside of a transaction. */
  ask: (text: string, ...values: unknown[]) => Promise<Record<string, unknown>[]>;
  /** The schema of the `Session` table, whose triggers tell. Default `public`. */
  schema?: string;
}

export type PostgresFeedOptions = PostgresConnections &
  Omit<LeasedFeedOptions, 'transport' | 'publish'>;
export type PostgresNewsOptions = PostgresConnections & Omit<NewsFeedOptions, 'transport'>;

const NOTIFY = 'SELECT pg_notify($1, $2)';

/**
 * The news of a `Session` table on PostgreSQL, for open pages: triggers tell of every row that ends,
 * also by a cascade or by hand (NOTIFY), and every node listens; see {@link newsFeed}.
 */
export function postgresNews(options: PostgresNewsOptions): NewsFeed {
  return newsFeed({ ...options, transport: transportOver(options) });
}

/**
 * The same under leases, for a `SessionCache`. Notifications arrive in the order of the commits.
 * Leases are rows of `CacheLease`; see {@link leasedFeed}.
 */
export function postgresFeed(options: PostgresFeedOptions): RevocationFeed {
  return leasedFeed({
    ...options,
    // The triggers do: also of what no process of ours has done.
    publish: () => undefined,
    transport: transportOver(options),
  });
}

function transportOver({ connect, ask, schema = 'public' }: PostgresConnections): LeaseTransport {
  const channel = `latchkey_${schema}`;
  const ownAddress = `latchkey_${randomUUID()}`;
  return {
    ownAddress,
    sayToSelf: (text) => ask(`${NOTIFY}::text`, ownAddress, text),
    async beginRound(text) {
      await ask(`${NOTIFY}::text`, channel, text);
      const rows = await ask('SELECT "id" FROM "CacheLease"');
      return { leaseIds: rows.map(({ id }) => String(id)), unknownForMs: 0 };
    },
    takeAway: (ids) => ask('DELETE FROM "CacheLease" WHERE "id" = ANY($1::text[])', ids),
    async open(heard, lost) {
      const connection = await connect();
      connection.on('notification', ({ payload = '' }) => heard(payload));
      connection.on('error', () => lost('the connection failed'));
      connection.on('end', () => lost('the connection ended'));
      try {
        await connection.query(`LISTEN "${channel}"`);
        await connection.query(`LISTEN "${ownAddress}"`);
      } catch (error) {
        connection.end().catch(() => undefined);
        throw error;
      }
      return linkOver(connection);
    },
  };
}

function linkOver(connection: ListeningConnection): LeaseLink {
  const remove = (ids: readonly string[]) =>
    connection.query('DELETE FROM "CacheLease" WHERE "id" = ANY($1)', [ids]);
  return {
    send: (address, text) => connection.query(NOTIFY, [address, text]),
    async take(leaseId, before) {
      await remove(before);
      await connection.query('INSERT INTO "CacheLease" ("id") VALUES ($1)', [leaseId]);
    },
    async holds(leaseId) {
      const lookUp = 'SELECT 1 FROM "CacheLease" WHERE "id" = $1';
      return (await connection.query(lookUp, [leaseId])).rowCount === 1;
    },
    giveBack: (leaseId) => remove([leaseId]),
    close: () => connection.end(),
  };
}
