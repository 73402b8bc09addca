import { randomInt } from 'node:crypto';
import { afterAll, describe, test } from 'vitest';
import { sharedPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { checkAgainstModel, type Abilities } from './model.ts';
import { newSqliteAddress, openStore, removeSqlite, type StoreAddress } from './open-store.ts';

/** Number of sequences per store; default 40 (nightly: LATCHKEY_MODEL_RUNS=1000). */
const RUNS = Number(process.env.LATCHKEY_MODEL_RUNS ?? 40);
/** Set LATCHKEY_MODEL_SEED to the logged seed to repeat a run. */
const SEED = Number(process.env.LATCHKEY_MODEL_SEED ?? randomInt(2 ** 31));
const MAX_MS_PER_SEQUENCE = 3000;

const sqlite = newSqliteAddress();
const postgres = await sharedPostgres();
const redis = await startRedis();

afterAll(async () => {
  removeSqlite(sqlite);
  await redis.close();
});

const all: Abilities = { tombstones: true, byUser: true, foreignKey: false };
const inDatabase: Abilities = { ...all, foreignKey: true };
const stores: [string, Abilities, () => Promise<[StoreAddress, StoreAddress?]>][] = [
  ['memory', all, async () => [{ kind: 'memory' }]],
  [
    'seven storage callbacks',
    { ...all, tombstones: false },
    async () => [{ kind: 'callbacks', functions: 7 }],
  ],
  [
    'the four required storage callbacks',
    { ...all, tombstones: false, byUser: false },
    async () => [{ kind: 'callbacks', functions: 4 }],
  ],
  ['SQLite', inDatabase, async () => [sqlite, sqlite]],
  [
    'PostgreSQL',
    inDatabase,
    async () => {
      const address = { kind: 'postgresql', url: await postgres.createDatabase() } as const;
      return [address, address];
    },
  ],
  [
    'Redis',
    all,
    async () => [
      { kind: 'redis', url: redis.url },
      { kind: 'ioredis', url: redis.url },
    ],
  ],
];

describe(`model with seed ${SEED}`, () => {
  test.each(stores)(
    `${RUNS} random sequences by several clients on %s keep the invariants I1 to I5`,
    async (name, abilities, addresses) => {
      console.log(`model over ${name}: LATCHKEY_MODEL_SEED=${SEED}, ${RUNS} sequences`);
      const [address, elsewhereAddress] = await addresses();
      const open = await openStore(address);
      const elsewhere = elsewhereAddress ? await openStore(elsewhereAddress) : open;
      try {
        await checkAgainstModel(open, elsewhere, abilities, { runs: RUNS, seed: SEED });
      } finally {
        await open.close();
        if (elsewhere !== open) await elsewhere.close();
      }
    },
    RUNS * MAX_MS_PER_SEQUENCE,
  );
});
