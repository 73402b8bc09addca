import { randomUUID } from 'node:crypto';
import type { NewsFeed } from '../session-feed.ts';
import { newsFeed, type NewsFeedOptions } from './news.ts';

/** A dedicated connection, such as a `pg.Client`. */
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
  /** Opens a connection that receives notifications: to the primary, not through a pooler. */
  connect(): Promise<NewsConnection>;
  /** Runs one statement on another connection, outside of a transaction. */
  ask(text: string, ...values: unknown[]): Promise<unknown>;
  /** The schema of the `Session` table, whose triggers send notifications. Default `public`. */
  schema?: string;
}

/**
 * Returns a feed of a `Session` table on PostgreSQL, for open pages. Triggers notify every node of each
 * row that ends, also by a cascade or by hand. See {@link newsFeed}.
 */
export function postgresNews(options: PostgresNewsOptions): NewsFeed {
  const { schema = 'public', ...rest } = options;
  const channel = `latchkey_${schema}`;
  const ownAddress = `latchkey_${randomUUID()}`;
  return newsFeed({
    ...rest,
    transport: {
      sendToSelf: (text) => options.ask('SELECT pg_notify($1, $2)::text', ownAddress, text),
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
        return { close: () => connection.end() };
      },
    },
  });
}
