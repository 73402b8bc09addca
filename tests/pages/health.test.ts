import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import type { Answer } from '../fixtures/browser-like.ts';
import { openBrowser } from '../fixtures/users.ts';
import { query, startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { PATIENCE } from '../fixtures/patience.ts';

/** As many as may ask at the same moment, and more than there are connections. */
const MANY = 50;

let application: TestApplication;
const ask = (path: string) => openBrowser(application).get(path);
const json = ({ text }: Answer) => JSON.parse(text) as unknown;

const expectReady = async () => {
  const answer = await ask('/readyz');
  expect(answer.status).toBe(200);
  expect(json(answer)).toEqual({ status: 'ready', checks: ['database', 'migrations'] });
  expect(answer.headers['cache-control']).toBe('no-store');
};
const expectNotReady = async (...failing: string[]) => {
  const answer = await ask('/readyz');
  expect(answer.status).toBe(503);
  expect(json(answer)).toEqual({ status: 'not ready', failing });
  expect(answer.headers['cache-control']).toBe('no-store');
};
const expectAlive = async () => {
  const answer = await ask('/healthz');
  expect(answer.status).toBe(200);
  expect(json(answer)).toEqual({ status: 'alive' });
  expect(answer.headers['cache-control']).toBe('no-store');
};

describe('a process that has all it needs', () => {
  beforeAll(async () => {
    application = await startApplication();
  });
  afterAll(() => application.close());

  test('is alive, which asks no database and takes no session', async () => {
    const cut = application.statements.length;
    await expectAlive();
    // Whoever sends mail looks for some in between.
    const asked = application.statements.slice(cut).filter((sql) => !sql.includes('OutgoingMail'));
    expect(asked).toEqual([]);
  });

  test('is ready', expectReady);

  test('answers whoever only wants the head', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const answer = await openBrowser(application).ask(path, { method: 'HEAD' });
      expect([answer.status, answer.text]).toEqual([200, '']);
    }
  });

  test('sets no cookie, and shows no more than names', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const { headers, text } = await ask(path);
      expect(headers['set-cookie']).toBeUndefined();
      expect(text.length).toBeLessThan(100);
      expect(text).not.toMatch(/:\/\/|\bfile:|\.db|node|v\d/);
    }
  });

  test('takes no form there', async () => {
    for (const path of ['/healthz', '/readyz']) {
      expect((await openBrowser(application).post(path, { a: 'b' })).status).toBe(404);
    }
  });

  test('is not ready while a migration of its version is missing', async () => {
    const [{ migration_name: name } = { migration_name: '' }] = application.sql<{
      migration_name: string;
    }>('SELECT "migration_name" FROM "_prisma_migrations" ORDER BY "migration_name" DESC');
    const rename = (from: string, to: string) =>
      application.sql(
        'UPDATE "_prisma_migrations" SET "migration_name" = ? WHERE "migration_name" = ?',
        ...[to, from],
      );
    rename(name, 'of another version');
    await expectNotReady('migrations');
    await expectAlive();
    rename('of another version', name);
    await expectReady();
    const said = application.logged.filter(({ msg }) => /^(not ready|ready again)$/.test(msg));
    expect(said.map(({ msg, failing }) => [msg, failing])).toEqual([
      ['not ready', ['migrations']],
      ['ready again', undefined],
    ]);
  });
});

describe('a process whose PostgreSQL', () => {
  let postgres: Postgres;
  let databaseUrl: string;
  beforeAll(async () => {
    postgres = await startPostgres();
    databaseUrl = await postgres.createDatabase();
    application = await startApplication({ env: { DATABASE_URL: databaseUrl } });
  });
  afterAll(async () => {
    await application.close();
    await postgres.close();
  });

  test('is stopped is alive and not ready, and ready again by itself', async () => {
    // It has to hear of itself first.
    await vi.waitFor(expectReady, { timeout: 20_000, interval: 100 });
    await postgres.stop();
    await expectNotReady('database', 'migrations');
    await expectAlive();
    await postgres.start();
    await vi.waitFor(expectReady, { timeout: 20_000, interval: 100 });
  });

  test('does not answer in time is not ready, and says so in time', async () => {
    const holding = query(
      databaseUrl,
      `BEGIN; LOCK TABLE "_prisma_migrations" IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)`,
    ).catch((error: unknown) => error);
    const heldLocks = () =>
      query(databaseUrl, `SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted`);
    await expect.poll(heldLocks).toHaveLength(1);
    const waiting = async () =>
      (await query(databaseUrl, 'SELECT 1 FROM pg_locks WHERE NOT granted')).length;
    const askedByMany = Promise.all(
      Array.from({ length: MANY }, () => expectNotReady('migrations')),
    );
    // However many ask, the database is asked once.
    await vi.waitFor(async () => expect(await waiting()).toBe(1), PATIENCE);
    expect((await ask('/healthz')).status).toBe(200);
    expect(await waiting()).toBe(1);
    await askedByMany;
    // The database has not answered yet.
    expect(await heldLocks()).toHaveLength(1);
    await query(
      databaseUrl,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'`,
    );
    expect(await holding).toBeInstanceOf(Error);
    await expectReady();
  });
});
