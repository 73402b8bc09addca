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
import { openSqliteRows, postgresRows } from './row-reader.server.ts';
import { createSnapshots, type Snapshots } from './snapshots.server.ts';
import { parseDatabaseUrl, type DatabaseAddress, type DatabaseProvider } from './address.server.ts';
import { applyMigrations, migrationNames, type MigrationsLog } from './migrations.server.ts';
import { createSqliteAdapter } from './sqlite-adapter.server.ts';

export interface Database {
  /**
   * Typed by the SQLite client, the narrower of the two. Inside `$transaction`, use only the client
   * that it hands over.
   */
  client: PrismaClient;
  provider: DatabaseProvider;
  /** Reads single rows by prepared statements, past Prisma: for what every request asks. */
  rows: RowReader;
  /**
   * To be awaited now and then by whoever writes very many rows, so that no commit of theirs, or of
   * anybody else, has to bring all of them into the file at once; see `database-checkpoint.server.ts`.
   */
  checkpoint: () => Promise<void>;
  snapshots: Snapshots;
  /**
   * Begins to listen to the news of sessions; for the server, of which SQLite has one at a time.
   *
   * @throws {StartupError} when another server has the SQLite file.
   */
  openFeed(log: FeedLog): Promise<NewsFeed>;
  /**
   * The same under leases, so that memory may answer for sessions.
   *
   * @throws {StartupError} on SQLite, where it would spare nothing.
   */
  openLeasedFeed(log: FeedLog): SessionFeed;
  /** True when the database answers and takes writes. Throws what it throws when it does not. */
  isAnswering(): Promise<boolean>;
  /** True when it has every migration of this version. Throws likewise. */
  isMigrated(): Promise<boolean>;
  /** Lets go of every connection. The client must not be used afterwards. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** `file:` and a path (relative to the current directory), or `postgresql://…`. */
  databaseUrl: string;
  /** Default: `prisma/{provider}/migrations` of the current directory. */
  migrationsFolder?: string;
  log: MigrationsLog;
  /** Hears of every statement that the database carried out, to count them. Left out: nobody does. */
  onQuery?: (sql: string) => void;
  /**
   * True for a command: its statements on PostgreSQL may take as long as they take. Default: a request
   * waits for each, so that the server ends it after two seconds.
   */
  isForCommand?: boolean;
}

/** A row from a database that is there to be used. */
const ANSWERS: Record<DatabaseProvider, string> = {
  // Without a table SQLite would not look at its file.
  sqlite: 'SELECT count(*) AS "tables" FROM sqlite_master',
  // A replica answers too, of things that were true a while ago.
  postgresql: 'SELECT 1 AS "primary" WHERE NOT pg_is_in_recovery()',
};
const APPLIED = `SELECT "migration_name" AS "name" FROM "_prisma_migrations"
  WHERE "finished_at" IS NOT NULL AND "rolled_back_at" IS NULL`;

/** The part of a client that tells of its statements; its type says so only when that was asked for. */
interface QuerySource {
  $on(event: 'query', listener: (event: { query: string }) => void): unknown;
}

/**
 * Opens the database that DATABASE_URL names: makes a SQLite file that is missing, brings the
 * tables up to date, and connects Prisma.
 *
 * @throws {StartupError} one sentence that says what to do; it never shows the password.
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
      return (await client.$queryRawUnsafe<unknown[]>(ANSWERS[address.provider])).length > 0;
    },
    async isMigrated() {
      const applied = await client.$queryRawUnsafe<{ name: string }[]>(APPLIED);
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

interface Connected extends Pick<Database, 'client' | 'rows'> {
  disconnect: () => Promise<void>;
}

const eventsOf = ({ onQuery }: DatabaseOptions) =>
  onQuery ? { log: [{ emit: 'event' as const, level: 'query' as const }] } : {};

async function connectSqlite(
  file: string,
  options: DatabaseOptions,
  watch: SqliteWatch,
): Promise<Connected> {
  const { PrismaClient } = await import('../../prisma/sqlite/client/client.ts');
  const adapter = await createSqliteAdapter(file, watch.connected);
  const client = new PrismaClient({ adapter, ...eventsOf(options) });
  const rows = await openSqliteRows(file, options.onQuery);
  const disconnect = () => {
    // First: the last connection to be closed brings the log into the file, and this one only reads.
    rows.close();
    return client.$disconnect();
  };
  return { client, rows, disconnect };
}

async function connectPostgres(
  address: Extract<DatabaseAddress, { provider: 'postgresql' }>,
  options: DatabaseOptions,
): Promise<Connected> {
  const { PrismaClient } = await import('../../prisma/postgresql/client/client.ts');
  const { PrismaPg } = await import('@prisma/adapter-pg');
  const { log, onQuery, isForCommand = false } = options;
  const { pool, close } = await openPostgresPool(address, { log, isForCommand });
  const adapter = new PrismaPg(pool, { schema: address.schema });
  const client = new PrismaClient({ adapter, ...eventsOf(options) });
  const disconnect = async () => {
    await client.$disconnect();
    await close();
  };
  // Both clients come from the same models: a test compares them.
  const asSqlite = client as unknown as Database['client'];
  return { client: asSqlite, rows: await postgresRows(pool, onQuery), disconnect };
}
