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
import { takeServerLock } from './server-lock.server.ts';
import type { DatabaseAddress } from './address.server.ts';
import { StartupError } from '#app/config/startup-error.ts';

type PostgresAddress = Extract<DatabaseAddress, { provider: 'postgresql' }>;

/** What is asked over the link is answered at once, or never. */
const LINK_LIMITS = { connectWithinMs: 2000, answerWithinMs: 2000 };

/** The part of the log that a feed writes to. */
export interface FeedLog {
  info(message: string): void;
  warn(message: string): void;
}

/** The connection to a SQLite file, for whoever watches it; there is a new one after each disconnect. */
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

/** How the news of sessions come from this database. @throws {StartupError} as `Database.openFeed`. */
export async function openDatabaseFeed(options: FeedOptions): Promise<NewsFeed> {
  const { address, client, watch, log } = options;
  if (address.provider === 'postgresql') {
    return postgresNews({ ...connectionsOf(address, client), log });
  }
  const letGo = await takeServerLock(address.file);
  const feed = createSqliteFeed();
  await client.$connect();
  watch.begin((driver) => feed.watch(driver));
  const close = async () => {
    await feed.close();
    letGo();
  };
  return { ...feed, close };
}

/** The same under leases, so that memory may answer. @throws {StartupError} for SQLite. */
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
