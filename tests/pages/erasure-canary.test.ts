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

describe.each(['where each process or the database counts', 'in Redis'])(
  'with tries counted %s',
  (where) => {
    let application: TestApplication;
    beforeAll(async () => {
      application = await startApplication({
        env: where === 'in Redis' ? { REDIS_URL: redis.url } : {},
      });
    });
    afterAll(() => application.close());

    /** Every file of this application, but the last mails to whoever was erased. */
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

    test('nothing of an erased person is anywhere, and all of another one is where it was', async () => {
      const gone = await hatchCanary(application, 'gone');
      const stays = await hatchCanary(application, 'stays');
      await mailboxOf(application).unread();
      const everywhere = async () => [
        inTables(),
        ...(await redis.keys()),
        ...filesOf(application.folder),
      ];
      const found = (traces: string[], places: string[]) =>
        traces.filter((trace) => places.some((place) => place.includes(trace)));

      const before = await everywhere();
      // Each canary that is kept as text can be found, so that not finding it means something. What
      // counts in this process's memory is in none of these places.
      const isKept = (trace: string) =>
        found([trace], before).length > 0 || application.databaseUrl.startsWith('file:');
      expect(gone.traces.filter((trace) => !isKept(trace) && !trace.includes('picture'))).toEqual(
        [],
      );
      const ofB = found(stays.traces, before);
      expect(ofB.length).toBeGreaterThan(20);
      const rowsOfB = application.sql('SELECT * FROM "Activity" WHERE userId = ?', stays.userId);

      const { location } = await gone.user.browser.post(PAGE, { email: gone.user.email });
      expect(location).toMatch(/^\/erased\//);
      await mailboxOf(application).nextMailTo(gone.user.email, 'account-deleted');

      const after = await everywhere();
      expect(found(gone.traces, after)).toEqual([]);
      expect(found(stays.traces, after)).toEqual(ofB);
      expect(application.sql('SELECT * FROM "Activity" WHERE userId = ?', stays.userId)).toEqual(
        rowsOfB,
      );
      expect(application.sql('SELECT userId FROM "Picture"')).toEqual([{ userId: stays.userId }]);
      expect((await stays.user.browser.get('/settings/profile')).status).toBe(200);
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
      // The journal has it as well, and names nobody.
      const journal = join(application.folder, 'erasures.jsonl');
      expect(statSync(journal).mode & 0o777).toBe(0o600);
      expect(readFileSync(journal, 'utf8').trim().split('\n')).toHaveLength(1);
    });
  },
);
