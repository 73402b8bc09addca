import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../app/database/database.server.ts';
import { DAY_MS, Sessions } from '../../app/sessions/index.ts';
import { memorySessionStore } from '../../app/sessions/stores/memory.ts';
import { prismaSessionStore } from '../../app/sessions/stores/prisma.ts';
import { newSqliteAddress, removeSqlite } from './open-store.ts';

const START = new Date('2026-03-08T07:30:00.000Z');
const after = (ms: number) => new Date(START.getTime() + ms);
const YEAR_MS = 365 * DAY_MS;
const timeouts = { idleMs: YEAR_MS, lifetimeMs: YEAR_MS };

describe("expiry: 'fixed'", () => {
  const sessions = new Sessions({ store: memorySessionStore(), expiry: 'fixed', timeouts });

  test('activity does not extend a session with a fixed expiry, which is never later than the lifetime', async () => {
    const expiresAt = after(7 * DAY_MS);
    const { token, session } = await sessions.start({ userId: 'ann', expiresAt }, START);
    expect(session.expiresAt).toEqual(expiresAt);
    const used = await sessions.resume(token, after(6 * DAY_MS));
    expect(used).toMatchObject({ state: 'live', session: { expiresAt } });
    const renewed = await sessions.renew(token, after(6 * DAY_MS));
    expect(renewed?.session.expiresAt).toEqual(expiresAt);
    expect((await sessions.resume(renewed!.token, expiresAt)).state).toBe('ended');
    const far = await sessions.start({ userId: 'ann', expiresAt: after(2 * YEAR_MS) }, START);
    expect(far.session.expiresAt).toEqual(after(YEAR_MS));
  });

  test('start throws if expiresAt is given and the expiry is not fixed', async () => {
    const sliding = new Sessions({ store: memorySessionStore() });
    const started = sliding.start({ userId: 'ann', expiresAt: after(1) }, START);
    await expect(started).rejects.toThrow("expiresAt needs the option expiry: 'fixed'");
  });
});

describe('two kinds in one table', () => {
  const address = newSqliteAddress();
  let database: Database;
  beforeAll(async () => {
    const log = { info: () => undefined, warn: () => undefined };
    database = await openDatabase({ databaseUrl: address.url, log });
    const ann = { id: 'ann', email: 'ann@example.com', name: 'Ann' };
    await database.client.user.create({ data: ann });
  });
  afterAll(async () => {
    await database.close();
    removeSqlite(address);
  });

  const of = (kind: string) =>
    new Sessions({
      timeouts,
      maxPerUser: 2,
      store: prismaSessionStore({ client: database.client, provider: 'sqlite', kind }),
    });
  let one: Sessions;
  let other: Sessions;
  beforeEach(async () => {
    await database.client.session.deleteMany();
    one = of('session');
    other = of('token');
  });

  test('a store of one kind neither reads nor changes sessions of another kind', async () => {
    const { token, session } = await other.start({ userId: 'ann', label: 'Theirs' }, START);
    const { id } = session;
    for (let count = 0; count < 3; count += 1) await one.start({ userId: 'ann' }, after(count));
    expect(await one.resume(token, START)).toEqual({ state: 'unknown' });
    expect(await one.find(id, 'ann')).toBeNull();
    expect(await one.renew(token, START)).toBeNull();
    expect(await one.name(id, 'ann', 'Mine')).toBe(false);
    expect(await one.revoke(id, { reason: 'administrator' }, START)).toBe(false);
    expect((await one.list('ann', after(DAY_MS))).live).toHaveLength(2);
    expect((await one.listAll(null)).sessions.map((row) => row.id)).not.toContain(id);
    expect(await one.revokeOthers('ann', null, { reason: 'not-me' }, after(5))).toHaveLength(2);
    await one.erase('ann', after(DAY_MS));
    expect(await other.resume(token, after(DAY_MS))).toMatchObject({
      state: 'live',
      session: { id, label: 'Theirs' },
    });
    expect((await other.list('ann', after(DAY_MS))).live).toHaveLength(1);
  });

  test.each(['', "x' OR '1'='1", 'Token', 'x'.repeat(41)])(
    'a store refuses the kind "%s"',
    (kind) => {
      expect(() => of(kind)).toThrow(RangeError);
    },
  );
});
