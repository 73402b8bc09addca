import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { applyMigrations, MigrationError } from '../../app/database/migrations.server.ts';
import { StartupError } from '../../app/config/startup-error.ts';
import { query } from '../fixtures/postgres.ts';
import {
  createTestLog,
  EmptyDatabases,
  PROVIDERS,
  rejectionOf,
  writeMigrations,
  type EmptyDatabase,
} from './providers.ts';

const databases = new EmptyDatabases();
afterAll(() => databases.close());

const BOOTING_PROCESS = fileURLToPath(new URL('./booting-process.ts', import.meta.url));
const FIRST = {
  '1_first': 'CREATE TABLE "A" ("id" TEXT PRIMARY KEY); CREATE TABLE "B" ("id" TEXT);',
};
const SECOND = { '2_second': 'CREATE TABLE "C" ("id" TEXT);' };

/** Takes about half a second, so that processes collide if they do not wait for each other. */
const SLOW = {
  sqlite: `CREATE TABLE "Slow" AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500000) SELECT max(i) AS i FROM n;`,
  postgresql: `CREATE TABLE "Slow" ("i" TEXT); SELECT pg_sleep(0.5);`,
};

function apply(database: EmptyDatabase, migrationsFolder?: string, log = createTestLog()) {
  return applyMigrations({ databaseUrl: database.url, migrationsFolder, log });
}

const recordsOf = (database: EmptyDatabase) =>
  database.query<{
    id: string;
    checksum: string;
    migration_name: string;
    finished_at: unknown;
    started_at: unknown;
    rolled_back_at: unknown;
    logs: unknown;
    applied_steps_count: number;
  }>('SELECT * FROM "_prisma_migrations" ORDER BY migration_name');

describe.each(PROVIDERS)('migrations on %s', (provider) => {
  test('the first start applies all migrations of the project in the order of their names', async () => {
    const database = await databases.make(provider);
    const log = createTestLog();
    const folder = join('prisma', provider, 'migrations');
    const names = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();

    expect(await apply(database, undefined, log)).toEqual(names);

    expect(await database.tables()).toEqual(
      expect.arrayContaining(['Password', 'Session', 'User']),
    );
    expect(log.lines.map(({ fields }) => fields)).toEqual([{ migrations: names }]);
  });

  test('the next start applies nothing', async () => {
    const database = await databases.make(provider);
    await apply(database);
    const before = await recordsOf(database);
    const log = createTestLog();

    expect(await apply(database, undefined, log)).toEqual([]);

    expect(await recordsOf(database)).toEqual(before);
    expect(log.lines).toEqual([]);
  });

  test('only new migrations are applied', async () => {
    const database = await databases.make(provider);
    await apply(database, writeMigrations(database.folder, FIRST));

    const folder = writeMigrations(database.folder, SECOND);
    expect(await apply(database, folder)).toEqual(['2_second']);
    expect(await database.tables()).toEqual(['A', 'B', 'C', '_prisma_migrations']);
  });

  test('a record has the values that Prisma itself would write', async () => {
    const database = await databases.make(provider);
    const earliest = Date.now();
    await apply(database, writeMigrations(database.folder, FIRST));

    const [record, ...others] = await recordsOf(database);
    expect(others).toEqual([]);
    expect(record).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      checksum: createHash('sha256').update(FIRST['1_first']).digest('hex'),
      migration_name: '1_first',
      finished_at: expect.anything(),
      started_at: expect.anything(),
      rolled_back_at: null,
      logs: null,
      applied_steps_count: 1,
    });
    const { started_at, finished_at } = record!;
    if (provider === 'sqlite') {
      const text = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/;
      expect(started_at).toMatch(text);
      expect(finished_at).toMatch(text);
    }
    const startedAt = new Date(started_at as string).getTime();
    const finishedAt = new Date(finished_at as string).getTime();
    expect(startedAt).toBeGreaterThanOrEqual(earliest);
    expect(finishedAt).toBeGreaterThanOrEqual(startedAt);
    expect(finishedAt).toBeLessThanOrEqual(Date.now());
  });

  test('the table _prisma_migrations has the same columns as that of Prisma', async () => {
    const database = await databases.make(provider);
    await apply(database, writeMigrations(database.folder, FIRST));
    const columns =
      provider === 'sqlite'
        ? await database.query(
            `SELECT name, type, "notnull", dflt_value AS "default", pk FROM pragma_table_info('_prisma_migrations')`,
          )
        : await database.query(
            `SELECT column_name AS name, data_type AS type, character_maximum_length AS length,
               is_nullable AS nullable, column_default AS "default"
             FROM information_schema.columns WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position`,
          );
    expect(columns).toEqual(
      provider === 'sqlite' ? PRISMA_COLUMNS_SQLITE : PRISMA_COLUMNS_POSTGRES,
    );
  });

  test('processes that start at the same time apply each migration once, and all start', async () => {
    const database = await databases.make(provider);
    const folder = writeMigrations(database.folder, {
      ...FIRST,
      '2_slow': SLOW[provider],
      '3_last': 'CREATE TABLE "Last" ("id" TEXT);',
    });
    const startAt = String(Date.now() + 2000);
    const boot = async () => {
      const parameters = ['--import', 'tsx', BOOTING_PROCESS, database.url, folder, startAt];
      const { stdout } = await promisify(execFile)(process.execPath, parameters);
      return JSON.parse(stdout) as string[];
    };

    const applied = await Promise.all([boot(), boot(), boot()]);

    expect(applied.flat().sort()).toEqual(['1_first', '2_slow', '3_last']);
    expect((await recordsOf(database)).map((record) => record.migration_name)).toEqual([
      '1_first',
      '2_slow',
      '3_last',
    ]);
  });

  test('a failed migration is rolled back and named, and is applied once it is fixed', async () => {
    const database = await databases.make(provider);
    const broken = {
      '2_broken': 'CREATE TABLE "Half" ("id" TEXT);\nINSERT INTO "Nowhere" VALUES (1);',
    };
    const folder = writeMigrations(database.folder, {
      ...FIRST,
      ...broken,
      '3_last': SECOND['2_second'],
    });

    const error = await rejectionOf(apply(database, folder));

    expect(error).toBeInstanceOf(MigrationError);
    expect(error).toBeInstanceOf(StartupError);
    expect(error.message).toContain('2_broken');
    expect(error.message).toMatch(
      provider === 'sqlite' ? /no such table: Nowhere/ : /relation "Nowhere" does not exist/,
    );
    expect(await database.tables()).toEqual(['A', 'B', '_prisma_migrations']);
    expect((await recordsOf(database)).map((record) => record.migration_name)).toEqual(['1_first']);

    writeMigrations(database.folder, { '2_broken': 'CREATE TABLE "Half" ("id" TEXT);' });
    expect(await apply(database, folder)).toEqual(['2_broken', '3_last']);
    expect(await database.tables()).toEqual(['A', 'B', 'C', 'Half', '_prisma_migrations']);
  });

  test('a first migration that fails leaves an empty database', async () => {
    const database = await databases.make(provider);
    const folder = writeMigrations(database.folder, {
      '1_broken': `${FIRST['1_first']} nonsense;`,
    });
    expect((await rejectionOf(apply(database, folder))).message).toContain('1_broken');
    expect(await database.tables()).toEqual([]);
  });

  test('a migration that was edited after it was applied stops the start before anything is applied', async () => {
    const database = await databases.make(provider);
    const folder = writeMigrations(database.folder, FIRST);
    await apply(database, folder);
    writeMigrations(database.folder, {
      '0_before': 'CREATE TABLE "Before" ("id" TEXT);',
      '1_first': `${FIRST['1_first']} -- edited`,
    });

    const error = await rejectionOf(apply(database, folder));

    expect(error).toBeInstanceOf(MigrationError);
    expect(error.message).toMatch(/1_first was edited after it was applied/);
    expect(await database.tables()).toEqual(['A', 'B', '_prisma_migrations']);
  });

  test('a migration with other line ends does not count as edited', async () => {
    const database = await databases.make(provider);
    const sql = 'CREATE TABLE "A" (\n"id" TEXT\n);\n';
    await apply(database, writeMigrations(database.folder, { '1_first': sql }));
    const windows = sql.replaceAll('\n', '\r\n');
    const folder = writeMigrations(database.folder, { '1_first': windows });
    expect(await apply(database, folder)).toEqual([]);
  });

  test('a migration that Prisma left unfinished stops the start until it is resolved', async () => {
    const database = await databases.make(provider);
    const folder = writeMigrations(database.folder, FIRST);
    await apply(database, folder);
    await database.query(
      `INSERT INTO "_prisma_migrations" (id, checksum, migration_name) VALUES ('x', 'y', '2_second')`,
    );
    writeMigrations(database.folder, SECOND);

    const error = await rejectionOf(apply(database, folder));
    expect(error).toBeInstanceOf(MigrationError);
    expect(error.message).toMatch(/2_second .* did not finish; .*migrate resolve/);
    expect(await database.tables()).not.toContain('C');

    // As "prisma migrate resolve --rolled-back" does.
    await database.query(
      `UPDATE "_prisma_migrations" SET rolled_back_at = current_timestamp WHERE id = 'x'`,
    );
    expect(await apply(database, folder)).toEqual(['2_second']);
  });

  test('a migration that this version does not have causes a warning, and the start continues', async () => {
    const database = await databases.make(provider);
    const folder = writeMigrations(database.folder, {
      ...FIRST,
      '9_newer': 'CREATE TABLE "N" ("i" TEXT);',
    });
    await apply(database, folder);
    rmSync(join(folder, '9_newer'), { recursive: true });
    writeMigrations(database.folder, SECOND);
    const log = createTestLog();

    expect(await apply(database, folder, log)).toEqual(['2_second']);

    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({ fields: { migrations: ['9_newer'] } }),
    ]);
  });

  test('a migration folder without its script stops the start, and other files are ignored', async () => {
    const database = await databases.make(provider);
    const folder = writeMigrations(database.folder, FIRST);
    writeFileSync(join(folder, 'migration_lock.toml'), 'provider = "x"');
    expect(await apply(database, folder)).toEqual(['1_first']);
    mkdirSync(join(folder, '2_empty'));
    const error = await rejectionOf(apply(database, folder));
    expect(error).toBeInstanceOf(MigrationError);
    expect(error.message).toContain('2_empty');
  });

  test('a missing folder of migrations stops the start', async () => {
    const database = await databases.make(provider);
    const error = await rejectionOf(apply(database, join(database.folder, 'nowhere')));
    expect(error).toBeInstanceOf(StartupError);
    expect(error.message).toContain('nowhere');
  });
});

describe('on sqlite', () => {
  const PARENT_AND_CHILD = `
    CREATE TABLE "Parent" ("id" TEXT PRIMARY KEY);
    CREATE TABLE "Child" ("parentId" TEXT NOT NULL REFERENCES "Parent" ("id") ON DELETE CASCADE);
    INSERT INTO "Parent" VALUES ('p');
    INSERT INTO "Child" VALUES ('p');`;

  test("rebuilding a table in Prisma's way does not delete the rows that refer to it", async () => {
    const database = await databases.make('sqlite');
    const folder = writeMigrations(database.folder, {
      '1_tables': PARENT_AND_CHILD,
      '2_rebuild': `-- RedefineTables
        PRAGMA defer_foreign_keys=ON;
        PRAGMA foreign_keys=OFF;
        CREATE TABLE "new_Parent" ("id" TEXT PRIMARY KEY, "name" TEXT);
        INSERT INTO "new_Parent" ("id") SELECT "id" FROM "Parent";
        DROP TABLE "Parent";
        ALTER TABLE "new_Parent" RENAME TO "Parent";
        PRAGMA foreign_keys=ON;
        PRAGMA defer_foreign_keys=OFF;`,
    });
    await apply(database, folder);
    expect(await database.query('SELECT * FROM "Child"')).toEqual([{ parentId: 'p' }]);
  });

  test('a migration that leaves orphaned rows fails', async () => {
    const database = await databases.make('sqlite');
    const folder = writeMigrations(database.folder, {
      '1_tables': PARENT_AND_CHILD,
      '2_orphan': `DELETE FROM "Parent";`,
    });
    const error = await rejectionOf(apply(database, folder));
    expect(error.message).toMatch(/2_orphan failed .* rows of "Child" refer to rows of "Parent"/);
    expect(await database.query('SELECT * FROM "Parent"')).toEqual([{ id: 'p' }]);
  });
});

describe('on postgresql', () => {
  test('the start waits while Prisma itself migrates', async () => {
    const database = await databases.make('postgresql');
    const prisma = query(
      database.url,
      'SELECT pg_advisory_lock(72707369); SELECT pg_sleep(60);',
    ).catch((error: unknown) => error);
    const locks = (condition: string) =>
      query(
        database.url,
        `SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
         WHERE locktype = 'advisory' AND datname = current_database() AND ${condition}`,
      );
    await expect.poll(() => locks('granted')).toHaveLength(1);
    const applying = apply(database, writeMigrations(database.folder, FIRST));
    await expect.poll(() => locks('NOT granted')).toHaveLength(1);
    expect(await database.tables()).toEqual([]);
    await query(
      database.url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE query LIKE 'SELECT pg_advisory_lock%' AND pid <> pg_backend_pid()
         AND datname = current_database() AND wait_event = 'PgSleep'`,
    );
    expect(await prisma).toBeInstanceOf(Error);
    expect(await applying).toEqual(['1_first']);
  });

  test('the tables are in the schema of the URL, which is created if missing', async () => {
    const database = await databases.make('postgresql');
    const inSchema = { ...database, url: `${database.url}?schema=other%22one` };
    const folder = writeMigrations(database.folder, FIRST);
    expect(await apply(inSchema, folder)).toEqual(['1_first']);
    expect(await apply(inSchema, folder)).toEqual([]);
    expect(
      await database.query(`SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'A'`),
    ).toEqual([{ schemaname: 'other"one' }]);
  });

  test("the error for a user who may not create tables has the database's message", async () => {
    const database = await databases.make('postgresql');
    await database.query(`CREATE USER reader PASSWORD 'secret-of-reader'`);
    const url = new URL(database.url);
    url.username = 'reader';
    url.password = 'secret-of-reader';
    const folder = writeMigrations(database.folder, FIRST);
    const error = await rejectionOf(apply({ ...database, url: url.href }, folder));
    expect(error).toBeInstanceOf(StartupError);
    expect(error.message).toMatch(/permission denied/);
    expect(error.message).not.toContain('secret-of-reader');
  });
});

test('the migrations of both databases have the same names', () => {
  const [sqlite, postgresql] = PROVIDERS.map((provider) =>
    readdirSync(join('prisma', provider, 'migrations')).sort(),
  );
  expect(sqlite).toEqual(postgresql);
  for (const provider of PROVIDERS) {
    const lock = join('prisma', provider, 'migrations', 'migration_lock.toml');
    expect(readFileSync(lock, 'utf8')).toContain(`provider = "${provider}"`);
  }
});

const sqliteColumn = (name: string, type: string, notnull: 0 | 1, more: object = {}) => ({
  name,
  type,
  notnull,
  default: null,
  pk: 0,
  ...more,
});
const PRISMA_COLUMNS_SQLITE = [
  sqliteColumn('id', 'TEXT', 1, { pk: 1 }),
  sqliteColumn('checksum', 'TEXT', 1),
  sqliteColumn('finished_at', 'DATETIME', 0),
  sqliteColumn('migration_name', 'TEXT', 1),
  sqliteColumn('logs', 'TEXT', 0),
  sqliteColumn('rolled_back_at', 'DATETIME', 0),
  sqliteColumn('started_at', 'DATETIME', 1, { default: 'current_timestamp' }),
  sqliteColumn('applied_steps_count', 'INTEGER UNSIGNED', 1, { default: '0' }),
];

const postgresColumn = (name: string, type: string, nullable: 'YES' | 'NO', more: object = {}) => ({
  name,
  type,
  length: null,
  nullable,
  default: null,
  ...more,
});
const PRISMA_COLUMNS_POSTGRES = [
  postgresColumn('id', 'character varying', 'NO', { length: 36 }),
  postgresColumn('checksum', 'character varying', 'NO', { length: 64 }),
  postgresColumn('finished_at', 'timestamp with time zone', 'YES'),
  postgresColumn('migration_name', 'character varying', 'NO', { length: 255 }),
  postgresColumn('logs', 'text', 'YES'),
  postgresColumn('rolled_back_at', 'timestamp with time zone', 'YES'),
  postgresColumn('started_at', 'timestamp with time zone', 'NO', { default: 'now()' }),
  postgresColumn('applied_steps_count', 'integer', 'NO', { default: '0' }),
];
