import { expect, test } from 'vitest';
import { query, sharedPostgres } from '../fixtures/postgres.ts';
import { openStore } from './open-store.ts';
import { aRecord, describeStoreContract } from './store-contract.ts';

const postgres = await sharedPostgres();

describeStoreContract('prisma on PostgreSQL', {
  address: async () => ({ kind: 'postgresql', url: await postgres.createDatabase() }),
  isSharedByNodes: true,
});

test.each(['America/New_York', 'Asia/Kolkata', 'Pacific/Apia'])(
  'PostgreSQL stores exact times in UTC if server and process are in %s',
  async (zone) => {
    const url = await postgres.createDatabase();
    const name = new URL(url).pathname.slice(1);
    await query(url, `ALTER DATABASE "${name}" SET timezone = '${zone}'`);
    const zoneBefore = process.env.TZ;
    process.env.TZ = zone;
    const { store, addUser, close } = await openStore({ kind: 'postgresql', url });
    try {
      await addUser('user-1');
      // One in the hour that New York skips, and one in the hour that it repeats.
      for (const text of ['2026-03-08 07:30:00.123', '2026-11-01 05:30:00.999']) {
        const at = new Date(`${text.replace(' ', 'T')}Z`);
        const record = aRecord({
          createdAt: at,
          lastSeenAt: at,
          expiresAt: at,
          reauthenticatedAt: at,
        });
        await store.saveSession(record);
        expect((await store.fetchSession(record.id))?.record).toEqual(record);
        const [raw] = await query<{ zone: string; at: string }>(
          url,
          `SELECT current_setting('timezone') AS zone, "lastSeenAt"::text AS at FROM "Session" WHERE "id" = '${record.id}'`,
        );
        expect(raw).toEqual({ zone, at: text });
        const just = new Date(at.getTime() + 1);
        const live = { now: new Date(at.getTime() - 1), limit: 9 };
        expect(await store.fetchSessionsForUser!('user-1', live)).toHaveLength(1);
        expect(await store.deleteAllExpiredSessions!(at)).toBe(0);
        expect(await store.deleteAllExpiredSessions!(just)).toBe(1);
      }
    } finally {
      await close();
      if (zoneBefore === undefined) delete process.env.TZ;
      else process.env.TZ = zoneBefore;
    }
  },
);
