import { closeSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import BetterSqlite3 from 'better-sqlite3';
import { afterAll, describe, expect, test } from 'vitest';
import { isDatabaseUnavailable, isUniqueViolation } from '../../app/database/errors.server.ts';
import { openDatabase, type Database } from '../../app/database/database.server.ts';
import { query } from '../fixtures/postgres.ts';
import { createTestLog, EmptyDatabases, PROVIDERS, rejectionOf } from './providers.ts';

const databases = new EmptyDatabases();
const opened: Database[] = [];
afterAll(async () => {
  for (const database of opened) await database.close();
  await databases.close();
});

async function open(databaseUrl: string): Promise<Database['client']> {
  const database = await openDatabase({ databaseUrl, log: createTestLog() });
  opened.push(database);
  return database.client;
}

/** Terminates the connections to this database that run `pg_sleep`. Returns one row for each. */
const endSleeping = (url: string) =>
  query(
    url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE query LIKE 'SELECT pg_sleep(%' AND datname = current_database()`,
  );

const user = { id: 'u1', email: 'ada@example.com', name: 'Ada' };
const insertByHand = `INSERT INTO "User" ("id", "email", "name", "updatedAt")
  VALUES ('u2', 'ada@example.com', 'n', CURRENT_TIMESTAMP)`;

/** Expects that a model query, a raw query and both kinds of transaction fail as "unavailable". */
async function expectUnavailable(client: Database['client']) {
  const errors = [
    await rejectionOf(client.user.findMany()),
    await rejectionOf(client.$queryRawUnsafe('SELECT * FROM "User"')),
    await rejectionOf(client.$transaction([client.user.findMany()])),
    await rejectionOf(client.$transaction((inside) => inside.user.findMany())),
  ];
  expect(errors.filter((error) => !isDatabaseUnavailable(error))).toEqual([]);
  expect(errors.filter((error) => isUniqueViolation(error, 'email'))).toEqual([]);
}

describe.each(PROVIDERS)('errors on %s', (provider) => {
  test('isUniqueViolation recognizes a violation and its field', async () => {
    const client = await open((await databases.make(provider)).url);
    await client.user.create({ data: user });
    const sameEmail = await rejectionOf(client.user.create({ data: { ...user, id: 'u2' } }));
    const sameId = await rejectionOf(client.user.create({ data: { ...user, email: 'b@x.org' } }));
    const byHand = await rejectionOf(client.$executeRawUnsafe(insertByHand));
    for (const error of [sameEmail, byHand]) {
      expect(isUniqueViolation(error, 'email')).toBe(true);
      expect(isUniqueViolation(error, 'id')).toBe(false);
      expect(isUniqueViolation(error, 'mail')).toBe(false);
    }
    expect(isUniqueViolation(sameId, 'id')).toBe(true);
    expect(isUniqueViolation(sameId, 'email')).toBe(false);
    for (const error of [sameEmail, sameId, byHand]) {
      expect(isDatabaseUnavailable(error)).toBe(false);
    }
  });

  test('errors that the database returns for a query, and programming errors, are no outage', async () => {
    const client = await open((await databases.make(provider)).url);
    const errors = [
      await rejectionOf(client.user.update({ where: { id: 'x' }, data: { name: 'n' } })),
      await rejectionOf(client.user.findUniqueOrThrow({ where: { id: 'x' } })),
      await rejectionOf(
        client.password.create({ data: { userId: 'x', hash: 'h', changedAt: new Date() } }),
      ),
      await rejectionOf(client.user.create({ data: { nonsense: 1 } as never })),
      await rejectionOf(client.$queryRawUnsafe('SELEC 1')),
      await rejectionOf(client.$executeRawUnsafe(`INSERT INTO "User" ("id") VALUES ('x')`)),
    ];
    expect(errors.filter((error) => isDatabaseUnavailable(error))).toEqual([]);
    expect(errors.filter((error) => isUniqueViolation(error, 'id'))).toEqual([]);
  });

  test('a missing table is an outage until it is back', async () => {
    const database = await databases.make(provider);
    const client = await open(database.url);
    await database.query('ALTER TABLE "User" RENAME TO "Away"');
    await expectUnavailable(client);
    await database.query('ALTER TABLE "Away" RENAME TO "User"');
    expect(await client.user.count()).toBe(0);
  });

  test('an error that has an outage as its cause is an outage', async () => {
    const { url } = await databases.make(provider);
    const client = await open(url);
    const error = new Error('The session store is not available.', {
      cause: await rejectionOf(client.$queryRawUnsafe('SELECT * FROM "Missing"')),
    });
    expect(isDatabaseUnavailable(error)).toBe(true);
  });
});

describe('on sqlite', () => {
  test('a write lock of another process is an outage', async () => {
    const { url } = await databases.make('sqlite');
    const client = await open(url);
    const other = new BetterSqlite3(url.replace('file:', ''));
    other.exec('BEGIN IMMEDIATE');
    try {
      const errors = await Promise.all([
        rejectionOf(client.user.create({ data: user })),
        rejectionOf(client.$executeRawUnsafe('DELETE FROM "User"')),
        rejectionOf(client.$transaction([client.user.create({ data: user })])),
      ]);
      expect(errors.filter((error) => !isDatabaseUnavailable(error))).toEqual([]);
    } finally {
      other.exec('ROLLBACK');
      other.close();
    }
    await client.user.create({ data: user });
  });

  test('a database file that was overwritten is an outage', async () => {
    const { url } = await databases.make('sqlite');
    const client = await open(url);
    await client.user.create({ data: user });
    await client.$queryRawUnsafe('PRAGMA wal_checkpoint(TRUNCATE)');
    const file = url.replace('file:', '');
    const garbage = Buffer.alloc(statSync(file).size, 'Z');
    const handle = openSync(file, 'r+');
    writeSync(handle, garbage, 0, garbage.length, 0);
    closeSync(handle);
    const log = openSync(`${file}-wal`, 'r+');
    ftruncateSync(log, 0);
    closeSync(log);
    // The open connection has cached pages. A new one has none.
    await client.$disconnect();
    await expectUnavailable(client);
  });
});

describe('on postgresql', () => {
  test('a server that stops is an outage until it is started again', async () => {
    const server = await databases.postgres();
    const client = await open(await server.createDatabase());
    const during = rejectionOf(
      client.$transaction(async (inside) => {
        await inside.user.count();
        await server.stop();
        return inside.user.count();
      }),
    );
    expect(isDatabaseUnavailable(await during)).toBe(true);
    await expectUnavailable(client);
    await server.start();
    expect(await client.user.count()).toBe(0);
  });

  test('a connection that is terminated during a statement is an outage', async () => {
    const server = await databases.postgres();
    const url = await server.createDatabase();
    const client = await open(url);
    const sleeping = rejectionOf(client.$queryRawUnsafe('SELECT pg_sleep(20)::text'));
    await expect.poll(() => endSleeping(url)).toHaveLength(1);
    expect(isDatabaseUnavailable(await sleeping)).toBe(true);
  });

  test('a timeout while waiting for a connection is an outage', async () => {
    const server = await databases.postgres();
    const client = await open(`${await server.createDatabase()}?connection_limit=1`);
    // Prisma sends the query only when its promise is awaited, which rejectionOf does.
    const sleeping = rejectionOf(client.$queryRawUnsafe('SELECT pg_sleep(60)::text'));
    const errors = await Promise.all([
      rejectionOf(client.user.findMany()),
      rejectionOf(client.$queryRawUnsafe('SELECT 1')),
      rejectionOf(client.$transaction([client.user.findMany()])),
    ]);
    expect(errors.filter((error) => !isDatabaseUnavailable(error))).toEqual([]);
    // A statement that the server cancels because of its timeout is an outage too.
    expect(isDatabaseUnavailable(await sleeping)).toBe(true);
  });

  test('a stopped server on localhost is an outage, although localhost has several addresses', async () => {
    const server = await databases.postgres();
    const url = (await server.createDatabase()).replace('127.0.0.1', 'localhost');
    const client = await open(url);
    await server.stop();
    await expectUnavailable(client);
    await server.start();
  });
});

test.each([
  null,
  undefined,
  'text',
  42,
  {},
  new Error('some other'),
  new TypeError('x is not a function'),
])('%s is neither an outage nor a unique violation', (error) => {
  expect(isDatabaseUnavailable(error)).toBe(false);
  expect(isUniqueViolation(error, 'email')).toBe(false);
});

test('an AggregateError of refused connections is an outage', () => {
  // Node throws it if all addresses of a host refuse the connection.
  const error = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
  expect(isDatabaseUnavailable(error)).toBe(true);
});
