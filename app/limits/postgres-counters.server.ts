import { RateLimiterPostgres } from 'rate-limiter-flexible';
import type { Database } from '#app/database/database.server.ts';
import type { CounterStore } from './counters.server.ts';

interface Statement {
  text: string;
  values: unknown[];
}

/**
 * Counters in the table "RateLimit" of a PostgreSQL database: all processes on it count together.
 *
 * The limiter's own statements go over the connections of the application. (Its variant for Prisma
 * wants a timestamp in `expire`, and may lose a race for a row that ran out.)
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
        // Else each limiter has a timer of its own; `prune` does it for all.
        clearExpiredByTimeout: false,
        keyPrefix: '',
        points,
        duration: durationSeconds,
      }),
    async forget(accountPrefix) {
      await db.rateLimit.deleteMany({ where: { key: { startsWith: accountPrefix } } });
    },
    async prune() {
      // The limiter's clock is the system's, and so is the one that its windows end by.
      const { count } = await db.rateLimit.deleteMany({ where: { expire: { lt: Date.now() } } });
      return count;
    },
  };
}
