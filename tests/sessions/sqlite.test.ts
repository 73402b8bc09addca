import { afterAll } from 'vitest';
import { newSqliteAddress, removeSqlite } from './open-store.ts';
import { describeStoreContract } from './store-contract.ts';

const address = newSqliteAddress();

afterAll(() => removeSqlite(address));

describeStoreContract('prisma on SQLite', { address: () => address, isSharedByNodes: true });
