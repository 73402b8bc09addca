import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  DAY_MS,
  defaultTimeouts,
  expiryAfter,
  HOUR_MS,
  MINUTE_MS,
  type SessionEnd,
  type SessionRecord,
} from '../../app/sessions/session.ts';
import {
  MissingStoreFunctionError,
  StoreUnavailableError,
  type SessionStore,
} from '../../app/sessions/session-store.ts';
import { Sessions, type SessionsOptions } from '../../app/sessions/sessions.ts';
import { createToken, formatToken, hashSecret } from '../../app/sessions/token.ts';
import { openStore, type OpenStore, type StoreAddress } from './open-store.ts';

export interface StoreUnderTest {
  /** Called once, before the tests. */
  address(): Promise<StoreAddress> | StoreAddress;
  /** True if a second store with the same address shares its sessions, like a second node. */
  isSharedByNodes: boolean;
  /** Optional functions of the contract that this store does not have. */
  lacks?: (keyof SessionStore)[];
}

const NOW = new Date('2026-03-08T07:30:00.123Z');
const USER = 'user-1';
const OTHER_USER = 'user-2';

export const after = (ms: number, from = NOW) => new Date(from.getTime() + ms);

let recordCount = 0;

/** Returns a row that is live at NOW. */
export function aRecord(given: Partial<SessionRecord> = {}): SessionRecord {
  const { id, secret } = createToken();
  const record: SessionRecord = {
    id,
    secretHash: hashSecret(secret),
    userId: USER,
    label: null,
    userAgent: `Browser ${(recordCount += 1)}`,
    ipAddress: '192.0.2.1',
    country: null,
    remember: false,
    createdAt: NOW,
    lastSeenAt: NOW,
    expiresAt: NOW,
    reauthenticatedAt: NOW,
    revokedAt: null,
    revokedReason: null,
    revokedBy: null,
    meta: null,
    ...given,
  };
  const expiresAt = given.expiresAt ?? expiryAfter(record, record.lastSeenAt, defaultTimeouts);
  return { ...record, expiresAt };
}

const signedOut = (at: Date): SessionEnd => ({ at, reason: 'signed-out', by: null });
const elsewhere = (at: Date, by: string): SessionEnd => ({
  at,
  reason: 'signed-out-elsewhere',
  by,
});

/** Returns a store whose function `held` waits, after its call, until `release` is called. */
export function holding<Name extends keyof SessionStore>(store: SessionStore, held: Name) {
  let arrive = () => {};
  let release = () => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  const gate = new Promise<void>((resolve) => (release = resolve));
  const proxy = new Proxy(store, {
    get(target, name) {
      const original = Reflect.get(target, name) as unknown;
      if (name !== held || typeof original !== 'function') return original;
      return async (...args: unknown[]) => {
        arrive();
        await gate;
        return (original as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { store: proxy, arrived, release };
}

// Omits tests of functions that a store lacks. A skipped test would mean that it should have them.
const testWhere = (applies: boolean) => (name: string, run: () => Promise<void>) => {
  if (applies) test(name, run);
};
const describeWhere = (applies: boolean) => (name: string, tests: () => void) => {
  if (applies) describe(name, tests);
};

/** Tests the storage contract and the engine over one store. */
export function describeStoreContract(name: string, under: StoreUnderTest): void {
  const has = (functionName: keyof SessionStore) => !under.lacks?.includes(functionName);
  const hasTombstones = has('nameSession');

  describe(name, () => {
    let open: OpenStore;
    let openElsewhere: OpenStore;
    let store: Required<OpenStore['store']>;
    /** The same sessions, through another node. */
    let elsewhereStore: Required<OpenStore['store']>;

    const sessionsOver = (
      over: SessionStore<unknown, { name: string }> = store,
      options: Partial<SessionsOptions> = {},
    ) => new Sessions({ ...options, store: over });

    beforeAll(async () => {
      const address = await under.address();
      open = await openStore(address);
      openElsewhere = under.isSharedByNodes ? await openStore(address) : open;
      store = open.store as typeof store;
      elsewhereStore = openElsewhere.store as typeof store;
    });
    beforeEach(async () => {
      await open.clear();
      await open.addUser(USER);
      await open.addUser(OTHER_USER);
    });
    afterAll(async () => {
      await open.close();
      if (openElsewhere !== open) await openElsewhere.close();
    });

    const saved = async (given: Partial<SessionRecord> = {}) => {
      const record = aRecord(given);
      await store.saveSession(record);
      return record;
    };
    const rowOf = async (id: string) => (await elsewhereStore.fetchSession(id))?.record ?? null;

    describe('saveSession and fetchSession', () => {
      test('fetchSession returns every field as it was saved', async () => {
        const record = await saved({
          label: 'Küche 🍳 «Tablet»',
          userAgent: 'O\'Agent \\ "quoted" 日本語',
          ipAddress: '2001:db8::1',
          country: 'NZ',
          remember: true,
          createdAt: after(1),
          lastSeenAt: after(2),
          expiresAt: after(DAY_MS + 3),
          reauthenticatedAt: after(4),
          meta: { text: 'ü\n"', list: [1, null, { deep: [true] }], none: null, 'a.b': 1.5 },
        });
        expect(await rowOf(record.id)).toEqual(record);
      });

      test.each([[null], [0], [''], [false], [[]], ['text'], [{ a: { b: [null] } }]])(
        'fetchSession returns meta %j as it was saved',
        async (meta) => {
          const { id } = await saved({ meta });
          expect((await rowOf(id))?.meta).toEqual(meta);
        },
      );

      test('a store keeps times to the millisecond, also in the hours of a daylight saving change', async () => {
        const times = [
          '2026-03-08T07:30:00.001Z',
          '2026-11-01T05:30:00.999Z',
          '2026-03-29T01:30:00.500Z',
        ];
        for (const time of times) {
          const at = new Date(time);
          const { id } = await saved({
            createdAt: at,
            lastSeenAt: at,
            expiresAt: after(1, at),
            reauthenticatedAt: at,
          });
          const row = await rowOf(id);
          expect([row?.createdAt, row?.lastSeenAt, row?.expiresAt, row?.reauthenticatedAt]).toEqual(
            [at, at, after(1, at), at],
          );
        }
      });

      test('fetchSession returns null for an unknown id', async () => {
        expect(await store.fetchSession(createToken().id)).toBeNull();
        expect(await store.fetchSession('')).toBeNull();
        expect(await store.fetchSession("' OR 1=1 --")).toBeNull();
      });

      test('fetchSession returns null for an id that differs only in case', async () => {
        const { id } = await saved({ id: 'aBcDeFgHiJkLmNoPqRsTuV' });
        expect(await store.fetchSession(id.toLowerCase())).toBeNull();
        expect(await store.fetchSession(id.toUpperCase())).toBeNull();
      });

      test('saveSession throws for an existing id, and leaves the first row unchanged', async () => {
        const record = await saved();
        const second = aRecord({ id: record.id, userId: OTHER_USER, label: 'second' });
        await expect(store.saveSession(second)).rejects.toThrow();
        expect(await rowOf(record.id)).toEqual(record);
      });

      test('a change to a saved or fetched object does not change the row', async () => {
        const record = await saved({ meta: { list: [1] }, createdAt: after(0) });
        const original = structuredClone(record);
        record.createdAt.setTime(0);
        (record.meta as { list: number[] }).list.push(2);
        const fetched = await store.fetchSession(record.id);
        fetched!.record.lastSeenAt.setTime(0);
        (fetched!.record.meta as { list: number[] }).list.push(3);
        expect(await rowOf(record.id)).toEqual(original);
      });
    });

    describe('updateSessionExpiry', () => {
      test('updateSessionExpiry changes only expiry and last activity', async () => {
        const record = await saved();
        const [expiresAt, lastSeenAt] = [after(2 * HOUR_MS), after(MINUTE_MS)];
        expect(await store.updateSessionExpiry(record.id, expiresAt, lastSeenAt)).toBe(true);
        const row = await rowOf(record.id);
        expect(row?.expiresAt).toEqual(expiresAt);
        if (hasTombstones) expect(row).toEqual({ ...record, expiresAt, lastSeenAt });
      });

      test('updateSessionExpiry is false for an unknown id, and creates no row', async () => {
        const { id } = aRecord();
        expect(await store.updateSessionExpiry(id, after(HOUR_MS), after(1))).toBe(false);
        expect(await rowOf(id)).toBeNull();
      });

      test('updateSessionExpiry is false for a deleted row, and does not restore it', async () => {
        const { id } = await saved();
        await store.deleteSession(id);
        expect(await store.updateSessionExpiry(id, after(HOUR_MS), after(1))).toBe(false);
        expect(await rowOf(id)).toBeNull();
      });

      test('updateSessionExpiry is false for a row that has this activity or a later one', async () => {
        const { id, expiresAt } = await saved();
        expect(await store.updateSessionExpiry(id, after(5 * HOUR_MS), NOW)).toBe(false);
        expect(await store.updateSessionExpiry(id, after(5 * HOUR_MS), after(-1))).toBe(false);
        expect((await rowOf(id))?.expiresAt).toEqual(expiresAt);
      });

      test('updateSessionExpiry is true before expiry, and false from the millisecond of expiry', async () => {
        const expiresAt = after(HOUR_MS);
        const [inTime, late] = [await saved({ expiresAt }), await saved({ expiresAt })];
        const later = after(2 * HOUR_MS);
        expect(await store.updateSessionExpiry(inTime.id, later, after(-1, expiresAt))).toBe(true);
        expect(await store.updateSessionExpiry(late.id, later, expiresAt)).toBe(false);
        expect((await rowOf(late.id))?.expiresAt).toEqual(expiresAt);
      });

      testWhere(hasTombstones)(
        'updateSessionExpiry is false for a revoked row, and leaves it unchanged',
        async () => {
          const { id } = await saved();
          await store.revokeSession(id, signedOut(after(1)));
          const tombstone = await rowOf(id);
          expect(await store.updateSessionExpiry(id, after(5 * HOUR_MS), after(2))).toBe(false);
          expect(await rowOf(id)).toEqual(tombstone);
        },
      );
    });

    describe('deleteSession', () => {
      test('deleteSession deletes only this row, and a second call is not an error', async () => {
        const [{ id }, kept] = [await saved(), await saved()];
        await store.deleteSession(id);
        await store.deleteSession(id);
        await store.deleteSession(createToken().id);
        expect(await rowOf(id)).toBeNull();
        expect(await rowOf(kept.id)).toEqual(kept);
      });
    });

    describe('revokeSession', () => {
      test('revokeSession is true once, and false from then on', async () => {
        const { id } = await saved();
        expect(await store.revokeSession(id, signedOut(after(1)))).toBe(true);
        expect(await store.revokeSession(id, signedOut(after(2)))).toBe(false);
        expect(await elsewhereStore.revokeSession(id, signedOut(after(3)))).toBe(false);
      });

      testWhere(hasTombstones)(
        'revokeSession leaves a tombstone with time, reason and revoking session',
        async () => {
          const record = await saved();
          const by = createToken().id;
          await store.revokeSession(record.id, elsewhere(after(7), by));
          await store.revokeSession(record.id, signedOut(after(8)));
          expect(await rowOf(record.id)).toEqual({
            ...record,
            revokedAt: after(7),
            revokedReason: 'signed-out-elsewhere',
            revokedBy: by,
          });
        },
      );

      test("revokeSession is false for another user's session, which stays live", async () => {
        const record = await saved();
        expect(await store.revokeSession(record.id, signedOut(after(1)), OTHER_USER)).toBe(false);
        expect(await rowOf(record.id)).toEqual(record);
        expect(await store.revokeSession(record.id, signedOut(after(1)), USER)).toBe(true);
      });

      test('revokeSession is false for an unknown id, and creates no row', async () => {
        const { id } = aRecord();
        expect(await store.revokeSession(id, signedOut(after(1)))).toBe(false);
        expect(await rowOf(id)).toBeNull();
      });

      test('exactly one of 50 concurrent calls of revokeSession on two nodes is true', async () => {
        const { id } = await saved();
        const answers = await Promise.all(
          Array.from({ length: 50 }, (_none, index) =>
            (index % 2 ? store : elsewhereStore).revokeSession(id, signedOut(after(index))),
          ),
        );
        expect(answers.filter(Boolean)).toHaveLength(1);
      });

      test('revokeSession is true until the last millisecond before expiry', async () => {
        const { id, expiresAt } = await saved();
        expect(await store.revokeSession(id, signedOut(after(-1, expiresAt)))).toBe(true);
      });

      test('revokeSession is false for an expired session, and closes it as expired at its expiry', async () => {
        const record = await saved();
        expect(await store.revokeSession(record.id, signedOut(record.expiresAt))).toBe(false);
        const behind = after(-1, record.expiresAt);
        // A node whose clock is behind must not accept it.
        const touched = elsewhereStore.updateSessionExpiry(record.id, after(9 * HOUR_MS), behind);
        expect(await touched).toBe(false);
        if (!hasTombstones) return;
        expect(await rowOf(record.id)).toEqual({
          ...record,
          revokedAt: record.expiresAt,
          revokedReason: 'expired',
          revokedBy: null,
        });
      });
    });

    describeWhere(has('renewSession'))('renewSession', () => {
      const renewal = (at: Date) => ({
        secretHash: hashSecret(createToken().secret),
        reauthenticatedAt: at,
        lastSeenAt: at,
        expiresAt: after(HOUR_MS, at),
      });

      test('renewSession changes only the secret and the times', async () => {
        const record = await saved({ label: 'kept', meta: { kept: true } });
        const renewed = renewal(after(MINUTE_MS));
        expect(await store.renewSession(record.id, record.secretHash, renewed)).toBe(true);
        expect(await rowOf(record.id)).toEqual({ ...record, ...renewed });
      });

      test('exactly one of 20 concurrent calls of renewSession with the same hash is true', async () => {
        const { id, secretHash } = await saved();
        const renewals = Array.from({ length: 20 }, () => renewal(after(MINUTE_MS)));
        const results = await Promise.all(
          renewals.map((each, index) =>
            (index % 2 ? store : elsewhereStore).renewSession(id, secretHash, each),
          ),
        );
        expect(results.filter(Boolean)).toHaveLength(1);
        expect((await rowOf(id))?.secretHash).toBe(renewals[results.indexOf(true)]?.secretHash);
      });

      test('renewSession is false for an unknown, revoked or expired row, and leaves it unchanged', async () => {
        const [revoked, expired] = [await saved(), await saved()];
        await store.revokeSession(revoked.id, signedOut(after(1)));
        const unknown = aRecord();
        for (const { id, secretHash } of [revoked, unknown]) {
          expect(await store.renewSession(id, secretHash, renewal(after(2)))).toBe(false);
        }
        const late = renewal(expired.expiresAt);
        expect(await store.renewSession(expired.id, expired.secretHash, late)).toBe(false);
        expect(await rowOf(expired.id)).toEqual(expired);
        expect((await rowOf(revoked.id))?.secretHash).toBe(revoked.secretHash);
        expect(await rowOf(unknown.id)).toBeNull();
        const inTime = renewal(after(-1, expired.expiresAt));
        expect(await store.renewSession(expired.id, expired.secretHash, inTime)).toBe(true);
      });
    });

    describeWhere(has('nameSession'))('nameSession', () => {
      test('nameSession sets and removes a name, only for the owner', async () => {
        const { id } = await saved();
        expect(await store.nameSession(id, USER, 'Télé ☕')).toBe(true);
        expect((await rowOf(id))?.label).toBe('Télé ☕');
        expect(await store.nameSession(id, OTHER_USER, 'mine')).toBe(false);
        expect((await rowOf(id))?.label).toBe('Télé ☕');
        expect(await store.nameSession(id, USER, null)).toBe(true);
        expect((await rowOf(id))?.label).toBeNull();
        expect(await store.nameSession(createToken().id, USER, 'none')).toBe(false);
      });
    });

    describeWhere(has('fetchSessionsForUser'))('fetchSessionsForUser', () => {
      const idsOf = (rows: { id: string }[]) => rows.map(({ id }) => id);

      test('fetchSessionsForUser returns live rows of the user without hashes, newest activity first', async () => {
        const older = await saved({ lastSeenAt: after(-2), meta: { a: 1 }, label: 'x' });
        const newer = await saved({ lastSeenAt: after(-1) });
        await saved({ userId: OTHER_USER });
        const { secretHash: _one, ...first } = newer;
        const { secretHash: _other, ...second } = older;
        const rows = await store.fetchSessionsForUser(USER, { now: NOW, limit: 10 });
        expect(rows).toEqual([first, second]);
        expect(await store.fetchSessionsForUser('nobody', { now: NOW, limit: 10 })).toEqual([]);
      });

      test('fetchSessionsForUser returns a row as live until the last millisecond before expiry', async () => {
        const { id, expiresAt } = await saved();
        const at = (now: Date) => store.fetchSessionsForUser(USER, { now, limit: 10 });
        expect(idsOf(await at(after(-1, expiresAt)))).toEqual([id]);
        expect(await at(expiresAt)).toEqual([]);
      });

      test('pages of fetchSessionsForUser have each live row once, also with equal times of activity', async () => {
        const seen = [5, 5, 5, 5, 4, 3, 3, 3, 2, 1, 1];
        for (const ms of seen) await saved({ lastSeenAt: after(ms), expiresAt: after(DAY_MS) });
        await saved({ lastSeenAt: after(3), expiresAt: NOW });
        const found: { id: string; lastSeenAt: Date }[] = [];
        for (let page = 0; page < 10; page += 1) {
          const rows = await store.fetchSessionsForUser(USER, {
            now: NOW,
            limit: 3,
            after: found.at(-1) ?? null,
          });
          expect(rows.length).toBeLessThanOrEqual(3);
          found.push(...rows);
          if (rows.length < 3) break;
        }
        expect(found.map(({ lastSeenAt }) => lastSeenAt.getTime() - NOW.getTime())).toEqual(seen);
        expect(new Set(idsOf(found)).size).toBe(seen.length);
      });

      test('fetchSessionsForUser skips expired rows until it has found enough live ones', async () => {
        for (let ms = 1; ms <= 7; ms += 1)
          await saved({ lastSeenAt: after(ms), expiresAt: after(8) });
        const live = [
          await saved({ lastSeenAt: after(-1) }),
          await saved({ lastSeenAt: after(-2) }),
        ];
        const rows = await store.fetchSessionsForUser(USER, { now: after(10), limit: 5 });
        expect(idsOf(rows)).toEqual(idsOf(live));
      });

      testWhere(hasTombstones)(
        'fetchSessionsForUser appends ended rows, most recently ended first',
        async () => {
          const live = await saved();
          const [revokedLast, revokedFirst] = [await saved(), await saved()];
          const expired = await saved({ expiresAt: after(5) });
          const expiredEarly = await saved({ expiresAt: after(1) });
          await store.revokeSession(revokedFirst.id, signedOut(after(3)));
          await store.revokeSession(revokedLast.id, signedOut(after(9)));
          const query = { now: after(10), limit: 10 };
          const rows = await store.fetchSessionsForUser(USER, { ...query, endedLimit: 10 });
          const ended = [revokedLast, expired, revokedFirst, expiredEarly];
          expect(idsOf(rows)).toEqual(idsOf([live, ...ended]));
          const fewer = await store.fetchSessionsForUser(USER, { ...query, endedLimit: 2 });
          expect(idsOf(fewer)).toEqual(idsOf([live, revokedLast, expired]));
          const none = await store.fetchSessionsForUser(USER, { ...query, endedLimit: 0 });
          expect(idsOf(none)).toEqual([live.id]);
          // Only live rows are paged.
          const next = { ...query, after: live, endedLimit: 1 };
          expect(idsOf(await store.fetchSessionsForUser(USER, next))).toEqual([revokedLast.id]);
        },
      );
    });

    describeWhere(has('deleteSessionsForUser'))('deleteSessionsForUser', () => {
      test('deleteSessionsForUser ends every live session except one, and returns the ended ids', async () => {
        const [kept, one, two, expired] = [
          await saved(),
          await saved(),
          await saved(),
          await saved({ expiresAt: after(5) }),
        ];
        const ofOtherUser = await saved({ userId: OTHER_USER });
        const ended = await store.deleteSessionsForUser(
          USER,
          kept.id,
          elsewhere(after(5), kept.id),
        );
        expect(ended.sort()).toEqual([one.id, two.id].sort());
        expect(await rowOf(kept.id)).toEqual(kept);
        expect(await rowOf(ofOtherUser.id)).toEqual(ofOtherUser);
        const touched = [one, two, expired].map(({ id }) =>
          elsewhereStore.updateSessionExpiry(id, after(DAY_MS), after(1)),
        );
        expect(await Promise.all(touched)).toEqual([false, false, false]);
        if (!hasTombstones) return;
        const tombstone = {
          revokedAt: after(5),
          revokedReason: 'signed-out-elsewhere',
          revokedBy: kept.id,
        };
        expect(await rowOf(one.id)).toEqual({ ...one, ...tombstone });
        expect(await rowOf(expired.id)).toMatchObject({
          revokedReason: 'expired',
          revokedBy: null,
          revokedAt: after(5),
        });
        expect(await store.deleteSessionsForUser(USER, kept.id, elsewhere(after(6), 'x'))).toEqual(
          [],
        );
        expect(await rowOf(one.id)).toEqual({ ...one, ...tombstone });
      });

      test('deleteSessionsForUser ends all sessions without an exception', async () => {
        const rows = [await saved(), await saved(), await saved()];
        const ended = await store.deleteSessionsForUser(USER, null, signedOut(after(1)));
        expect(ended.sort()).toEqual(rows.map(({ id }) => id).sort());
        expect(await store.deleteSessionsForUser(USER, null, signedOut(after(2)))).toEqual([]);
        expect(await store.deleteSessionsForUser('nobody', null, signedOut(after(2)))).toEqual([]);
      });

      test('concurrent calls of deleteSessionsForUser on two nodes end each session once', async () => {
        const rows = await Promise.all(Array.from({ length: 30 }, () => saved()));
        const [one, other] = rows as [SessionRecord, SessionRecord];
        const answers = await Promise.all(
          [one, other, one, other].map((keeper, index) =>
            (index % 2 ? store : elsewhereStore).deleteSessionsForUser(
              USER,
              index < 2 ? null : keeper.id,
              elsewhere(after(index), keeper.id),
            ),
          ),
        );
        if (hasTombstones) {
          expect(answers.flat().sort()).toEqual(rows.map(({ id }) => id).sort());
        }
        const touched = rows.map(({ id }) =>
          store.updateSessionExpiry(id, after(DAY_MS), after(9)),
        );
        expect((await Promise.all(touched)).filter(Boolean)).toEqual([]);
      });
    });

    describeWhere(has('trimSessionsForUser'))('trimSessionsForUser', () => {
      const cap = (at: Date): SessionEnd => ({ at, reason: 'cap', by: null });

      test('trimSessionsForUser ends the least recently used sessions beyond the number to keep', async () => {
        const rows: SessionRecord[] = [];
        for (const ms of [1, 2, 3, 4, 5]) rows.push(await saved({ lastSeenAt: after(ms) }));
        await saved({ lastSeenAt: after(0), expiresAt: after(9) });
        await saved({ userId: OTHER_USER });
        const [first, second, third, , fifth] = rows as [
          SessionRecord,
          SessionRecord,
          SessionRecord,
          SessionRecord,
          SessionRecord,
        ];
        expect(await store.trimSessionsForUser(USER, 5, fifth.id, cap(after(9)))).toEqual([]);
        const ended = await store.trimSessionsForUser(USER, 3, fifth.id, cap(after(9)));
        expect(ended.sort()).toEqual([first.id, second.id].sort());
        expect(await rowOf(third.id)).toEqual(third);
        if (hasTombstones) {
          expect(await rowOf(first.id)).toMatchObject({
            revokedAt: after(9),
            revokedReason: 'cap',
            revokedBy: null,
          });
        }
      });

      test('trimSessionsForUser never ends the excepted session, whatever its times, and counts it as kept', async () => {
        const excepted = await saved({ lastSeenAt: after(-99) });
        const [one, two] = [
          await saved({ lastSeenAt: after(1) }),
          await saved({ lastSeenAt: after(2) }),
        ];
        expect(await store.trimSessionsForUser(USER, 2, excepted.id, cap(after(9)))).toEqual([
          one.id,
        ]);
        expect(await store.trimSessionsForUser(USER, 1, excepted.id, cap(after(9)))).toEqual([
          two.id,
        ]);
        expect(await rowOf(excepted.id)).toEqual(excepted);
      });

      test('trimSessionsForUser does nothing if the excepted session has ended', async () => {
        const [revoked, live] = [await saved(), await saved()];
        await store.revokeSession(revoked.id, signedOut(after(1)));
        const expired = await saved({ expiresAt: after(5) });
        for (const { id } of [revoked, expired, aRecord()]) {
          expect(await store.trimSessionsForUser(USER, 1, id, cap(after(5)))).toEqual([]);
        }
        expect(await rowOf(live.id)).toEqual(live);
      });
    });

    describeWhere(has('deleteAllExpiredSessions'))('deleteAllExpiredSessions', () => {
      test('deleteAllExpiredSessions deletes and counts only sessions that ended before the time', async () => {
        const live = await saved();
        const expired = await saved({ expiresAt: after(9) });
        const expiredLater = await saved({ expiresAt: after(10) });
        expect(await store.deleteAllExpiredSessions(after(10))).toBe(1);
        expect(await rowOf(expired.id)).toBeNull();
        expect(await rowOf(expiredLater.id)).toEqual(expiredLater);
        expect(await rowOf(live.id)).toEqual(live);
        expect(await store.deleteAllExpiredSessions(after(10))).toBe(0);
      });

      testWhere(hasTombstones)(
        'deleteAllExpiredSessions deletes a tombstone by its time of revocation',
        async () => {
          const [early, late] = [await saved({ remember: true }), await saved({ remember: true })];
          await store.revokeSession(early.id, signedOut(after(9)));
          await store.revokeSession(late.id, signedOut(after(10)));
          expect(await store.deleteAllExpiredSessions(after(10))).toBe(1);
          expect(await rowOf(early.id)).toBeNull();
          expect(await rowOf(late.id)).toMatchObject({ revokedAt: after(10) });
        },
      );

      test('deleteAllExpiredSessions counts the rows of many batches', async () => {
        await Promise.all(Array.from({ length: 230 }, () => saved({ expiresAt: after(1) })));
        const live = await saved();
        expect(await store.deleteAllExpiredSessions(after(2))).toBe(230);
        expect(await rowOf(live.id)).toEqual(live);
      });
    });

    describeWhere(has('listSessions'))('listSessions', () => {
      test('pages of listSessions have each session of all users once, also ended ones', async () => {
        const ids = new Set<string>();
        for (let index = 0; index < 7; index += 1) {
          ids.add((await saved({ userId: index % 2 ? USER : OTHER_USER })).id);
        }
        await store.revokeSession([...ids][0]!, signedOut(after(1)));
        const found: string[] = [];
        let cursor: string | null = null;
        do {
          const page = await store.listSessions({ after: cursor, limit: 3 });
          expect(page.sessions.length).toBeLessThanOrEqual(3);
          expect(page.sessions[0]).not.toHaveProperty('secretHash');
          found.push(...page.sessions.map(({ id }) => id));
          cursor = page.next;
        } while (cursor);
        expect(found).toHaveLength(7);
        expect(new Set(found)).toEqual(ids);
      });

      test('listSessions marks a full last page as the last', async () => {
        for (let index = 0; index < 4; index += 1) await saved();
        const first = await store.listSessions({ after: null, limit: 2 });
        const last = await store.listSessions({ after: first.next, limit: 2 });
        expect([first.next === null, last.next]).toEqual([false, null]);
        expect(await store.listSessions({ after: last.sessions.at(-1)!.id, limit: 2 })).toEqual({
          sessions: [],
          next: null,
        });
      });
    });

    describe('the engine over it', () => {
      const start = (sessions = sessionsOver(), now = NOW, given = {}) =>
        sessions.start({ userId: USER, ...given }, now);

      test('every node resumes a started session', async () => {
        const { token, session } = await start();
        const resumed = await sessionsOver(elsewhereStore).resume(token, after(1));
        expect(resumed).toMatchObject({ state: 'live', session });
      });

      test('a malformed, truncated or foreign token, or one with any changed byte, is unknown', async () => {
        const sessions = sessionsOver();
        const { token, session } = await start(sessions);
        const foreign = createToken();
        const others = [
          '',
          '.',
          token.slice(0, -1),
          `${token}A`,
          `${token}\n`,
          ` ${token}`,
          `Bearer ${token}`,
          session.id,
          `${session.id}.`,
          token.replace('.', ''),
          token.replace('.', '..'),
          formatToken(foreign),
          formatToken({ id: session.id, secret: foreign.secret }),
          token.toLowerCase(),
          token.toUpperCase(),
          encodeURIComponent(`${token}=`),
          'x'.repeat(9999),
        ];
        const flipped = [...token].map((character, index) => {
          const other = String.fromCharCode(character.charCodeAt(0) ^ 1);
          return token.slice(0, index) + other + token.slice(index + 1);
        });
        for (const text of [...others, ...flipped]) {
          expect(text).not.toBe(token);
          expect(await sessions.resume(text, after(1))).toEqual({ state: 'unknown' });
        }
        expect(await sessions.resume(token, after(1))).toMatchObject({ state: 'live' });
      });

      test('a resume writes activity when it is due, and extends only the idle timeout', async () => {
        const sessions = sessionsOver();
        const { token, session } = await start(sessions);
        await sessions.resume(token, after(MINUTE_MS - 1));
        expect((await rowOf(session.id))?.lastSeenAt).toEqual(NOW);
        await sessions.resume(token, after(2 * MINUTE_MS), { countsAsActivity: false });
        expect((await rowOf(session.id))?.lastSeenAt).toEqual(NOW);
        const resumed = await sessions.resume(token, after(MINUTE_MS));
        const moved = { lastSeenAt: after(MINUTE_MS), expiresAt: after(HOUR_MS + MINUTE_MS) };
        expect(resumed).toMatchObject({ session: moved });
        expect(await rowOf(session.id)).toMatchObject(moved);
      });

      test.each([
        [false, HOUR_MS, 24 * HOUR_MS],
        [true, 14 * DAY_MS, 30 * DAY_MS],
      ])(
        'a session with remember %s expires exactly at its idle timeout and its lifetime',
        async (remember, idleMs, lifetimeMs) => {
          const sessions = sessionsOver();
          const idle = await start(sessions, NOW, { remember });
          expect(
            (await sessions.resume(idle.token, after(idleMs), { countsAsActivity: false })).state,
          ).toBe('ended');
          expect(
            (await sessions.resume(idle.token, after(idleMs - 1), { countsAsActivity: false }))
              .state,
          ).toBe('live');
          const active = await start(sessions, NOW, { remember });
          for (let ms = 0; ms < lifetimeMs - 1; ms = Math.min(ms + idleMs - 1, lifetimeMs - 1)) {
            expect((await sessions.resume(active.token, after(ms))).state).toBe('live');
            const { expiresAt } = (await rowOf(active.session.id))!;
            expect(expiresAt.getTime()).toBeLessThanOrEqual(NOW.getTime() + lifetimeMs);
          }
          expect((await sessions.resume(active.token, after(lifetimeMs - 1))).state).toBe('live');
          expect(await sessions.resume(active.token, after(lifetimeMs))).toMatchObject({
            state: 'ended',
            ending: { reason: 'expired', at: after(lifetimeMs) },
          });
        },
      );

      test('a clock that jumps back ends no session and loses no activity', async () => {
        const sessions = sessionsOver();
        const { token, session } = await start(sessions);
        await sessions.resume(token, after(10 * MINUTE_MS));
        const before = await rowOf(session.id);
        const resumed = await sessions.resume(token, after(-DAY_MS));
        expect(resumed).toMatchObject({ state: 'live' });
        expect(await rowOf(session.id)).toEqual(before);
        expect(sessions.isFresh(session, after(-DAY_MS))).toBe(false);
        const renewed = await sessions.renew(token, after(-DAY_MS));
        expect(renewed?.session.expiresAt).toEqual(before?.expiresAt);
        expect(
          await sessions.revoke(renewed!.session.id, { reason: 'signed-out' }, after(-2 * DAY_MS)),
        ).toBe(true);
        expect((await sessions.resume(renewed!.token, after(-3 * DAY_MS))).state).not.toBe('live');
      });

      test('a session that is ended between the read and the touch stays ended', async () => {
        const held = holding(store, 'updateSessionExpiry');
        const { token, session } = await start();
        const resuming = sessionsOver(held.store as SessionStore<unknown, never>).resume(
          token,
          after(5 * MINUTE_MS),
        );
        await held.arrived;
        const elsewhereSessions = sessionsOver(elsewhereStore);
        expect(
          await elsewhereSessions.revoke(
            session.id,
            { reason: 'signed-out-elsewhere' },
            after(5 * MINUTE_MS),
          ),
        ).toBe(true);
        held.release();
        await resuming;
        expect((await sessionsOver().resume(token, after(5 * MINUTE_MS))).state).not.toBe('live');
      });

      test.each(['renewSession', 'saveSession', 'revokeSession', 'deleteSession'] as const)(
        'a session that is ended while a renewal waits before %s stays ended',
        async (functionName) => {
          const { token, session } = await start();
          const held = holding(store, functionName);
          const renewing = sessionsOver(held.store as SessionStore<unknown, never>).renew(
            token,
            after(MINUTE_MS),
          );
          const isReached = await Promise.race([
            held.arrived.then(() => true),
            renewing.then(() => false),
          ]);
          const revoked = await sessionsOver(elsewhereStore).revoke(
            session.id,
            { reason: 'signed-out-elsewhere' },
            after(MINUTE_MS),
          );
          held.release();
          const renewed = await renewing;
          expect((await sessionsOver().resume(token, after(MINUTE_MS))).state).not.toBe('live');
          if (!isReached) return;
          expect([revoked, renewed]).toEqual([true, null]);
          if (has('fetchSessionsForUser')) {
            expect((await sessionsOver().list(USER, after(MINUTE_MS))).live).toEqual([]);
          }
        },
      );

      test('a renewal returns a new token for the same session, and the old token is unknown', async () => {
        const sessions = sessionsOver();
        const { token, session } = await start(sessions, NOW, { label: 'kept', meta: { kept: 1 } });
        const renewed = await sessions.renew(token, after(20 * MINUTE_MS));
        expect(renewed?.token).not.toBe(token);
        expect(renewed?.session).toMatchObject({
          label: 'kept',
          meta: { kept: 1 },
          createdAt: NOW,
          reauthenticatedAt: after(20 * MINUTE_MS),
        });
        if (has('renewSession')) expect(renewed?.session.id).toBe(session.id);
        expect(
          (await sessionsOver(elsewhereStore).resume(token, after(20 * MINUTE_MS))).state,
        ).toBe('unknown');
        expect(await sessions.renew(token, after(20 * MINUTE_MS))).toBeNull();
        const resumed = await sessionsOver(elsewhereStore).resume(
          renewed!.token,
          after(20 * MINUTE_MS),
        );
        expect(resumed).toMatchObject({ state: 'live', session: renewed!.session });
        const lifetimeEnd = after(24 * HOUR_MS);
        expect((await sessions.resume(renewed!.token, lifetimeEnd)).state).toBe('ended');
      });

      test('exactly one of 10 concurrent renewals of one token returns a token', async () => {
        const { token } = await start();
        const renewed = await Promise.all(
          Array.from({ length: 10 }, (_none, index) =>
            sessionsOver(index % 2 ? store : elsewhereStore).renew(token, after(MINUTE_MS)),
          ),
        );
        const tokens = renewed.flatMap((each) => each?.token ?? []);
        expect(tokens).toHaveLength(1);
        expect((await sessionsOver().resume(tokens[0]!, after(MINUTE_MS))).state).toBe('live');
      });

      test('a sign-in ends the previous session of the browser', async () => {
        const sessions = sessionsOver();
        const first = await start(sessions);
        const second = await start(sessions, after(1), { replaces: first.session });
        const resumed = await sessions.resume(first.token, after(2));
        expect(resumed.state).not.toBe('live');
        if (hasTombstones) {
          expect(resumed).toMatchObject({
            ending: { reason: 'replaced', by: second.session.id, at: after(1) },
          });
        }
        expect((await sessions.resume(second.token, after(2))).state).toBe('live');
      });

      testWhere(hasTombstones)(
        'the resume of a signed-out device returns time, reason and revoking session',
        async () => {
          const sessions = sessionsOver();
          const { token, session } = await start(sessions);
          const by = createToken().id;
          await sessions.revoke(session.id, { reason: 'signed-out-elsewhere', by }, after(5));
          expect(await sessions.resume(token, after(6))).toMatchObject({
            state: 'ended',
            ending: { at: after(5), reason: 'signed-out-elsewhere', by },
          });
          const wrong = formatToken({ id: session.id, secret: createToken().secret });
          expect(await sessions.resume(wrong, after(6))).toEqual({ state: 'unknown' });
        },
      );

      testWhere(has('trimSessionsForUser'))(
        'the 101st session of a user ends the least recently used one',
        async () => {
          const sessions = sessionsOver();
          const started = [];
          for (let index = 0; index < 100; index += 1)
            started.push(await start(sessions, after(index)));
          const [first, second] = started as [(typeof started)[0], (typeof started)[0]];
          // After this use it is no longer the least recently used one.
          await sessions.resume(first.token, after(2 * MINUTE_MS));
          const newest = await start(sessions, after(3 * MINUTE_MS));
          const state = async (token: string) =>
            (await sessions.resume(token, after(3 * MINUTE_MS), { countsAsActivity: false })).state;
          expect(await state(second.token)).not.toBe('live');
          for (const { token } of [first, newest, ...started.slice(2)])
            expect(await state(token)).toBe('live');
        },
      );

      testWhere(has('trimSessionsForUser'))(
        'exactly one of several concurrent sign-ins stays live under a cap of one',
        async () => {
          for (let round = 0; round < 5; round += 1) {
            const now = after(round);
            const started = await Promise.all(
              Array.from({ length: 6 }, (_none, index) =>
                start(sessionsOver(index % 2 ? store : elsewhereStore, { maxPerUser: 1 }), now),
              ),
            );
            const states = await Promise.all(
              started.map(({ token }) => sessionsOver().resume(token, now)),
            );
            expect(states.filter(({ state }) => state === 'live')).toHaveLength(1);
          }
        },
      );

      testWhere(has('fetchSessionsForUser'))(
        'list returns live sessions page by page',
        async () => {
          const sessions = sessionsOver();
          const started = [];
          for (let index = 0; index < 5; index += 1)
            started.push(await start(sessions, after(index)));
          const newestFirst = started.map(({ session }) => session.id).reverse();
          const first = await sessions.list(USER, after(10), { limit: 3 });
          expect(first.live.map(({ id }) => id)).toEqual(newestFirst.slice(0, 3));
          const second = await sessions.list(USER, after(10), { limit: 3, after: first.next });
          expect(second.live.map(({ id }) => id)).toEqual(newestFirst.slice(3));
          expect([second.next, second.ended]).toEqual([null, []]);
          expect((await sessions.list(USER, after(10), { limit: 5 })).next).toBeNull();
        },
      );

      testWhere(has('fetchSessionsForUser'))(
        'a shortened timeout applies at once, also in the list',
        async () => {
          const { token, session } = await start();
          const remembered = await start(sessionsOver(), NOW, { remember: true });
          const strict = sessionsOver(store, { timeouts: { idleMs: 10 * MINUTE_MS } });
          const at = after(10 * MINUTE_MS);
          expect((await strict.resume(token, at)).state).toBe('ended');
          const { live, ended } = await strict.list(USER, at, { endedLimit: 5 });
          expect([live.map(({ id }) => id), ended.map(({ id }) => id)]).toEqual([
            [remembered.session.id],
            [session.id],
          ]);
          expect((await strict.list(USER, at)).ended).toEqual([]);
        },
      );

      testWhere(has('deleteAllExpiredSessions'))(
        'a prune leaves sessions that ended within the retention',
        async () => {
          const sessions = sessionsOver(store, { retentionMs: DAY_MS });
          const { token, session } = await start(sessions);
          const ended = after(DAY_MS, session.expiresAt);
          expect(await sessions.prune(ended)).toBe(0);
          expect((await sessions.resume(token, ended)).state).toBe('ended');
          expect(await sessions.prune(after(1, ended))).toBe(1);
          expect(await sessions.resume(token, ended)).toEqual({ state: 'unknown' });
          expect(await rowOf(session.id)).toBeNull();
        },
      );

      testWhere(has('deleteSessionsForUser'))('no row names a user after erase', async () => {
        const sessions = sessionsOver();
        const live = [await start(sessions), await start(sessions)];
        const revoked = await start(sessions);
        await sessions.revoke(revoked.session.id, { reason: 'signed-out' }, after(1));
        const ofOtherUser = await sessions.start({ userId: OTHER_USER }, NOW);
        const ended = await sessions.erase(USER, after(2));
        expect(ended.sort()).toEqual(live.map(({ session }) => session.id).sort());
        for (const { token } of [...live, revoked]) {
          expect(await sessions.resume(token, after(3))).toEqual({ state: 'unknown' });
        }
        expect((await sessions.resume(ofOtherUser.token, after(3))).state).toBe('live');
        expect(await open.dump()).not.toContain(USER);
      });

      test('stored data contains no secret, and the stored hash is not accepted as one', async () => {
        const sessions = sessionsOver();
        const started = [await start(sessions), await start(sessions, NOW, { remember: true })];
        const renewed = await sessions.renew(started[0]!.token, after(1));
        const stored = await open.dump();
        for (const { token } of [...started, renewed!])
          expect(stored).not.toContain(token.split('.')[1]);
        const hash = (await rowOf(renewed!.session.id))!.secretHash;
        expect(await sessions.resume(`${renewed!.session.id}.${hash}`, after(2))).toEqual({
          state: 'unknown',
        });
      });

      test('text with a NUL, as forms and URLs can contain, causes no store error', async () => {
        const sessions = sessionsOver();
        const given = { label: 'a\0b', userAgent: '\0c', ipAddress: '::1\0' };
        const { session } = await start(sessions, NOW, given);
        expect(await rowOf(session.id)).toMatchObject({
          label: 'ab',
          userAgent: 'c',
          ipAddress: '::1',
        });
        expect(await sessions.revoke(`${session.id}\0`, { reason: 'signed-out' }, NOW)).toBe(false);
        expect(await sessions.resume(`${session.id}.\0`, NOW)).toEqual({ state: 'unknown' });
        if (!has('nameSession')) return;
        expect(await sessions.name('\0', USER, 'name')).toBe(false);
        expect(await sessions.name(session.id, USER, 'd\0')).toBe(true);
        expect((await rowOf(session.id))?.label).toBe('d');
      });

      test('a call that needs a missing store function throws an error with its name', async () => {
        const sessions = sessionsOver();
        const callsByFunction = {
          fetchSessionsForUser: () => sessions.list(USER, NOW),
          deleteSessionsForUser: () =>
            sessions.revokeOthers(USER, null, { reason: 'signed-out' }, NOW),
          nameSession: () => sessions.name('id', USER, 'name'),
          listSessions: () => sessions.listAll(null),
          deleteAllExpiredSessions: () => sessions.prune(NOW),
        };
        for (const [functionName, call] of Object.entries(callsByFunction)) {
          if (has(functionName as keyof SessionStore)) await call();
          else
            await expect(call()).rejects.toEqual(
              new MissingStoreFunctionError(functionName as keyof SessionStore),
            );
        }
      });

      test('every call throws a StoreUnavailableError if the store fails', async () => {
        const { token } = await start();
        const failing = new Proxy(store, {
          get: (target, name) =>
            typeof Reflect.get(target, name) === 'function'
              ? () => Promise.reject(new Error('connection lost'))
              : undefined,
        });
        const sessions = sessionsOver(failing);
        const calls = [
          () => sessions.resume(token, NOW),
          () => sessions.renew(token, NOW),
          () => sessions.start({ userId: USER }, NOW),
          () => sessions.revoke('id', { reason: 'signed-out' }, NOW),
        ];
        for (const call of calls)
          await expect(call()).rejects.toBeInstanceOf(StoreUnavailableError);
        expect((await sessionsOver().resume(token, NOW)).state).toBe('live');
      });
    });
  });
}
