import { Redis as Ioredis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { openDatabase } from '../../app/db.server.ts';
import {
  getAuthTokenForSessionId,
  getSessionIdFromAuthToken,
  InMemorySessions,
  PrismaSessions,
  RedisSessions,
  StoredSessions,
  type SessionClass,
  type SessionId,
  type SessionRules,
} from '../../app/sessions/session-classes.ts';
import { HOUR_MS } from '../../app/sessions/session.ts';
import { StoreUnavailableError } from '../../app/sessions/session-store.ts';
import { callbackSessionStore } from '../../app/sessions/stores/callbacks.ts';
import { memorySessionStore } from '../../app/sessions/stores/memory.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { startRedis } from '../fixtures/redis.ts';
import { newSqliteAddress, removeSqlite } from './open-store.ts';

interface Meta {
  theme: 'dark' | 'light';
  tags: string[];
}
type Variant = SessionClass<string, Meta>;

const sqlite = newSqliteAddress();
const postgres = await startPostgres();
const redisServer = await startRedis();
const redis = createClient({ url: redisServer.url });
const ioredis = new Ioredis(redisServer.url, { lazyConnect: true });
const closing: (() => Promise<unknown>)[] = [];

let now = new Date('2026-05-01T12:00:00.000Z');
const rules: SessionRules = { clock: () => now, maxPerUser: 5 };

beforeAll(async () => {
  await redis.connect();
  await ioredis.connect();
});
afterAll(async () => {
  redis.destroy();
  ioredis.disconnect();
  for (const close of closing) await close();
  removeSqlite(sqlite);
  await postgres.close();
  await redisServer.close();
});

const onPrisma = async (databaseUrl: string): Promise<Variant> => {
  const log = { info: () => undefined, warn: () => undefined };
  const database = await openDatabase({ databaseUrl, log });
  const { client, provider } = database;
  closing.push(() => database.close());
  for (const id of ['ann', 'bob']) {
    await client.user.create({ data: { id, email: `${id}@example.com`, name: id } });
  }
  return new PrismaSessions<string, Meta>({ client, provider, ...rules });
};

const variants: [string, () => Variant | Promise<Variant>][] = [
  ['InMemorySessions', () => new InMemorySessions<string, Meta>(rules)],
  [
    'RedisSessions over redis',
    () => new RedisSessions<string, Meta>({ redis, prefix: 'one:', ...rules }),
  ],
  [
    'RedisSessions over ioredis',
    () => new RedisSessions<string, Meta>({ redis: ioredis, prefix: 'two:', ...rules }),
  ],
  ['PrismaSessions on SQLite', () => onPrisma(sqlite.url)],
  ['PrismaSessions on PostgreSQL', async () => onPrisma(await postgres.createDatabase())],
];

describe.each(variants)('%s', (_name, make) => {
  let sessions: Variant;

  beforeAll(async () => {
    sessions = await make();
  });

  const create = (userId = 'ann', label = 'Laptop', meta: Meta = { theme: 'dark', tags: [] }) =>
    sessions.createSession({ userId, label, meta });

  test('a session says whose it is and what was kept with it', async () => {
    const session = await create('ann', 'Läptop', { theme: 'light', tags: ['ü', ''] });
    expect(await sessions.getUserIdFromSession(session)).toBe('ann');
    const meta = await sessions.getSessionMeta(session);
    expect(meta).toEqual({ theme: 'light', tags: ['ü', ''] });
    expectTypeOf(meta).toEqualTypeOf<Meta | null>();
  });

  test('none, an unknown and a foreign one say nothing', async () => {
    const foreign = await new InMemorySessions<string, Meta>().createSession({
      userId: 'ann',
      label: '',
      meta: { theme: 'dark', tags: [] },
    });
    for (const session of [null, foreign, 'nonsense' as SessionId, '' as SessionId]) {
      expect(await sessions.getUserIdFromSession(session)).toBeNull();
      expect(await sessions.getSessionMeta(session)).toBeNull();
      await sessions.destroySession(session);
    }
  });

  test('travels behind Bearer and back', async () => {
    const session = await create();
    const header = sessions.getAuthTokenForSessionId(session);
    expect(header).toBe(`Bearer ${session}`);
    expect(sessions.getSessionIdFromAuthToken(header)).toBe(session);
    expect(await sessions.getUserIdFromSession(sessions.getSessionIdFromAuthToken(header))).toBe(
      'ann',
    );
  });

  test('one that is destroyed is over, and the others are not', async () => {
    const [one, other] = [await create(), await create()];
    await sessions.destroySession(one);
    await sessions.destroySession(one);
    expect(await sessions.getUserIdFromSession(one)).toBeNull();
    expect(await sessions.getUserIdFromSession(other)).toBe('ann');
  });

  test('only its holder can destroy it; a list gives nobody that power', async () => {
    const session = await create();
    const [publicId] = session.split('.');
    const listed = (await sessions.getSessionsForUser('ann')).find(({ id }) => id === publicId);
    await sessions.destroySession(listed!.id as SessionId);
    expect(await sessions.getUserIdFromSession(session)).toBe('ann');
    expect(await sessions.getUserIdFromSession(listed!.id as SessionId)).toBeNull();
    expect(await sessions.destroyListedSession(listed!.id, 'bob')).toBe(false);
    expect(await sessions.destroyListedSession(listed!.id, 'ann')).toBe(true);
    expect(await sessions.getUserIdFromSession(session)).toBeNull();
  });

  test("lists a user's live sessions, last used first", async () => {
    await Promise.all(
      (await sessions.getSessionsForUser('ann')).map(({ id }) =>
        sessions.destroyListedSession(id, 'ann'),
      ),
    );
    await create('ann', 'Phone', { theme: 'dark', tags: ['a'] });
    now = new Date(now.getTime() + 1);
    await create('ann', 'Tablet');
    await create('bob', 'Laptop');
    const listed = await sessions.getSessionsForUser('ann');
    expect(listed.map(({ label }) => label)).toEqual(['Tablet', 'Phone']);
    expect(listed[1]).toEqual({
      id: expect.stringMatching(/^[\w-]{22}$/) as string,
      label: 'Phone',
      userId: 'ann',
      createdAt: expect.any(Date) as Date,
      lastUsedAt: new Date(now.getTime() - 1),
      expiresAt: new Date(now.getTime() - 1 + HOUR_MS),
      meta: { theme: 'dark', tags: ['a'] },
    });
  });

  test('lists every live session page by page', async () => {
    for (const label of ['a', 'b', 'c', 'd']) await create('bob', label);
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await sessions.listSessions({ cursor, limit: 2 });
      expect(page.sessions.length).toBeLessThanOrEqual(2);
      found.push(...page.sessions.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor);
    const expected = [
      ...(await sessions.getSessionsForUser('ann')),
      ...(await sessions.getSessionsForUser('bob')),
    ].map(({ id }) => id);
    expect(found.sort()).toEqual(expected.sort());
    expect((await sessions.listSessions()).sessions).toHaveLength(expected.length);
  });

  test('holds the cap, and is over when its time is', async () => {
    const created: SessionId[] = [];
    for (let index = 0; index < 6; index += 1) {
      now = new Date(now.getTime() + 1);
      created.push(await create('ann', String(index)));
    }
    const labels = (await sessions.getSessionsForUser('ann')).map(({ label }) => label);
    expect(labels).toEqual(['5', '4', '3', '2', '1']);
    expect(await sessions.getUserIdFromSession(created[0]!)).toBeNull();
    now = new Date(now.getTime() + HOUR_MS);
    expect(await sessions.getUserIdFromSession(created[5]!)).toBeNull();
    expect(await sessions.getSessionsForUser('ann')).toEqual([]);
  });
});

describe('the session in an Authorization header', () => {
  const session = `${'a'.repeat(22)}.${'b'.repeat(43)}` as SessionId;

  test.each([
    `Bearer ${session}`,
    `bearer ${session}`,
    `BEARER   ${session}`,
    session,
    getAuthTokenForSessionId(session),
  ])('%s', (header) => {
    expect(getSessionIdFromAuthToken(header)).toBe(session);
  });

  test.each([
    undefined,
    null,
    '',
    'Bearer',
    'Bearer ',
    `Basic ${session}`,
    `Bearer${session}`,
    `Bearer ${session} `,
    `Bearer ${session}, Bearer ${session}`,
    `Bearer ${session.slice(1)}`,
    `Bearer ${'a'.repeat(22)}`,
    `Bearer ${session}\r\nX: y`,
  ])('none in %j', (header) => {
    expect(getSessionIdFromAuthToken(header)).toBeNull();
  });
});

test('what is more than a page is listed to its end', async () => {
  const store = memorySessionStore<Meta>();
  const generous = new StoredSessions<string, Meta>(store, { clock: () => now });
  for (let index = 0; index < 12; index += 1) {
    await generous.createSession({ userId: 'ann', label: '', meta: { theme: 'dark', tags: [] } });
  }
  const strict = new StoredSessions<string, Meta>(store, { clock: () => now, maxPerUser: 5 });
  expect(await strict.getSessionsForUser('ann')).toHaveLength(12);
});

test('a store that is down is no answer', async () => {
  const down = () => Promise.reject(new Error('down'));
  const sessions = new StoredSessions(
    callbackSessionStore({
      saveSession: down,
      fetchSession: down,
      updateSessionExpiry: down,
      deleteSession: down,
    }),
  );
  const session = `${'a'.repeat(22)}.${'b'.repeat(43)}` as SessionId;
  await expect(sessions.getUserIdFromSession(session)).rejects.toBeInstanceOf(
    StoreUnavailableError,
  );
  await expect(sessions.destroySession(session)).rejects.toBeInstanceOf(StoreUnavailableError);
});
