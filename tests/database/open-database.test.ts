import { copyFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { afterAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../app/database/database.server.ts';
import { StartupError } from '../../app/config/startup-error.ts';
import { freePort } from '../fixtures/guarded-process.ts';
import { createTestLog, EmptyDatabases, PROVIDERS, rejectionOf } from './providers.ts';

const databases = new EmptyDatabases();
const opened: Database[] = [];
afterAll(async () => {
  for (const database of opened) await database.close();
  await databases.close();
});

async function open(databaseUrl: string): Promise<Database> {
  const database = await openDatabase({ databaseUrl, log: createTestLog() });
  opened.push(database);
  return database;
}

/** Returns the message of the StartupError, which must be one sentence. */
async function refusalOf(databaseUrl: string): Promise<string> {
  const error = await rejectionOf(openDatabase({ databaseUrl, log: createTestLog() }));
  expect(error).toBeInstanceOf(StartupError);
  expect(error.message).toMatch(/^[^\n]+\.$/);
  return error.message;
}

const now = new Date('2026-01-02T03:04:05.678Z');
const user = { id: 'u1', email: 'ada@example.com', name: 'Ada' };
const sessionOf = (userId: string, id: string) => ({
  id,
  userId,
  secretHash: 'h',
  userAgent: '',
  ipAddress: '',
  remember: false,
  createdAt: now,
  lastSeenAt: now,
  expiresAt: now,
  reauthenticatedAt: now,
});

describe.each(PROVIDERS)('an open database on %s', (provider) => {
  test('a database names its provider, stores times to the millisecond, and can be closed', async () => {
    const { url } = await databases.make(provider);
    const database = await openDatabase({ databaseUrl: url, log: createTestLog() });
    expect(database.provider).toBe(provider);
    await database.client.user.create({ data: { ...user, createdAt: now } });
    await database.close();

    const again = await open(url);
    const found = await again.client.user.findUniqueOrThrow({ where: { id: 'u1' } });
    expect(found).toMatchObject({ ...user, createdAt: now });
  });

  test('deleting a user deletes the password and the sessions', async () => {
    const database = await databases.make(provider);
    const { client } = await open(database.url);
    await client.user.create({
      data: { ...user, password: { create: { hash: 'h', changedAt: now } } },
    });
    await client.session.create({ data: sessionOf('u1', 's1') });
    await client.user.delete({ where: { id: 'u1' } });
    expect(await database.query('SELECT 1 FROM "Password"')).toEqual([]);
    expect(await database.query('SELECT 1 FROM "Session"')).toEqual([]);
  });

  test('a checkpoint moves all writes into the SQLite file, despite readers, and can be repeated', async () => {
    const empty = await databases.make(provider);
    const database = await open(empty.url);
    for (const id of ['u1', 'u2']) {
      await database.client.user.create({ data: { ...user, id, email: `${id}@example.com` } });
      // A reader must not block the checkpoint.
      await Promise.all([database.checkpoint(), database.client.user.count()]);
    }
    expect(await empty.query('SELECT 1 FROM "User"')).toHaveLength(2);
    if (provider === 'postgresql') return;
    // A copy of the file without its write-ahead log has all rows.
    const copyFile = `${empty.url.slice('file:'.length)}-copy`;
    copyFileSync(empty.url.slice('file:'.length), copyFile);
    const copy = new BetterSqlite3(copyFile);
    expect(copy.prepare('SELECT "id" FROM "User"').all()).toHaveLength(2);
    copy.close();
  });

  test('a session without a user is refused', async () => {
    const { url } = await databases.make(provider);
    const { client } = await open(url);
    await expect(client.session.create({ data: sessionOf('nobody', 's1') })).rejects.toThrow();
  });

  test('a rollback does not undo what other clients wrote during the transaction', async () => {
    const { url } = await databases.make(provider);
    const { client } = await open(url);
    await client.user.create({ data: user });
    let hasBegun = () => {};
    const begun = new Promise<void>((resolve) => (hasBegun = resolve));
    const transaction = client.$transaction(async (inside) => {
      await inside.user.create({ data: { ...user, id: 'u2', email: 'b@example.com' } });
      hasBegun();
      await new Promise((resolve) => setTimeout(resolve, 100));
      throw new Error('changed its mind');
    });
    const rejection = rejectionOf(transaction);
    await begun;
    await Promise.all([
      client.user.update({ where: { id: 'u1' }, data: { name: 'Written meanwhile' } }),
      client.$executeRawUnsafe(
        `UPDATE "User" SET "email" = 'by-hand@example.com' WHERE "id" = 'u1'`,
      ),
    ]);
    expect((await rejection).message).toBe('changed its mind');
    expect(await client.user.findMany()).toMatchObject([
      { id: 'u1', name: 'Written meanwhile', email: 'by-hand@example.com' },
    ]);
  });

  test('parallel transactions and single writes all succeed', async () => {
    const { url } = await databases.make(provider);
    const { client } = await open(url);
    await client.user.create({ data: user });
    const writes = Array.from({ length: 20 }, (_, i) =>
      i % 2 === 0
        ? client.session.create({ data: sessionOf('u1', `s${i}`) })
        : client.$transaction([
            client.session.create({ data: sessionOf('u1', `s${i}`) }),
            client.user.update({ where: { id: 'u1' }, data: { name: `n${i}` } }),
          ]),
    );
    await Promise.all(writes);
    expect(await client.session.count()).toBe(20);
  });

  test('the tables have exactly the columns of the Prisma models', async () => {
    const database = await databases.make(provider);
    await open(database.url);
    const columns = await database.query<{ table: string; column: string }>(
      provider === 'sqlite'
        ? `SELECT m.name AS "table", c.name AS "column" FROM sqlite_master m, pragma_table_info(m.name) c
           WHERE m.type = 'table'`
        : `SELECT table_name AS "table", column_name AS "column" FROM information_schema.columns
           WHERE table_schema = 'public'`,
    );
    const found = columns
      .filter(({ table }) => table !== '_prisma_migrations')
      .map(({ table, column }) => `${table}.${column}`);
    expect(found.sort()).toEqual(await columnsOfModels(provider));
  });
});

test('the models are the same on both databases', async () => {
  expect(realpathSync('prisma/sqlite/models.prisma')).toBe(realpathSync('prisma/models.prisma'));
  expect(realpathSync('prisma/postgresql/models.prisma')).toBe(
    realpathSync('prisma/models.prisma'),
  );
  const models = await columnsOfModels('sqlite');
  expect(models).toContain('Session.secretHash');
  expect(await columnsOfModels('postgresql')).toEqual(models);
});

async function columnsOfModels(provider: (typeof PROVIDERS)[number]): Promise<string[]> {
  const { Prisma } = await (provider === 'sqlite'
    ? import('../../prisma/sqlite/client/client.ts')
    : import('../../prisma/postgresql/client/client.ts'));
  const namespace = Prisma as unknown as Record<string, Record<string, string>>;
  return Object.keys(Prisma.ModelName)
    .flatMap((model) =>
      Object.keys(namespace[`${model}ScalarFieldEnum`] ?? {}).map((field) => `${model}.${field}`),
    )
    .sort();
}

describe('a SQLite file', () => {
  test('the pragmas are set on every SQLite connection of the application', async () => {
    const { url } = await databases.make('sqlite');
    const { client } = await open(url);
    const pragma = async (name: string) => {
      const [row] = await client.$queryRawUnsafe<Record<string, unknown>[]>(`PRAGMA ${name}`);
      return String(Object.values(row ?? {})[0]);
    };
    const check = async () => {
      expect(await pragma('journal_mode')).toBe('wal');
      expect(await pragma('synchronous')).toBe('1');
      expect(await pragma('foreign_keys')).toBe('1');
      expect(await pragma('busy_timeout')).toBe('10');
    };
    await check();
    // A new connection has them too.
    await client.$disconnect();
    await check();
  });

  test('a missing SQLite file and its folder are created, for their owner only', async () => {
    const folder = join(databases.folder(), 'new', 'nested');
    const { client } = await open(`file:${folder}/latchkey.db`);
    await client.user.create({ data: user });
    const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect(modeOf(folder)).toBe('700');
    for (const file of ['latchkey.db', 'latchkey.db-wal', 'latchkey.db-shm']) {
      expect(modeOf(join(folder, file))).toBe('600');
    }
  });

  test('parameters after the name of a SQLite file are ignored', async () => {
    const folder = databases.folder();
    await open(`file:${folder}/a.db?connection_limit=1`);
    expect(statSync(join(folder, 'a.db')).size).toBeGreaterThan(0);
  });

  test('a transaction that fails to commit does not block the next one', async () => {
    const { url } = await databases.make('sqlite');
    const { client } = await open(url);
    await rejectionOf(
      client.$transaction(async (inside) => {
        await inside.$executeRawUnsafe('PRAGMA defer_foreign_keys = ON');
        await inside.password.create({ data: { userId: 'nobody', hash: 'h', changedAt: now } });
      }),
    );
    expect(await client.$transaction((inside) => inside.password.count())).toBe(0);
  });

  test.each([
    [
      'whose folder would be inside a file',
      'a-file/nested/a.db',
      /folder .*a-file.* cannot be made/,
    ],
    ['whose folder is a file', 'a-file/a.db', /a-file\/a\.db cannot be made/],
    ['that is a folder', '.', /cannot be opened for writing/],
    ['that is another kind of file', 'a-file', /is not a SQLite database/],
  ])('a SQLite file %s stops the start', async (_what, path, sentence) => {
    const folder = databases.folder();
    writeFileSync(
      join(folder, 'a-file'),
      'this is no database, and long enough to be sure. '.repeat(40),
    );
    const message = await refusalOf(`file:${folder}/${path}`);
    expect(message).toMatch(sentence);
    expect(message).toContain(folder);
  });

  test('a SQLite file in a folder that is not writable stops the start', async () => {
    expect(await refusalOf('file:/proc/latchkey/a.db')).toMatch(/folder \/proc\/latchkey of/);
    expect(await refusalOf('file:/proc/a.db')).toMatch(/\/proc\/a\.db cannot be made/);
  });
});

describe('a DATABASE_URL', () => {
  test.each([
    'mysql://root:hunter2@localhost/app',
    'postgers://app:hunter2@localhost/app',
    './data/latchkey.db',
    '',
    'file:',
    'file::memory:',
    'file:?x=1',
    'file://server/share/a.db',
    'postgresql://app:hunter2/x@localhost/app',
    'postgresql://app:hunter2#x@localhost/app',
    'postgresql://app:1234/hunter2@localhost/app',
    'postgresql://app:1234?hunter2@localhost/app',
    'postgresql://app:hunter2@local host/app',
    'postgresql://app:hunter2%@localhost:1/app',
  ])('the DATABASE_URL %s is refused by name, and is not shown', async (url) => {
    const message = await refusalOf(url);
    expect(message).toContain('DATABASE_URL');
    expect(message).not.toMatch(/hunter2|1234/);
  });
});

describe('a PostgreSQL server', () => {
  test('a PostgreSQL server that does not run stops the start', async () => {
    const port = await freePort();
    for (const host of ['127.0.0.1', 'localhost']) {
      const message = await refusalOf(`postgresql://app:hunter2@${host}:${port}/app`);
      expect(message).toContain(`No PostgreSQL server answers at ${host}:${port}`);
      expect(message).not.toContain('hunter2');
    }
  });

  test('a PostgreSQL server on an unknown host stops the start', async () => {
    const message = await refusalOf('postgresql://app:hunter2@nowhere.invalid/app');
    expect(message).toContain('No PostgreSQL server answers at nowhere.invalid:5432');
    expect(message).not.toContain('hunter2');
  });

  test('a wrong password for PostgreSQL stops the start, and is not shown', async () => {
    const { url, password } = await databases.postgres();
    const message = await refusalOf(url.replace(password, 'hunter2'));
    expect(message).toMatch(/refuses the user "latchkey"/);
    expect(message).not.toContain('hunter2');
  });

  test('a missing password for PostgreSQL stops the start', async () => {
    const { url, password } = await databases.postgres();
    expect(await refusalOf(url.replace(`:${password}`, ''))).toMatch(/asks for a password/);
  });

  test('a missing PostgreSQL database stops the start', async () => {
    const { url, password } = await databases.postgres();
    const message = await refusalOf(url.replace(/postgres$/, 'missing'));
    expect(message).toMatch(/has no database "missing"/);
    expect(message).not.toContain(password);
  });

  test('model queries and raw queries use the schema of the PostgreSQL URL', async () => {
    const database = await databases.make('postgresql');
    const { client } = await open(`${database.url}?schema=own&connection_limit=2`);
    await client.user.create({ data: user });
    expect(await client.$queryRawUnsafe('SELECT "id" FROM "User"')).toEqual([{ id: 'u1' }]);
    expect(await database.query('SELECT "id" FROM own."User"')).toEqual([{ id: 'u1' }]);
  });
});
