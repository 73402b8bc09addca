import type BetterSqlite3 from 'better-sqlite3';
import type { PrismaClient } from '../../prisma/sqlite/client/client.ts';
import { postgresNews } from '#app/sessions/feeds/postgres.ts';
import {
  leasedPostgresFeed,
  type LeasedPostgresFeedOptions,
} from '#app/sessions/leases/leased-postgres.ts';
import type { NewsFeed, SessionFeed } from '#app/sessions/session-feed.ts';
import { connectToPostgres } from './connections.server.ts';
import { createSqliteFeed } from './sqlite-feed.server.ts';
import { acquireServerLock } from './server-lock.server.ts';
import type { DatabaseAddress } from './address.server.ts';
import { StartupError } from '#app/config/startup-error.ts';

type PostgresAddress = Extract<DatabaseAddress, { provider: 'postgresql' }>;

/** A query over the feed's connection is answered at once, or never. */
const LINK_LIMITS = { connectWithinMs: 2000, answerWithinMs: 2000 };

/** The log methods that a feed uses. */
export interface FeedLog {
  info(message: string): void;
  warn(message: string): void;
}

/** Passes each new connection to a SQLite file to one watcher; there is a new one after a disconnect. */
export class SqliteWatch {
  #driver: BetterSqlite3.Database | null = null;
  #watcher: ((driver: BetterSqlite3.Database) => void) | null = null;

  readonly connected = (driver: BetterSqlite3.Database): void => {
    this.#driver = driver;
    this.#watcher?.(driver);
  };

  begin(watcher: (driver: BetterSqlite3.Database) => void): void {
    this.#watcher = watcher;
    if (this.#driver?.open) watcher(this.#driver);
  }
}

interface FeedOptions {
  address: DatabaseAddress;
  client: PrismaClient;
  watch: SqliteWatch;
  log: FeedLog;
}

/** Opens the feed of session changes in this database. @throws {StartupError} as `Database.openFeed`. */
export async function openDatabaseFeed(options: FeedOptions): Promise<NewsFeed> {
  const { address, client, watch, log } = options;
  if (address.provider === 'postgresql') {
    return postgresNews({ ...connectionsOf(address, client), log });
  }
  const releaseLock = await acquireServerLock(address.file);
  const feed = createSqliteFeed();
  await client.$connect();
  watch.begin((driver) => feed.watch(driver));
  const close = async () => {
    await feed.close();
    releaseLock();
  };
  return { ...feed, close };
}

/** Opens the feed under leases, so that sessions may be cached. @throws {StartupError} on SQLite. */
export function openLeasedFeed({ address, client, log }: FeedOptions): SessionFeed {
  if (address.provider === 'sqlite') {
    throw new StartupError(
      'SESSION_CACHE=leased is for PostgreSQL; leave it out: SQLite reads the row of a session in microseconds.',
    );
  }
  return leasedPostgresFeed({ ...connectionsOf(address, client), log });
}

const connectionsOf = (
  address: PostgresAddress,
  client: PrismaClient,
): Omit<LeasedPostgresFeedOptions, 'log'> => ({
  connect: () => connectToPostgres(address, LINK_LIMITS),
  ask: (text, ...values) => client.$queryRawUnsafe(text, ...values),
  schema: address.schema,
});
