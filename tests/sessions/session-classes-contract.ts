import { beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import {
  InMemorySessions,
  type SessionClass,
  type SessionId,
  type SessionRules,
} from '../../app/sessions/session-classes.ts';
import { HOUR_MS, MINUTE_MS } from '../../app/sessions/session.ts';

export interface Meta {
  theme: 'dark' | 'light';
  tags: string[];
}
export type Variant = SessionClass<string, Meta>;

let now = new Date('2026-05-01T12:00:00.000Z');
/** The rules for every variant. The users are `ann` and `bob`. */
export const rules: SessionRules = { clock: () => now, maxPerUser: 5 };

/** Tests the behaviour that makes the classes interchangeable. */
export function describeSessionClass(name: string, make: () => Variant | Promise<Variant>): void {
  describe(name, () => {
    let sessions: Variant;

    beforeAll(async () => {
      sessions = await make();
    });

    const create = (userId = 'ann', label = 'Laptop', meta: Meta = { theme: 'dark', tags: [] }) =>
      sessions.createSession({ userId, label, meta });

    test('a session returns its user and its meta', async () => {
      const session = await create('ann', 'Läptop', { theme: 'light', tags: ['ü', ''] });
      expect(await sessions.getUserIdFromSession(session)).toBe('ann');
      const meta = await sessions.getSessionMeta(session);
      expect(meta).toEqual({ theme: 'light', tags: ['ü', ''] });
      expectTypeOf(meta).toEqualTypeOf<Meta | null>();
    });

    test('a null, unknown or foreign session returns null', async () => {
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

    test('a session converts to an Authorization header and back', async () => {
      const session = await create();
      const header = sessions.getAuthTokenForSessionId(session);
      expect(header).toBe(`Bearer ${session}`);
      expect(sessions.getSessionIdFromAuthToken(header)).toBe(session);
      expect(await sessions.getUserIdFromSession(sessions.getSessionIdFromAuthToken(header))).toBe(
        'ann',
      );
    });

    test('destroySession ends a session that is due for a touch', async () => {
      const session = await create();
      const [id = ''] = session.split('.');
      now = new Date(now.getTime() + 5 * MINUTE_MS);
      await sessions.destroySession(session);
      const { sessions: live } = await sessions.listSessions({ limit: 1000 });
      expect(live.map((each) => each.id)).not.toContain(id);
    });

    test('destroySession ends only this session', async () => {
      const [one, other] = [await create(), await create()];
      await sessions.destroySession(one);
      await sessions.destroySession(one);
      expect(await sessions.getUserIdFromSession(one)).toBeNull();
      expect(await sessions.getUserIdFromSession(other)).toBe('ann');
    });

    test('the public id of a list can end a session only together with its user', async () => {
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

    test('getSessionsForUser returns live sessions, most recently used first', async () => {
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

    test('listSessions returns every live session page by page', async () => {
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

    test('the cap ends the least recently used session, and the idle timeout ends the others', async () => {
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
}
