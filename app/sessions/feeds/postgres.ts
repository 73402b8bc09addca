import { randomUUID } from 'node:crypto';
import type { NewsFeed } from '../session-feed.ts';
import { newsFeed, type NewsFeedOptions } from './news.ts';

/** A connection of its own; `pg.Client` is one. */
export interface NewsConnection {
  query(text: string): Promise<unknown>;
  on(
    event: 'notification',
    listener: (message: { channel: string; payload?: string }) => void,
  ): unknown;
  on(event: 'error' | 'end', listener: () => void): unknown;
  end(): Promise<void>;
}

export interface PostgresNewsOptions extends Omit<NewsFeedOptions, 'transport'> {
  /** Opens a connection that hears notifications: to the primary, and past any pooler. */
  connect(): Promise<NewsConnection>;
  /** Runs one statement on any other connection, outside of a transaction. */
  ask(text: string, ...values: unknown[]): Promise<unknown>;
  /** The schema of the `Session` table, whose triggers notify. Default `public`. */
  schema?: string;
}

/**
 * The news of a `Session` table on PostgreSQL, for open pages. Triggers notify of every row that ends, also
 * by a cascade or by hand, and every node listens; see {@link newsFeed}.
 */
export function postgresNews(options: PostgresNewsOptions): NewsFeed {
  const { schema = 'public', ...rest } = options;
  const channel = `latchkey_${schema}`;
  const ownAddress = `latchkey_${randomUUID()}`;
  return newsFeed({
    ...rest,
    transport: {
      sayToSelf: (text) => options.ask('SELECT pg_notify($1, $2)::text', ownAddress, text),
      async open(heard, lost) {
        const connection = await options.connect();
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
        return { close: () => connection.end() };
      },
    },
  });
}
