import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { mailboxOf } from '../fixtures/users.ts';
import { startRedis, type Redis } from '../fixtures/redis.ts';
import { hatchCanary } from './two-users.ts';

const PAGE = '/settings/data/delete';

let redis: Redis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.close());

describe.each(['in the process or the database', 'in Redis'])(
  'with attempts counted %s',
  (where) => {
    let application: TestApplication;
    beforeAll(async () => {
      application = await startApplication({
        env: where === 'in Redis' ? { REDIS_URL: redis.url } : {},
      });
    });
    afterAll(() => application.close());

    /** Returns the text of every file, except the last mails to the erased user. */
    const filesOf = (folder: string): string[] =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .map((name) => join(folder, name))
        .filter((file) => statSync(file).isFile())
        .map((file) => readFileSync(file, 'latin1'))
        .filter((text) => !text.includes('"kind":"account-deleted"'));
    const inTables = () => {
      const limits = application
        .sql<{ key: string }>('SELECT key FROM "RateLimit"')
        .map(({ key }) => key);
      return [application.everything(), ...limits].join('\n');
    };

    test(`an erasure leaves no trace of the user and keeps other users (attempts ${where})`, async () => {
      const erased = await hatchCanary(application, 'gone');
      const other = await hatchCanary(application, 'stays');
      await mailboxOf(application).unread();
      const allStoredTexts = async () => [
        inTables(),
        ...(await redis.keys()),
        ...filesOf(application.folder),
      ];
      const tracesIn = (texts: string[], traces: string[]) =>
        traces.filter((trace) => texts.some((text) => text.includes(trace)));

      const before = await allStoredTexts();
      // Every trace that is stored as text is found before the erasure. Otherwise, not finding it
      // afterwards would prove nothing. Counters in the memory of this process are not searched.
      const isFound = (trace: string) =>
        tracesIn(before, [trace]).length > 0 || application.databaseUrl.startsWith('file:');
      expect(
        erased.traces.filter((trace) => !isFound(trace) && !trace.includes('picture')),
      ).toEqual([]);
      const otherTraces = tracesIn(before, other.traces);
      expect(otherTraces.length).toBeGreaterThan(20);
      const otherRows = application.sql('SELECT * FROM "Activity" WHERE userId = ?', other.userId);

      const { location } = await erased.user.browser.post(PAGE, { email: erased.user.email });
      expect(location).toMatch(/^\/erased\//);
      await mailboxOf(application).nextMailTo(erased.user.email, 'account-deleted');

      const after = await allStoredTexts();
      expect(tracesIn(after, erased.traces)).toEqual([]);
      expect(tracesIn(after, other.traces)).toEqual(otherTraces);
      expect(application.sql('SELECT * FROM "Activity" WHERE userId = ?', other.userId)).toEqual(
        otherRows,
      );
      expect(application.sql('SELECT userId FROM "Picture"')).toEqual([{ userId: other.userId }]);
      expect((await other.user.browser.get('/settings/profile')).status).toBe(200);
      const [receipt] = application.sql<{ counts: string; pending: string | null }>(
        'SELECT counts, pending FROM "ErasureReceipt"',
      );
      expect(receipt!.pending).toBeNull();
      expect(JSON.parse(receipt!.counts)).toMatchObject({
        User: 1,
        Password: 1,
        Totp: 1,
        RecoveryCode: 1,
        Passkey: 1,
        Connection: 1,
        Picture: 1,
        Session: 1,
        Spent: 1,
      });
      // The journal has one line for the erasure. It names no user, which was checked above.
      const journal = join(application.folder, 'erasures.jsonl');
      expect(statSync(journal).mode & 0o777).toBe(0o600);
      expect(readFileSync(journal, 'utf8').trim().split('\n')).toHaveLength(1);
    });
  },
);
