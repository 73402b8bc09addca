import type { RevocationFeed } from '#app/sessions/revocation-feed.ts';
import type { PrismaClient } from '../prisma/sqlite/client/client.ts';
import { createCheckpoints } from './database-checkpoint.server.ts';
import { CONNECT_WITHIN_MS } from './database-connections.server.ts';
import { openDatabaseFeed, SqliteWatch, type FeedLog } from './database-feed.server.ts';
import { createSnapshots, type Snapshots } from './database-snapshot.server.ts';
import {
  parseDatabaseUrl,
  quoteName,
  type DatabaseAddress,
  type DatabaseProvider,
} from './database-url.server.ts';
import { applyMigrations, migrationNames, type MigrationsLog } from './migrations.server.ts';
import { createSqliteAdapter } from './sqlite-adapter.server.ts';

export interface Database {
  /**
   * Typed by the SQLite client, the narrower of the two. Inside `$transaction`, use only the client
   * that it hands over.
   */
  client: PrismaClient;
  provider: DatabaseProvider;
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
  openFeed(log: FeedLog): Promise<RevocationFeed>;
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
  const client = await createClient(address, options, watch);
  if (onQuery) (client as unknown as QuerySource).$on('query', ({ query }) => onQuery(query));
  const checkpoints = createCheckpoints(address);
  const snapshots = createSnapshots(address);
  const migrations = migrationNames(options);
  const close = async () => {
    await checkpoints.close();
    await snapshots.closeAll();
    await client.$disconnect();
  };
  const openFeed = (log: FeedLog) => openDatabaseFeed({ address, client, watch, log });
  return {
    ...{ client, provider: address.provider, snapshots, openFeed, close },
    checkpoint: () => checkpoints.checkpoint(),
    async isAnswering() {
      return (await client.$queryRawUnsafe<unknown[]>(ANSWERS[address.provider])).length > 0;
    },
    async isMigrated() {
      const rows = await client.$queryRawUnsafe<{ name: string }[]>(APPLIED);
      const applied = new Set(rows.map(({ name }) => name));
      return migrations.every((name) => applied.has(name));
    },
  };
}

async function createClient(
  address: DatabaseAddress,
  { log, onQuery }: DatabaseOptions,
  watch: SqliteWatch,
): Promise<PrismaClient> {
  const events = onQuery ? { log: [{ emit: 'event' as const, level: 'query' as const }] } : {};
  if (address.provider === 'sqlite') {
    const { PrismaClient } = await import('../prisma/sqlite/client/client.ts');
    return new PrismaClient({
      adapter: await createSqliteAdapter(address.file, watch.connected),
      ...events,
    });
  }
  const { PrismaClient } = await import('../prisma/postgresql/client/client.ts');
  const { PrismaPg } = await import('@prisma/adapter-pg');
  const { connectionString, schema, maxConnections } = address;
  const adapter = new PrismaPg(
    {
      connectionString,
      application_name: 'latchkey',
      // Without it a request waits for a free connection for ever.
      connectionTimeoutMillis: CONNECT_WITHIN_MS,
      keepAlive: true,
      ...(maxConnections !== null && { max: maxConnections }),
      // Statements written by hand name no schema. Poolers do not take this, so only when needed.
      ...(schema !== 'public' && { options: `-c search_path=${quoteName(schema)}` }),
    },
    {
      schema,
      onPoolError: (error) => log.warn({ err: error }, 'PostgreSQL ended an idle connection'),
    },
  );
  const client = new PrismaClient({ adapter, ...events });
  // Both clients come from the same models: a test compares them.
  return client as unknown as PrismaClientOfSqlite;
}

type PrismaClientOfSqlite = Database['client'];
