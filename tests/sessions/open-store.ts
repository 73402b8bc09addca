import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3';
import { Redis as Ioredis } from 'ioredis';
import { createClient } from 'redis';
import { openDatabase, type Database } from '../../app/database/database.server.ts';
import { PrismaClient } from '../../prisma/sqlite/client/client.ts';
import type { SessionRecord } from '../../app/sessions/session.ts';
import type { SessionStore } from '../../app/sessions/session-store.ts';
import {
  callbackSessionStore,
  type FetchedSession,
  type SessionCallbacks,
} from '../../app/sessions/stores/callbacks.ts';
import { memorySessionStore } from '../../app/sessions/stores/memory.ts';
import { prismaSessionStore } from '../../app/sessions/stores/prisma.ts';
import { redisSessionStore } from '../../app/sessions/stores/redis.ts';

/** The address of a store's data, as plain data, so that another process can open the same store. */
export type StoreAddress =
  | { kind: 'memory' }
  /** Stores times as the application does, or as text, which is the default of Prisma's adapter. */
  | { kind: 'sqlite'; url: string; times?: 'text' }
  | { kind: 'postgresql'; url: string }
  | { kind: 'redis' | 'ioredis'; url: string }
  /** A custom storage: a map with all seven functions, or with the four required ones. */
  | { kind: 'callbacks'; functions: 4 | 7 };

/** A store as a node of the application opens it, with functions for tests. */
export interface OpenStore {
  store: SessionStore<unknown, { name: string }>;
  /** Creates a user, if the store's sessions need one. */
  addUser: (id: string) => Promise<void>;
  /** Deletes the user, and with it every row that a foreign key deletes. */
  removeUser: (id: string) => Promise<void>;
  /** Deletes all data. */
  clear: () => Promise<void>;
  /** Returns all stored data as text, to search for values that must not be stored. */
  dump: () => Promise<string>;
  close: () => Promise<void>;
}

const quiet = { info: () => undefined, warn: () => undefined };

/** Returns the address of a SQLite database that does not exist yet. */
export function newSqliteAddress(): StoreAddress & { kind: 'sqlite' } {
  const file = join(tmpdir(), `latchkey-sessions-${randomBytes(6).toString('hex')}.db`);
  return { kind: 'sqlite', url: `file:${file}` };
}

/** Deletes the files of a database of {@link newSqliteAddress}. */
export function removeSqlite({ url }: { url: string }): void {
  for (const end of ['', '-wal', '-shm']) rmSync(url.replace(/^file:/, '') + end, { force: true });
}

/** Opens a store. Two stores of the same database share its sessions. */
export async function openStore(address: StoreAddress): Promise<OpenStore> {
  switch (address.kind) {
    case 'sqlite':
      return openPrisma(address.url, address.times);
    case 'postgresql':
      return openPrisma(address.url);
    case 'redis':
    case 'ioredis':
      return openRedis(address);
    case 'callbacks':
      return openCallbacks(address.functions);
    case 'memory':
      return openMemory();
  }
}

async function openWithTimesAsText(
  databaseUrl: string,
): Promise<Pick<Database, 'client' | 'provider' | 'close'> & { rows?: undefined }> {
  await (await openDatabase({ databaseUrl, log: quiet })).close();
  const client = new PrismaClient({ adapter: new PrismaBetterSqlite3({ url: databaseUrl }) });
  return { client, provider: 'sqlite', close: () => client.$disconnect() };
}

async function openPrisma(databaseUrl: string, times?: 'text'): Promise<OpenStore> {
  const database =
    times === 'text'
      ? await openWithTimesAsText(databaseUrl)
      : await openDatabase({ databaseUrl, log: quiet });
  const { client, provider, rows } = database;
  return {
    store: prismaSessionStore({
      client,
      provider,
      rows,
      userColumns: ['name'],
    }),
    async addUser(id) {
      await client.user.create({ data: { id, email: `${id}@example.com`, name: `Name of ${id}` } });
    },
    async removeUser(id) {
      await client.user.delete({ where: { id } });
    },
    async clear() {
      await client.user.deleteMany();
    },
    async dump() {
      return JSON.stringify(await client.session.findMany());
    },
    close: () => database.close(),
  };
}

const PREFIX = 'test:';

async function openRedis(address: { kind: 'redis' | 'ioredis'; url: string }): Promise<OpenStore> {
  const admin = createClient({ url: address.url });
  // A stopped server also emits an error. The error of the command is enough.
  admin.on('error', () => undefined);
  await admin.connect();
  const { redis, close } = await connectRedis(address);
  const store = redisSessionStore({ redis, prefix: PREFIX, timeoutMs: 2000 });
  return {
    store,
    addUser: async () => undefined,
    removeUser: async () => undefined,
    async clear() {
      await admin.sendCommand(['FLUSHALL']);
    },
    async dump() {
      const lines: string[] = [];
      for (const key of await admin.keys('*')) {
        const reading =
          (await admin.type(key)) === 'zset' ? ['ZRANGE', key, '0', '-1'] : ['HGETALL', key];
        lines.push(key, JSON.stringify(await admin.sendCommand(reading)));
      }
      return lines.join('\n');
    },
    async close() {
      await close();
      admin.destroy();
    },
  };
}

async function connectRedis({ kind, url }: { kind: 'redis' | 'ioredis'; url: string }) {
  if (kind === 'redis') {
    const redis = createClient({ url, disableOfflineQueue: true });
    redis.on('error', () => undefined);
    await redis.connect();
    return { redis, close: async () => redis.destroy() };
  }
  const redis = new Ioredis(url, { lazyConnect: true, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  await redis.connect();
  return { redis, close: async () => redis.disconnect() };
}

function openMemory(): OpenStore {
  let store = memorySessionStore();
  const current = () => store;
  return {
    store: forwarding(current),
    addUser: async () => undefined,
    removeUser: async () => undefined,
    async clear() {
      store = memorySessionStore();
    },
    async dump() {
      const { sessions } = await store.listSessions({ after: null, limit: 1e6 });
      const rows = await Promise.all(sessions.map(({ id }) => store.fetchSession(id)));
      return JSON.stringify(rows);
    },
    close: async () => undefined,
  };
}

function openCallbacks(functions: 4 | 7): OpenStore {
  const rows = new Map<string, string>();
  const callbacks = functions === 7 ? sevenCallbacks(rows) : fourCallbacks(rows);
  return {
    store: callbackSessionStore(callbacks),
    addUser: async () => undefined,
    async removeUser(userId) {
      for (const [id, row] of rows) {
        if ((JSON.parse(row) as SessionRecord).userId === userId) rows.delete(id);
      }
    },
    clear: async () => rows.clear(),
    dump: async () => [...rows].join('\n'),
    close: async () => undefined,
  };
}

// The simplest functions that fit the names: they have no conditions, return nothing, store JSON, and
// update only the expiry.
const soon = () => new Promise((resolve) => setImmediate(resolve));

function fourCallbacks(rows: Map<string, string>): SessionCallbacks {
  return {
    async saveSession(session) {
      await soon();
      if (rows.has(session.id)) throw new Error('duplicate key');
      rows.set(session.id, JSON.stringify(session));
    },
    async fetchSession(id) {
      await soon();
      const row = rows.get(id);
      return row === undefined ? null : (JSON.parse(row) as FetchedSession);
    },
    async updateSessionExpiry(id: string, date: Date) {
      await soon();
      const row = rows.get(id);
      if (row) rows.set(id, JSON.stringify({ ...JSON.parse(row), expiresAt: date }));
    },
    async deleteSession(id) {
      await soon();
      rows.delete(id);
    },
  };
}

function sevenCallbacks(rows: Map<string, string>): SessionCallbacks {
  const parsed = () => [...rows.values()].map((row) => JSON.parse(row) as SessionRecord);
  return {
    ...fourCallbacks(rows),
    async fetchSessionsForUser(userId) {
      await soon();
      return parsed().filter((row) => row.userId === userId);
    },
    async deleteSessionsForUser(userId) {
      await soon();
      for (const row of parsed()) if (row.userId === userId) rows.delete(row.id);
    },
    async deleteAllExpiredSessions(endedBefore) {
      const old = parsed().filter((row) => new Date(row.expiresAt) < endedBefore);
      for (const { id } of old) rows.delete(id);
      return old.length;
    },
  };
}

// Lets `clear` replace the store by a new one.
function forwarding<Store extends object>(current: () => Store): Store {
  return new Proxy({} as Store, {
    get: (_none, name) => Reflect.get(current(), name),
    has: (_none, name) => name in current(),
  });
}
