import Database from 'better-sqlite3';
import { afterAll, expect, test } from 'vitest';
import { openDatabase } from '../../app/database/database.server.ts';
import { MINUTE_MS } from '../../app/sessions/session.ts';
import { StoreUnavailableError } from '../../app/sessions/session-store.ts';
import { Sessions } from '../../app/sessions/sessions.ts';
import { prismaSessionStore } from '../../app/sessions/stores/prisma.ts';
import { newSqliteAddress, openStore, removeSqlite } from './open-store.ts';
import { aRecord, after, describeStoreContract } from './store-contract.ts';

const address = newSqliteAddress();
const asText = newSqliteAddress();
const quiet = { info: () => undefined, warn: () => undefined };
const locked = newSqliteAddress();

afterAll(() => [address, asText, locked].forEach(removeSqlite));

describeStoreContract('prisma on SQLite', { address: () => address, isSharedByNodes: true });

describeStoreContract('prisma on SQLite with times as text', {
  address: () => ({ ...asText, times: 'text' }),
  isSharedByNodes: true,
});

test('fetchSession reads the requested user data in the same statement', async () => {
  const { store, close, addUser } = await openStore(address);
  await addUser('user-3');
  const record = aRecord({ userId: 'user-3' });
  await store.saveSession(record);
  const stored = await store.fetchSession(record.id);
  expect(stored).toEqual({ record, user: { name: 'Name of user-3' } });
  await close();
});

test('fetchSession returns a null user if no user data is requested', async () => {
  const { client, ...database } = await openDatabase({ databaseUrl: address.url, log: quiet });
  const store = prismaSessionStore({ client, provider: 'sqlite' });
  const record = aRecord({ userId: 'user-3' });
  await store.saveSession(record);
  expect(await store.fetchSession(record.id)).toEqual({ record, user: null });
  await database.close();
});

test('a session needs an existing user, and deleting the user deletes its sessions', async () => {
  const { store, close, addUser, removeUser } = await openStore(address);
  await expect(store.saveSession(aRecord({ userId: 'nobody-here' }))).rejects.toThrow();
  await addUser('leaving');
  const record = aRecord({ userId: 'leaving' });
  await store.saveSession(record);
  await removeUser('leaving');
  expect(await store.fetchSession(record.id)).toBeNull();
  await close();
});

test('a database that another process locks is unavailable, and no session ends', async () => {
  const { store, close, addUser } = await openStore(locked);
  await addUser('user-1');
  const sessions = new Sessions({ store });
  const { token, session } = await sessions.start({ userId: 'user-1' }, after(0));
  const other = new Database(locked.url.replace(/^file:/, ''));
  other.exec('BEGIN IMMEDIATE');
  const resuming = sessions.resume(token, after(MINUTE_MS));
  await expect(resuming).rejects.toBeInstanceOf(StoreUnavailableError);
  other.exec('ROLLBACK');
  other.close();
  expect(await sessions.resume(token, after(MINUTE_MS))).toMatchObject({
    state: 'live',
    session: { id: session.id },
  });
  await close();
});
