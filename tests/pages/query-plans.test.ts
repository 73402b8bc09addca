import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCleanup } from '../../app/privacy/hourly-cleanup.server.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { PASSWORD, signIn, signUp } from '../fixtures/users.ts';

const DAY_MS = 86_400_000;
/** Tables that may be scanned: a row per migration, per node, or per deleted account (read hourly). */
const SMALL_TABLES = ['_prisma_migrations', 'CacheLease', 'ErasureReceipt'];
/** A search by index that still reads every session that is not revoked. */
const READS_ALL_UNREVOKED = /INDEX \S+ \(revokedAt=\?/;
const READS_OR_WRITES = /^\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b/i;

let application: TestApplication;
let isSqlite: boolean;
beforeAll(async () => {
  application = await startApplication();
  isSqlite = application.databaseUrl.startsWith('file:');
});
afterAll(() => application.close());

/** Returns the steps of the statement's query plan that scan a whole table. */
function scansOf(sql: string): string[] {
  return isSqlite ? scansOnSqlite(sql) : scansOnPostgres(sql);
}

function scansOnSqlite(sql: string): string[] {
  const values = Array<null>(sql.split('?').length - 1).fill(null);
  const plan = application.sql<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...values);
  return plan
    .map(({ detail }) => detail)
    .filter((detail) => detail.startsWith('SCAN ') || READS_ALL_UNREVOKED.test(detail));
}

function scansOnPostgres(sql: string): string[] {
  // PostgreSQL scans a table of few rows even if there is an index, unless scans are turned off.
  application.sql('SET enable_seqscan = off');
  application.sql('SET plan_cache_mode = force_generic_plan');
  application.sql(`PREPARE explained AS ${sql}`);
  const places = [...sql.matchAll(/\$(\d+)/g)].map(([, place]) => Number(place));
  const values = Array(Math.max(0, ...places))
    .fill('NULL')
    .join(', ');
  const execute = `EXECUTE explained${values && `(${values})`}`;
  const plan = application.sql<{ 'QUERY PLAN': string }>(`EXPLAIN ${execute}`);
  application.sql('DEALLOCATE explained');
  return plan.map((row) => row['QUERY PLAN']).filter((line) => line.includes('Seq Scan on'));
}

const isOfSmallTable = (step: string) =>
  // A subquery's result is as small as what it was made from.
  SMALL_TABLES.some((table) => step.includes(table)) ||
  /^SCAN (sub|part\d|\(subquery|CONSTANT ROW|json_each|\d)/.test(step);

test('no statement of a request or of the hourly cleanup scans a whole table', async () => {
  const before = application.statements.length;
  const user = await signUp(application);
  const { browser } = user;
  const phone = await signIn(application, user, { remember: true });
  const id = await sessionIdOf(phone);
  for (const path of [
    '/',
    '/settings/sessions',
    '/settings/profile',
    '/settings/security',
    '/settings/data',
    '/settings/activity',
    '/settings/passkeys',
    '/settings/connections',
    '/settings/two-factor',
    '/settings/tokens',
    '/settings/data/delete',
    '/settings/sessions/others/sign-out',
    '/api/session',
    '/api/sessions',
    `/settings/sessions/${id}/name`,
  ]) {
    expect((await browser.get(path)).status, path).toBe(200);
  }
  await browser.post(`/settings/sessions/${id}/name`, { label: 'Phone' });
  await browser.post(`/settings/sessions/${id}/sign-out`, {});
  await signIn(application, user);
  await browser.post('/settings/sessions/others/sign-out', {});
  await browser.post('/settings/password', { newPassword: `${PASSWORD}, newer` });
  application.clock.advance(DAY_MS / 24 / 2);
  await browser.get('/');
  await browser.post('/forgot-password', { email: user.email });
  await runCleanup(application.application, application.clock.now());
  await browser.post('/logout', {});

  const statements = [...new Set(application.statements.slice(before))].filter((sql) =>
    READS_OR_WRITES.test(sql),
  );
  expect(statements.length).toBeGreaterThan(30);
  const scanning = statements.flatMap((sql) =>
    scansOf(sql)
      .filter((step) => !isOfSmallTable(step))
      .map((step) => `${step}: ${sql.slice(0, 300)}`),
  );
  expect(scanning).toEqual([]);
});
