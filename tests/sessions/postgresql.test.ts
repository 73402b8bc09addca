import { afterAll } from 'vitest';
import { startPostgres } from '../fixtures/postgres.ts';
import { describeStoreContract } from './store-contract.ts';

const postgres = await startPostgres();

afterAll(() => postgres.close());

describeStoreContract('prisma on PostgreSQL', {
  address: async () => ({ kind: 'postgresql', url: await postgres.createDatabase() }),
  isSharedByNodes: true,
});
