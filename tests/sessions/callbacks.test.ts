import { describe, expect, test } from 'vitest';
import { HOUR_MS, MINUTE_MS } from '../../app/sessions/session.ts';
import {
  MissingStoreFunctionError,
  StoreUnavailableError,
} from '../../app/sessions/session-store.ts';
import { Sessions } from '../../app/sessions/sessions.ts';
import {
  callbackSessionStore,
  type FetchedSession,
  type SavedSession,
  type SessionCallbacks,
} from '../../app/sessions/stores/callbacks.ts';
import { aRecord, after, describeStoreContract } from './store-contract.ts';

describeStoreContract('seven storage callbacks', {
  address: () => ({ kind: 'callbacks', functions: 7 }),
  isSharedByNodes: false,
  lacks: ['renewSession', 'nameSession', 'listSessions'],
});

describeStoreContract('the four required storage callbacks', {
  address: () => ({ kind: 'callbacks', functions: 4 }),
  isSharedByNodes: false,
  lacks: [
    'renewSession',
    'nameSession',
    'listSessions',
    'fetchSessionsForUser',
    'deleteSessionsForUser',
    'trimSessionsForUser',
    'deleteAllExpiredSessions',
  ],
});

describe('callbackSessionStore', () => {
  /** Returns a store over synchronous functions on a map, some replaced by `given`. */
  const functions = (given: Partial<SessionCallbacks> = {}) => {
    const rows = new Map<string, FetchedSession>();
    const callbacks: SessionCallbacks = {
      saveSession: (session) => void rows.set(session.id, session),
      fetchSession: (id) => rows.get(id),
      updateSessionExpiry: (id, expiresAt) => {
        const row = rows.get(id);
        if (row) row.expiresAt = expiresAt;
      },
      deleteSession: (id) => void rows.delete(id),
      ...given,
    };
    return { rows, store: callbackSessionStore(callbacks) };
  };
  const signedOut = { at: after(1), reason: 'signed-out', by: null } as const;

  test.each(['saveSession', 'fetchSession', 'updateSessionExpiry', 'deleteSession'] as const)(
    'callbackSessionStore throws at once if %s is missing',
    (name) => {
      expect(() => functions({ [name]: undefined })).toThrow(new MissingStoreFunctionError(name));
      expect(() => functions({ [name]: 'text' as never })).toThrow(name);
    },
  );

  test('a MissingStoreFunctionError names the missing function', () => {
    const error = new MissingStoreFunctionError('listSessions');
    expect([error.name, error.functionName, error.message]).toEqual([
      'MissingStoreFunctionError',
      'listSessions',
      'This session store has no listSessions(); add it to the store to use what needs it.',
    ]);
  });

  test('revokeOthers and erase throw if fetchSessionsForUser is missing', async () => {
    const { store } = functions({ deleteSessionsForUser: () => undefined });
    const sessions = new Sessions({ store });
    const missing = new MissingStoreFunctionError('fetchSessionsForUser');
    const ending = sessions.revokeOthers('user-1', null, { reason: 'signed-out' }, after(0));
    await expect(ending).rejects.toEqual(missing);
    await expect(sessions.erase('user-1', after(0))).rejects.toEqual(missing);
  });

  test('saveSession gets a plain object of all fields and the idle time', async () => {
    const { rows, store } = functions();
    const record = aRecord({ meta: { a: 1 } });
    await store.saveSession(record);
    expect(rows.get(record.id)).toEqual({ ...record, idleMs: HOUR_MS });
  });

  test('fetchSession may return dates as text or numbers, and omit fields that are null', async () => {
    const { rows, store } = functions();
    const record = aRecord();
    const {
      label: _label,
      country: _country,
      meta: _meta,
      revokedAt: _revokedAt,
      revokedReason: _why,
      revokedBy: _by,
      ...present
    } = record;
    rows.set(record.id, {
      ...present,
      createdAt: record.createdAt.toISOString(),
      lastSeenAt: record.lastSeenAt.getTime(),
      remember: 0,
      anotherField: 'ignored',
    } as FetchedSession);
    expect(await store.fetchSession(record.id)).toEqual({ record, user: null });
  });

  test.each(['createdAt', 'lastSeenAt', 'expiresAt', 'reauthenticatedAt'] as const)(
    'a session with a damaged %s is a store error: no access, and no sign-out',
    async (field) => {
      const { rows, store } = functions();
      const sessions = new Sessions({ store });
      const { token, session } = await sessions.start({ userId: 'user-1' }, after(0));
      for (const damaged of ['soon', null, undefined, NaN, {}]) {
        rows.set(session.id, { ...rows.get(session.id), [field]: damaged as never });
        await expect(sessions.resume(token, after(1))).rejects.toBeInstanceOf(
          StoreUnavailableError,
        );
      }
    },
  );

  test('rows of another id or another user are ignored', async () => {
    const record = aRecord({ id: 'aBcDeFgHiJkLmNoPqRsTuV' });
    const { store } = functions({
      fetchSession: () => record,
      fetchSessionsForUser: () => [record, aRecord({ userId: 'USER-1' })],
    });
    expect(await store.fetchSession(record.id.toUpperCase())).toBeNull();
    const listed = await store.fetchSessionsForUser!('user-1', { now: after(1), limit: 9 });
    expect(listed.map(({ id }) => id)).toEqual([record.id]);
  });

  test('a storage may keep tombstones of its own', async () => {
    const revoked = aRecord({
      revokedAt: after(1),
      revokedReason: 'administrator',
      revokedBy: 'x',
    });
    const { rows, store } = functions();
    rows.set(revoked.id, { ...revoked, revokedAt: after(1).toISOString() });
    expect((await store.fetchSession(revoked.id))?.record).toEqual(revoked);
    expect(await store.updateSessionExpiry(revoked.id, after(HOUR_MS), after(2))).toBe(false);
    expect(await store.revokeSession!(revoked.id, signedOut)).toBe(false);
  });

  test.each([
    [true, true],
    [1, true],
    [undefined, true],
    [false, false],
    [0, false],
  ])('a storage function that returns %s for a write counts as %s', async (answer, expected) => {
    const { store } = functions({
      updateSessionExpiry: () => answer,
      deleteSession: () => answer,
    });
    const record = aRecord();
    await store.saveSession(record);
    expect(await store.updateSessionExpiry(record.id, after(HOUR_MS), after(1))).toBe(expected);
    expect(await store.revokeSession!(record.id, signedOut)).toBe(expected);
  });

  test.each([
    [3, 3],
    [undefined, 0],
    ['3', 0],
  ])('a prune function that returns %s counts as %i deleted rows', async (answer, expected) => {
    let asked: Date | null = null;
    const { store } = functions({
      deleteAllExpiredSessions: (endedBefore: Date) => {
        asked = endedBefore;
        return answer;
      },
    });
    expect(await store.deleteAllExpiredSessions!(after(7))).toBe(expected);
    expect(asked).toEqual(after(7));
  });

  test('the last activity follows from the expiry if a storage updates only the expiry', async () => {
    let writes = 0;
    const { rows, store } = functions({
      updateSessionExpiry: (id, expiresAt) => {
        writes += 1;
        rows.set(id, { ...rows.get(id), expiresAt: expiresAt.toISOString() });
      },
    });
    const sessions = new Sessions({ store });
    const { token, session } = await sessions.start({ userId: 'user-1' }, after(0));
    for (let minute = 0; minute <= 90; minute += 1) {
      const resumed = await sessions.resume(token, after(minute * MINUTE_MS));
      expect(resumed.state).toBe('live');
      await sessions.resume(token, after(minute * MINUTE_MS + 1));
    }
    expect(writes).toBe(90);
    expect((await store.fetchSession(session.id))?.record.lastSeenAt).toEqual(
      after(90 * MINUTE_MS),
    );
    expect((await sessions.resume(token, after(150 * MINUTE_MS))).state).toBe('ended');
  });

  test('the last activity of the storage is used if the storage updates it', async () => {
    const { rows, store } = functions({
      updateSessionExpiry: (id, expiresAt, lastSeenAt) => {
        rows.set(id, { ...rows.get(id), expiresAt, lastSeenAt });
      },
    });
    const record = aRecord();
    await store.saveSession(record);
    await store.updateSessionExpiry(record.id, after(HOUR_MS), after(5 * MINUTE_MS));
    expect((await store.fetchSession(record.id))?.record.lastSeenAt).toEqual(after(5 * MINUTE_MS));
  });

  test('a session that was saved without the idle time can still be read', async () => {
    const { rows, store } = functions();
    const record = aRecord();
    await store.saveSession(record);
    const { idleMs, ...older } = rows.get(record.id) as SavedSession;
    expect(idleMs).toBe(HOUR_MS);
    rows.set(record.id, older);
    expect((await store.fetchSession(record.id))?.record).toEqual(record);
  });

  test('calls for one session run one after the other, and calls for others run meanwhile', async () => {
    const calls: string[] = [];
    const isDown = { yes: true };
    const { store } = functions({
      async deleteSession(id) {
        calls.push(`${id} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        calls.push(`${id} ends`);
        if (isDown.yes) throw new Error('down');
      },
    });
    const outcomes = await Promise.allSettled(['a', 'a', 'b'].map((id) => store.deleteSession(id)));
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    const ofA = calls.filter((call) => call.startsWith('a'));
    expect(ofA).toEqual(['a begins', 'a ends', 'a begins', 'a ends']);
    expect(calls.indexOf('b begins')).toBeLessThan(calls.indexOf('a ends'));
    isDown.yes = false;
    await store.deleteSession('a');
    expect(calls).toHaveLength(8);
  });

  test('erase fails instead of looping if deleteSession does not delete the row', async () => {
    const record = aRecord();
    const { store } = functions({
      fetchSession: () => record,
      deleteSession: () => undefined,
      fetchSessionsForUser: () => [record],
      deleteSessionsForUser: () => undefined,
    });
    const erasing = new Sessions({ store }).erase('user-1', after(1));
    await expect(erasing).rejects.toMatchObject({
      name: 'StoreUnavailableError',
      message: 'The session store is not available.',
      cause: { message: 'deleteSession() did not delete the row.' },
    });
    const excepted = aRecord();
    const ended = await store.deleteSessionsForUser!('user-1', excepted.id, signedOut);
    expect(ended).toEqual([record.id]);
  });
});
