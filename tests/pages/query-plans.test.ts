import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCleanup } from '../../app/privacy/hourly-cleanup.server.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { PASSWORD, signIn, signUp } from '../fixtures/users.ts';

const DAY_MS = 86_400_000;
/** One row a node, or a migration; and one for each account that went, looked at once an hour. */
const STAY_SMALL = ['_prisma_migrations', 'CacheLease', 'ErasureReceipt'];
/** By an index, and yet every session that is not ended. */
const ALL_UNENDED = /INDEX \S+ \(revokedAt=\?/;
const READS_OR_WRITES = /^\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\b/i;

let application: TestApplication;
let isSqlite: boolean;
beforeAll(async () => {
  application = await startApplication();
  isSqlite = application.databaseUrl.startsWith('file:');
});
afterAll(() => application.close());

/** Steps of the plan of a statement that go through a whole table. */
function scansOf(sql: string): string[] {
  return isSqlite ? scansOnSqlite(sql) : scansOnPostgres(sql);
}

function scansOnSqlite(sql: string): string[] {
  const values = Array<null>(sql.split('?').length - 1).fill(null);
  const plan = application.sql<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...values);
  return plan
    .map(({ detail }) => detail)
    .filter((detail) => detail.startsWith('SCAN ') || ALL_UNENDED.test(detail));
}

function scansOnPostgres(sql: string): string[] {
  // A table of a few rows is read whole, whatever there is; so that is made the last resort.
  application.sql('SET enable_seqscan = off');
  application.sql('SET plan_cache_mode = force_generic_plan');
  application.sql(`PREPARE asked AS ${sql}`);
  const places = [...sql.matchAll(/\$(\d+)/g)].map(([, place]) => Number(place));
  const values = Array(Math.max(0, ...places))
    .fill('NULL')
    .join(', ');
  const execute = `EXECUTE asked${values && `(${values})`}`;
  const plan = application.sql<{ 'QUERY PLAN': string }>(`EXPLAIN ${execute}`);
  application.sql('DEALLOCATE asked');
  return plan.map((row) => row['QUERY PLAN']).filter((line) => line.includes('Seq Scan on'));
}

const isOfSmallTable = (step: string) =>
  // What is made within a statement is as small as what it was made from.
  STAY_SMALL.some((table) => step.includes(table)) ||
  /^SCAN (sub|part\d|\(subquery|CONSTANT ROW|json_each|\d)/.test(step);

test('no statement for a person goes through a whole table', async () => {
  const cut = application.statements.length;
  const user = await signUp(application);
  const { browser } = user;
  const phone = await signIn(application, user, { remember: true });
  const id = (await phone.sessionToken())!.split('.')[0]!;
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

  const statements = [...new Set(application.statements.slice(cut))].filter((sql) =>
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
