import type { NewsFeed, SessionFeed } from '#app/sessions/session-feed.ts';
import type { RowReader } from '#app/sessions/stores/prisma.ts';
import type { PrismaClient } from '../../prisma/sqlite/client/client.ts';
import { createCheckpoints } from './checkpoints.server.ts';
import {
  openDatabaseFeed,
  openLeasedFeed,
  SqliteWatch,
  type FeedLog,
} from './session-feed.server.ts';
import { openPostgresPool } from './postgres-pool.server.ts';
import { openSqliteRowReader, createPostgresRowReader } from './row-reader.server.ts';
import { createSnapshots, type Snapshots } from './snapshots.server.ts';
import { parseDatabaseUrl, type DatabaseAddress, type DatabaseProvider } from './address.server.ts';
import { applyMigrations, migrationNames, type MigrationsLog } from './migrations.server.ts';
import { createSqliteAdapter } from './sqlite-adapter.server.ts';

export interface Database {
  /**
   * Has the type of the SQLite client, the narrower of the two. Inside `$transaction`, use only the
   * client that it passes in.
   */
  client: PrismaClient;
  provider: DatabaseProvider;
  /** Reads single rows with prepared statements, without Prisma: for the reads of every request. */
  rows: RowReader;
  /**
   * Await it every few rows when you write very many rows, so that no commit has to copy all of them
   * into the file at once; see `checkpoints.server.ts`.
   */
  checkpoint: () => Promise<void>;
  snapshots: Snapshots;
  /**
   * Opens the feed of session changes. Only a server calls it: SQLite allows one server at a time.
   *
   * @throws {StartupError} if another server uses the SQLite file.
   */
  openFeed(log: FeedLog): Promise<NewsFeed>;
  /**
   * Opens the feed under leases, so that sessions may be cached in memory.
   *
   * @throws {StartupError} on SQLite, where a cache would save nothing.
   */
  openLeasedFeed(log: FeedLog): SessionFeed;
  /** True if the database answers and accepts writes. @throws the database's error during an outage. */
  isAnswering(): Promise<boolean>;
  /** True if the database has every migration of this version. @throws as `isAnswering`. */
  isMigrated(): Promise<boolean>;
  /** Closes every connection. The client must not be used afterwards. */
  close(): Promise<void>;
}

interface DatabaseOptions {
  /** `file:` and a path (relative to the current directory), or `postgresql://…`. */
  databaseUrl: string;
  /** Default: `prisma/{provider}/migrations` of the current directory. */
  migrationsFolder?: string;
  log: MigrationsLog;
  /** Called with every executed statement, to count them. */
  onQuery?: (sql: string) => void;
  /**
   * True for a command: its statements on PostgreSQL have no time limit. Default: false; a request
   * waits for each statement, so PostgreSQL cancels it after two seconds.
   */
  isForCommand?: boolean;
}

/** Queries that return a row if the database is usable. */
const HEALTH_QUERIES: Record<DatabaseProvider, string> = {
  // SQLite reads its file only if the query names a table.
  sqlite: 'SELECT count(*) AS "tables" FROM sqlite_master',
  // A replica also answers, but its data may be stale and it accepts no writes.
  postgresql: 'SELECT 1 AS "primary" WHERE NOT pg_is_in_recovery()',
};
const APPLIED_MIGRATIONS = `SELECT "migration_name" AS "name" FROM "_prisma_migrations"
  WHERE "finished_at" IS NOT NULL AND "rolled_back_at" IS NULL`;

/** The query events of a client. Its type has them only if the client was created with query logging. */
interface QuerySource {
  $on(event: 'query', listener: (event: { query: string }) => void): unknown;
}

/**
 * Opens the database at DATABASE_URL: creates a missing SQLite file, applies pending migrations, and
 * connects Prisma.
 *
 * @throws {StartupError} one sentence that says what to do; it never contains the password.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const address = parseDatabaseUrl(options.databaseUrl);
  await applyMigrations(options);
  const { onQuery } = options;
  const watch = new SqliteWatch();
  const { client, rows, disconnect } =
    address.provider === 'sqlite'
      ? await connectSqlite(address.file, options, watch)
      : await connectPostgres(address, options);
  if (onQuery) (client as unknown as QuerySource).$on('query', ({ query }) => onQuery(query));
  const checkpoints = createCheckpoints(address);
  const snapshots = createSnapshots(address);
  const migrations = migrationNames(options);
  return {
    client,
    provider: address.provider,
    rows,
    snapshots,
    checkpoint: () => checkpoints.checkpoint(),
    openFeed: (log) => openDatabaseFeed({ address, client, watch, log }),
    openLeasedFeed: (log) => openLeasedFeed({ address, client, watch, log }),
    async isAnswering() {
      return (await client.$queryRawUnsafe<unknown[]>(HEALTH_QUERIES[address.provider])).length > 0;
    },
    async isMigrated() {
      const applied = await client.$queryRawUnsafe<{ name: string }[]>(APPLIED_MIGRATIONS);
      const names = new Set(applied.map(({ name }) => name));
      return migrations.every((name) => names.has(name));
    },
    async close() {
      await checkpoints.close();
      await snapshots.closeAll();
      await disconnect();
    },
  };
}

interface DatabaseConnection extends Pick<Database, 'client' | 'rows'> {
  disconnect: () => Promise<void>;
}

const queryEventOptions = ({ onQuery }: DatabaseOptions) =>
  onQuery ? { log: [{ emit: 'event' as const, level: 'query' as const }] } : {};

async function connectSqlite(
  file: string,
  options: DatabaseOptions,
  watch: SqliteWatch,
): Promise<DatabaseConnection> {
  const { PrismaClient } = await import('../../prisma/sqlite/client/client.ts');
  const adapter = await createSqliteAdapter(file, watch.connected);
  const client = new PrismaClient({ adapter, ...queryEventOptions(options) });
  const rows = await openSqliteRowReader(file, options.onQuery);
  const disconnect = () => {
    // Closed first: the last connection writes the log into the file, and this one is read-only.
    rows.close();
    return client.$disconnect();
  };
  return { client, rows, disconnect };
}

async function connectPostgres(
  address: Extract<DatabaseAddress, { provider: 'postgresql' }>,
  options: DatabaseOptions,
): Promise<DatabaseConnection> {
  const { PrismaClient } = await import('../../prisma/postgresql/client/client.ts');
  const { PrismaPg } = await import('@prisma/adapter-pg');
  const { log, onQuery, isForCommand = false } = options;
  const { pool, close } = await openPostgresPool(address, { log, isForCommand });
  const adapter = new PrismaPg(pool, { schema: address.schema });
  const client = new PrismaClient({ adapter, ...queryEventOptions(options) });
  const disconnect = async () => {
    await client.$disconnect();
    await close();
  };
  // Both clients are generated from the same models; a test compares them.
  const asSqlite = client as unknown as Database['client'];
  return { client: asSqlite, rows: await createPostgresRowReader(pool, onQuery), disconnect };
}
