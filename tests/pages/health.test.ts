import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import type { Answer } from '../fixtures/browser-like.ts';
import { openBrowser } from '../fixtures/users.ts';
import { query, startPostgres, type Postgres } from '../fixtures/postgres.ts';
import { PATIENCE } from '../fixtures/patience.ts';

/** The number of concurrent requests: more than there are database connections. */
const CONCURRENT_REQUESTS = 50;

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

describe('a healthy process', () => {
  beforeAll(async () => {
    application = await startApplication();
  });
  afterAll(() => application.close());

  test('GET /healthz answers 200 without a database statement', async () => {
    const cut = application.statements.length;
    await expectAlive();
    // The mail worker polls the database in between.
    const statements = application.statements
      .slice(cut)
      .filter((sql) => !sql.includes('OutgoingMail'));
    expect(statements).toEqual([]);
  });

  test('GET /readyz of a healthy process answers 200', expectReady);

  test('the health endpoints answer HEAD', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const answer = await openBrowser(application).ask(path, { method: 'HEAD' });
      expect([answer.status, answer.text]).toEqual([200, '']);
    }
  });

  test('the health endpoints set no cookie, and show no URL, file or version', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const { headers, text } = await ask(path);
      expect(headers['set-cookie']).toBeUndefined();
      expect(text.length).toBeLessThan(100);
      expect(text).not.toMatch(/:\/\/|\bfile:|\.db|node|v\d/);
    }
  });

  test('a POST to a health endpoint is a 404', async () => {
    for (const path of ['/healthz', '/readyz']) {
      expect((await openBrowser(application).post(path, { a: 'b' })).status).toBe(404);
    }
  });

  test('a process is not ready while a migration of its version is missing', async () => {
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
    const logLines = application.logged.filter(({ msg }) => /^(not ready|ready again)$/.test(msg));
    expect(logLines.map(({ msg, failing }) => [msg, failing])).toEqual([
      ['not ready', ['migrations']],
      ['ready again', undefined],
    ]);
  });
});

describe('a process on PostgreSQL', () => {
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

  test('a process whose database is stopped is alive, not ready, and recovers by itself', async () => {
    // Until the feed is linked, /readyz lists it as degraded.
    await vi.waitFor(expectReady, { timeout: 20_000, interval: 100 });
    await postgres.stop();
    await expectNotReady('database', 'migrations');
    await expectAlive();
    await postgres.start();
    await vi.waitFor(expectReady, { timeout: 20_000, interval: 100 });
  });

  test('a process whose database hangs answers in time that it is not ready', async () => {
    const lockingQuery = query(
      databaseUrl,
      `BEGIN; LOCK TABLE "_prisma_migrations" IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)`,
    ).catch((error: unknown) => error);
    const heldLocks = () =>
      query(databaseUrl, `SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted`);
    await expect.poll(heldLocks).toHaveLength(1);
    const countWaitingLocks = async () =>
      (await query(databaseUrl, 'SELECT 1 FROM pg_locks WHERE NOT granted')).length;
    const concurrentAnswers = Promise.all(
      Array.from({ length: CONCURRENT_REQUESTS }, () => expectNotReady('migrations')),
    );
    // All these requests share one database query.
    await vi.waitFor(async () => expect(await countWaitingLocks()).toBe(1), PATIENCE);
    expect((await ask('/healthz')).status).toBe(200);
    expect(await countWaitingLocks()).toBe(1);
    await concurrentAnswers;
    // The answers came although the database still hangs.
    expect(await heldLocks()).toHaveLength(1);
    await query(
      databaseUrl,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%'`,
    );
    expect(await lockingQuery).toBeInstanceOf(Error);
    await expectReady();
  });
});
