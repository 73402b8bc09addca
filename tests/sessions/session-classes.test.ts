import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  getAuthTokenForSessionId,
  getSessionIdFromAuthToken,
  InMemorySessions,
  StoredSessions,
  type SessionId,
} from '../../app/sessions/session-classes.ts';
import { StoreUnavailableError } from '../../app/sessions/session-store.ts';
import { Sessions } from '../../app/sessions/sessions.ts';
import { callbackSessionStore } from '../../app/sessions/stores/callbacks.ts';
import { memorySessionStore } from '../../app/sessions/stores/memory.ts';
import { describeSessionClass, rules, type Meta } from './session-classes-contract.ts';

describeSessionClass('InMemorySessions', () => new InMemorySessions<string, Meta>(rules));

test('sessions take the time from the system clock if they are given no clock', async () => {
  const now = new Date('2031-05-06T07:08:09.010Z');
  vi.useFakeTimers({ toFake: ['Date'], now });
  onTestFinished(() => void vi.useRealTimers());
  const sessions = new InMemorySessions();
  const session = await sessions.createSession({ userId: 'ann', label: '', meta: null });
  const [listed] = await sessions.getSessionsForUser('ann');
  expect(listed!.createdAt).toEqual(now);
  expect(await sessions.getUserIdFromSession(session)).toBe('ann');
});

describe('getSessionIdFromAuthToken', () => {
  const session = `${'a'.repeat(22)}.${'b'.repeat(43)}` as SessionId;

  test.each([
    `Bearer ${session}`,
    `bearer ${session}`,
    `BEARER   ${session}`,
    session,
    getAuthTokenForSessionId(session),
  ])('getSessionIdFromAuthToken finds the session in "%s"', (header) => {
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
  ])('getSessionIdFromAuthToken returns null for %j', (header) => {
    expect(getSessionIdFromAuthToken(header)).toBeNull();
  });
});

test('getSessionsForUser returns the sessions of all pages', async () => {
  const store = memorySessionStore<Meta>();
  const generous = new StoredSessions<string, Meta>(store, { clock: rules.clock });
  for (let index = 0; index < 12; index += 1) {
    await generous.createSession({ userId: 'ann', label: '', meta: { theme: 'dark', tags: [] } });
  }
  const strict = new StoredSessions<string, Meta>(store, { clock: rules.clock, maxPerUser: 5 });
  expect(await strict.getSessionsForUser('ann')).toHaveLength(12);
});

test('an ended session has the reason and the session that ended it', async () => {
  const store = memorySessionStore<Meta>();
  const sessions = new StoredSessions<string, Meta>(store, rules);
  const make = () =>
    sessions.createSession({ userId: 'ann', label: '', meta: { theme: 'dark', tags: [] } });
  const [one, other] = [await make(), await make()].map((session) => session.split('.')[0]!);
  await sessions.destroyListedSession(other!, 'ann');
  const session = await make();
  const [id = ''] = session.split('.');
  await sessions.destroySession(session);
  const endingOf = async (sessionId: string) => {
    const { revokedReason, revokedBy } = (await store.fetchSession(sessionId))!.record;
    return [revokedReason, revokedBy];
  };
  expect(await endingOf(id)).toEqual(['signed-out', id]);
  expect(await endingOf(other!)).toEqual(['signed-out-elsewhere', null]);
  expect(await endingOf(one!)).toEqual([null, null]);
});

test('getSessionsForUser lists a session without a label with an empty label', async () => {
  const store = memorySessionStore<Meta>();
  await new Sessions({ store }).start({ userId: 'ann' }, rules.clock!());
  const [listed] = await new StoredSessions<string, Meta>(store, rules).getSessionsForUser('ann');
  expect(listed).toMatchObject({ label: '', meta: null });
});

test('every call throws a StoreUnavailableError if the store is down', async () => {
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
