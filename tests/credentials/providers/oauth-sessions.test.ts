import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createErasures } from '#app/privacy/erasure.server.ts';
import {
  createOauthSessions,
  UnreadableTokenError,
  type OauthSessionStorage,
} from '#app/credentials/providers/oauth-sessions.server.ts';
import { openDatabase, type Database } from '#app/database/database.server.ts';
import { createKeyring, type NamedKey } from '#app/config/keyring.server.ts';
import {
  EmptyDatabases,
  PROVIDERS,
  rejectionOf,
  type EmptyDatabase,
} from '../../database/providers.ts';

const quiet = { info: () => undefined, warn: () => undefined };
const key = (id: string): NamedKey => ({ id, secret: Buffer.alloc(32, id) });
const NOW = new Date('2026-11-21T12:00:00.000Z');
const LATER = new Date('2026-11-22T12:00:00.000Z');

const databases = new EmptyDatabases();
afterAll(() => databases.close());

/** Returns a session as an application creates it when a store has granted access. */
const granted = (store: string) => ({
  store,
  isOnline: false,
  accessToken: `access-${store}`,
  refreshToken: `refresh-${store}`,
  userId: '42',
  firstName: 'Salma',
  lastName: 'Haddad',
  email: 'salma@example.com',
  emailVerified: true,
});

describe.each(PROVIDERS)('on %s', (provider) => {
  let empty: EmptyDatabase;
  let database: Database;
  let prisma: OauthSessionStorage;
  let now = NOW;
  const storageUnder = (...keys: [NamedKey, ...NamedKey[]]) =>
    createOauthSessions({
      db: database.client,
      keyring: createKeyring(keys),
      now: () => now,
    });
  beforeAll(async () => {
    empty = await databases.make(provider);
    database = await openDatabase({ databaseUrl: empty.url, log: quiet });
    prisma = storageUnder(key('one'));
  });
  afterAll(() => database.close());
  const rawRow = async (store: string) =>
    JSON.stringify(await empty.query(`SELECT * FROM "OauthSession" WHERE "store" = '${store}'`));

  test('the first upsert creates a row, and findUnique finds it', async () => {
    const create = granted('one.example');
    const created = await prisma.session.upsert({
      where: { store: 'one.example' },
      update: create,
      create,
    });
    expect(created).toEqual({
      ...create,
      id: expect.stringMatching(/./),
      createdAt: NOW,
      lastSeenAt: NOW,
    });
    expect(await prisma.session.findUnique({ where: { store: 'one.example' } })).toEqual(created);
  });

  test('a later upsert changes only the given fields', async () => {
    const where = { store: 'two.example' };
    const create = granted('two.example');
    const first = await prisma.session.upsert({ where, update: create, create });
    now = LATER;
    const update = { accessToken: 'access-new', refreshToken: null, lastName: undefined };
    const changed = await prisma.session.upsert({ where, update, create });
    expect(changed).toEqual({
      ...first,
      accessToken: 'access-new',
      refreshToken: null,
      lastSeenAt: LATER,
    });
    const given = new Date('2026-11-23T00:00:00.000Z');
    await prisma.session.upsert({ where, update: { lastSeenAt: given }, create });
    expect((await prisma.session.findUnique({ where }))?.lastSeenAt).toEqual(given);
    now = NOW;
  });

  test('findUnique returns null for an unknown store', async () => {
    expect(await prisma.session.findUnique({ where: { store: 'nobody.example' } })).toBeNull();
  });

  test('twenty concurrent upserts for one store create one row', async () => {
    const where = { store: 'busy.example' };
    const create = granted('busy.example');
    await Promise.all(
      Array.from({ length: 20 }, () => prisma.session.upsert({ where, update: create, create })),
    );
    expect(JSON.parse(await rawRow('busy.example'))).toHaveLength(1);
  });

  test('the stored row contains neither token in plain text', async () => {
    const where = { store: 'raw.example' };
    const create = granted('raw.example');
    await prisma.session.upsert({ where, update: create, create });
    const raw = await rawRow('raw.example');
    expect(raw).toContain('salma@example.com');
    for (const token of [create.accessToken, create.refreshToken]) {
      for (const coding of ['utf8', 'base64', 'base64url', 'hex'] as const) {
        expect(raw).not.toContain(Buffer.from(token).toString(coding).slice(0, 12));
      }
    }
  });

  test('tokens sealed with an old key still open, and a removed key causes an UnreadableTokenError', async () => {
    const where = { store: 'rotated.example' };
    const create = granted('rotated.example');
    await prisma.session.upsert({ where, update: create, create });
    const rotated = storageUnder(key('two'), key('one'));
    expect((await rotated.session.findUnique({ where }))?.accessToken).toBe(create.accessToken);
    const without = storageUnder(key('two'));
    await expect(without.session.findUnique({ where })).rejects.toThrow(UnreadableTokenError);
    // A new grant is sealed with the new key.
    await rotated.session.upsert({ where, update: create, create });
    expect((await without.session.findUnique({ where }))?.refreshToken).toBe(create.refreshToken);
  });

  test("a token that was copied into another store's row does not open", async () => {
    for (const store of ['mine.example', 'yours.example']) {
      const create = granted(store);
      await prisma.session.upsert({ where: { store }, update: create, create });
    }
    await empty.query(
      `UPDATE "OauthSession" SET "accessToken" =
         (SELECT "accessToken" FROM "OauthSession" WHERE "store" = 'yours.example')
       WHERE "store" = 'mine.example'`,
    );
    const error = await rejectionOf(
      prisma.session.findUnique({ where: { store: 'mine.example' } }),
    );
    expect(error).toBeInstanceOf(UnreadableTokenError);
    expect(error.message).not.toContain('access-');
  });

  test('an upsert whose create names another store is refused', async () => {
    const create = granted('other.example');
    const where = { store: 'wanted.example' };
    await expect(prisma.session.upsert({ where, update: {}, create })).rejects.toThrow(TypeError);
    expect(await prisma.session.findUnique({ where })).toBeNull();
  });

  test("erasing an account deletes its online sessions, and its name and e-mail from a store's session", async () => {
    const { client } = database;
    const email = 'ann@example.com';
    const { id: userId } = await client.user.create({ data: { email, name: 'Ann' } });
    const keep = async (store: string, more: object) => {
      const create = { ...granted(store), ...more };
      await prisma.session.upsert({ where: { store }, update: create, create });
    };
    await keep('online.example', { isOnline: true, userId });
    await keep('offline.example', { userId });
    await keep('addressed.example', { email });
    const erasures = createErasures({
      db: client,
      provider,
      keyring: createKeyring([key('one')]),
      mailer: null,
      journal: { append: async () => undefined, read: async () => [] },
      forget: { counters: async () => undefined, mail: async () => undefined },
      log: { ...quiet, error: () => undefined } as never,
    });
    expect(await erasures.count(userId)).toEqual({ User: 1, OauthSession: 3 });
    await erasures.erase(userId, NOW);
    const find = (store: string) => prisma.session.findUnique({ where: { store } });
    expect(await find('online.example')).toBeNull();
    const anonymous = { userId: null, firstName: null, lastName: null, email: null };
    expect(await find('offline.example')).toMatchObject({
      ...anonymous,
      accessToken: 'access-offline.example',
    });
    expect(await find('addressed.example')).toMatchObject(anonymous);
    expect(await find('one.example')).toMatchObject({ email: 'salma@example.com' });
  });
});
