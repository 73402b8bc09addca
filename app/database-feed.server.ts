import type BetterSqlite3 from 'better-sqlite3';
import type { PrismaClient } from '../prisma/sqlite/client/client.ts';
import { postgresFeed } from '#app/sessions/feeds/postgres.ts';
import type { RevocationFeed } from '#app/sessions/revocation-feed.ts';
import { connectToPostgres } from './database-connections.server.ts';
import { createSqliteFeed } from './database-feed-sqlite.server.ts';
import { takeServerLock } from './database-server-lock.server.ts';
import type { DatabaseAddress } from './database-url.server.ts';

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

/** How the news of sessions come from this database; see `RevocationFeed`. */
export async function openDatabaseFeed(options: FeedOptions): Promise<RevocationFeed> {
  const { address, client, watch, log } = options;
  if (address.provider === 'sqlite') {
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
  return postgresFeed({
    connect: () => connectToPostgres(address),
    ask: (text, ...values) => client.$queryRawUnsafe(text, ...values),
    schema: address.schema,
    log,
  });
}
