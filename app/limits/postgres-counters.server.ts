import { RateLimiterPostgres } from 'rate-limiter-flexible';
import type { Database } from '#app/database/database.server.ts';
import type { CounterStore } from './counters.server.ts';

interface Statement {
  text: string;
  values: unknown[];
}

/**
 * Counters in the table "RateLimit" of a PostgreSQL database, shared by all processes.
 *
 * The limiter's own statements use the connections of the application. (The library's variant for Prisma
 * needs a timestamp in `expire`, and may lose a race for an expired row.)
 */
export function createPostgresCounters(db: Database['client']): CounterStore {
  const storeClient = {
    async query({ text, values }: Statement) {
      const rows = await db.$queryRawUnsafe<{ expire: bigint | null }[]>(text, ...values);
      const read = rows.map(({ expire, ...row }) => ({ ...row, expire: Number(expire) }));
      return { rows: read, rowCount: read.length };
    },
  };
  return {
    counter: ({ points, durationSeconds }) =>
      new RateLimiterPostgres({
        storeClient,
        storeType: 'pool',
        tableName: 'RateLimit',
        tableCreated: true,
        // Otherwise each limiter has its own timer; `prune` deletes for all of them.
        clearExpiredByTimeout: false,
        keyPrefix: '',
        points,
        duration: durationSeconds,
      }),
    async forget(accountPrefix) {
      await db.rateLimit.deleteMany({ where: { key: { startsWith: accountPrefix } } });
    },
    async prune() {
      // The limiter uses the system clock, so this must too.
      const { count } = await db.rateLimit.deleteMany({ where: { expire: { lt: Date.now() } } });
      return count;
    },
  };
}
