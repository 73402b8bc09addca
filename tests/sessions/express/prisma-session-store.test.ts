import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SessionData } from 'express-session';
import session from 'express-session';
import {
  EmptyDatabases,
  PROVIDERS,
  rejectionOf,
  type EmptyDatabase,
} from '../../database/providers.ts';
import { TestClock } from '../../fixtures/application.ts';
import {
  openExistingApplication,
  type ExistingClient,
} from '../../fixtures/existing-application.ts';
import type { SessionModel, SessionRow } from '../../../app/sessions/express/session-model.ts';
import {
  PrismaSessionStore,
  type PrismaSessionStoreOptions,
} from '../../../app/sessions/express/prisma-session-store.ts';
import {
  SessionEndedError,
  SessionsUnavailableError,
} from '../../../app/sessions/express/store-errors.ts';
import { storedSid } from '../../../app/sessions/express/stored-sid.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../app/sessions/session.ts';
import { PATIENCE } from '../../fixtures/patience.ts';

declare module 'express-session' {
  interface SessionData {
    word?: string;
  }
}

type Options = PrismaSessionStoreOptions<'session' | 'visit'>;

const databases = new EmptyDatabases();
afterAll(() => databases.close());

/** Returns the data that express-session passes to a store. */
const sessionData = (word = 'hello', maxAge: number | null = HOUR_MS) =>
  ({
    cookie: { maxAge, originalMaxAge: maxAge, expires: null, path: '/' },
    word,
  }) as unknown as SessionData;

/** Returns a client that delays one function until a test releases its calls. */
function delayCalls(client: ExistingClient, name: keyof SessionModel) {
  const waiting: (() => void)[] = [];
  const model = new Proxy(client.session, {
    get(target, property) {
      const own = Reflect.get(target, property) as (args: unknown) => Promise<unknown>;
      if (property !== name) return own;
      return async (args: unknown) => {
        await new Promise<void>((resolve) => waiting.push(resolve));
        return own.call(target, args);
      };
    },
  });
  return { client: { session: model, visit: client.visit }, waiting };
}

describe.each(PROVIDERS)('on %s', (provider) => {
  let empty: EmptyDatabase;
  let prisma: ExistingClient;
  const clock = new TestClock();
  const open = (options: Partial<Options> = {}, client: object = prisma) =>
    new PrismaSessionStore<'session' | 'visit'>(client as ExistingClient, {
      clock: clock.now,
      ...options,
    });
  const rowsOf = (model: 'session' | 'visit' = 'session') =>
    prisma[model].findMany({ orderBy: { id: 'asc' } }) as Promise<SessionRow[]>;
  /** Creates a row with a plain id, as the older library did. */
  const plainRow = (sid: string, word = 'from before', id = `record-${sid}`) =>
    prisma.session.create({
      data: {
        id,
        sid,
        expiresAt: new Date(clock.now().getTime() + HOUR_MS),
        data: JSON.stringify({ cookie: { originalMaxAge: HOUR_MS, expires: null }, word }),
      },
    });

  beforeAll(async () => {
    empty = await databases.make(provider);
    prisma = await openExistingApplication(provider, empty.url);
  });
  beforeEach(async () => {
    await prisma.session.deleteMany({});
    await prisma.visit.deleteMany({});
  });
  afterAll(() => prisma.$disconnect());

  describe('calls with promises', () => {
    test('PrismaSessionStore is a store of express-session', () => {
      expect(open()).toBeInstanceOf(session.Store);
    });

    test('get returns the saved session, and null for an unknown id', async () => {
      const store = open();
      await store.set('one', sessionData());
      expect(await store.get('one')).toMatchObject({ word: 'hello' });
      expect(await store.get('two')).toBeNull();
      await store.set('one', sessionData('again'));
      expect(await store.get('one')).toMatchObject({ word: 'again' });
      expect(await store.length()).toBe(1);
    });

    test('destroy ends one or several sessions, and an unknown id is not an error', async () => {
      const store = open();
      for (const sid of ['a', 'b', 'c', 'd']) await store.set(sid, sessionData(sid));
      await store.destroy('a');
      await store.destroy(['b', 'c', 'never']);
      await store.destroy('never');
      expect(Object.values(await store.all()).map(({ word }) => word)).toEqual(['d']);
    });

    test('all, ids and length include only live sessions, and destroy accepts the ids', async () => {
      const store = open();
      await store.set('a', sessionData('a'));
      await store.set('b', sessionData('b'));
      await store.set('short', sessionData('short', MINUTE_MS));
      clock.advance(MINUTE_MS);
      expect(await store.length()).toBe(2);
      expect((await store.ids()).sort()).toEqual([storedSid('a'), storedSid('b')].sort());
      expect(await store.all()).toMatchObject({ [storedSid('a')]: { word: 'a' } });
      await store.destroy(await store.ids());
      expect(await rowsOf()).toHaveLength(1);
    });

    test('prune deletes and counts only expired sessions, and clear deletes all', async () => {
      const store = open();
      await store.set('long', sessionData());
      for (let count = 0; count < 120; count += 1) {
        await store.set(`short-${count}`, sessionData('', MINUTE_MS));
      }
      clock.advance(MINUTE_MS);
      expect(await store.prune()).toBe(120);
      expect(await rowsOf()).toHaveLength(1);
      expect(await store.prune()).toBe(0);
      await store.clear();
      expect(await rowsOf()).toEqual([]);
    });

    test('touch extends the expiry of the session and of its cookie', async () => {
      const store = open();
      await store.set('one', sessionData());
      clock.advance(30 * MINUTE_MS);
      await store.touch('one', sessionData());
      clock.advance(59 * MINUTE_MS);
      const { cookie } = (await store.get('one'))!;
      expect((cookie as unknown as { expires: string }).expires).toBe(
        new Date(clock.now().getTime() + MINUTE_MS).toISOString(),
      );
      clock.advance(MINUTE_MS);
      expect(await store.get('one')).toBeNull();
    });
  });

  test('every method calls its callback with the result', async () => {
    const store = open();
    const resultOf = <Answer>(
      call: (callback: (...args: [unknown?, Answer?]) => void) => unknown,
    ) =>
      new Promise<Answer | undefined>((resolve, reject) => {
        call((error, answer) => (error instanceof Error ? reject(error) : resolve(answer)));
      });
    await resultOf((done) => store.set('one', sessionData(), done));
    await resultOf((done) => store.touch('one', sessionData(), done));
    expect(await resultOf((done) => store.get('one', done))).toMatchObject({ word: 'hello' });
    expect(await resultOf((done) => store.get('two', done))).toBeNull();
    expect(await resultOf((done) => store.length(done))).toBe(1);
    expect(await resultOf((done) => store.ids(done))).toEqual([storedSid('one')]);
    expect(await resultOf((done) => store.all(done))).toMatchObject({});
    expect(await resultOf((done) => store.prune(done))).toBe(0);
    await resultOf((done) => store.destroy(['one'], done));
    await resultOf((done) => store.clear(done));
    // express-session sometimes passes undefined as the callback.
    await store.destroy('one', undefined);
  });

  describe('faults of the older library', () => {
    test('concurrent sets of one session all run, and the last one wins', async () => {
      const store = open();
      const words = Array.from({ length: 20 }, (_, index) => `word ${index}`);
      await Promise.all(words.map((word) => store.set('one', sessionData(word))));
      expect(await store.get('one')).toMatchObject({ word: 'word 19' });
      expect(await rowsOf()).toHaveLength(1);
    });

    test('two processes that create one session concurrently create one row', async () => {
      const stores = [open(), open()];
      await Promise.all(stores.map((store, index) => store.set('one', sessionData(`of ${index}`))));
      expect(await rowsOf()).toHaveLength(1);
    });

    test('set resolves only after the write', async () => {
      const { client, waiting } = delayCalls(prisma, 'create');
      const store = open({}, client);
      let done = 0;
      const sets = ['a', 'a'].map((sid) => store.set(sid, sessionData()).then(() => (done += 1)));
      await vi.waitFor(() => expect(waiting).toHaveLength(1), PATIENCE);
      expect(done).toBe(0);
      waiting.shift()!();
      await vi.waitFor(() => expect(waiting).toHaveLength(1), PATIENCE);
      waiting.shift()!();
      await Promise.all(sets);
      expect(await rowsOf()).toHaveLength(1);
    });

    test('no write restores a session that was ended, also by another process', async () => {
      const [store, elsewhere] = [open(), open()];
      await store.set('one', sessionData());
      const data = (await store.get('one'))!;
      await elsewhere.destroy('one');
      // A session that was read can only be changed, not created.
      await expect(store.set('one', data)).rejects.toThrow(SessionEndedError);
      await store.touch('one', data);
      expect(await rowsOf()).toEqual([]);
      const saved = sessionData();
      await store.set('two', saved);
      await elsewhere.destroy('two');
      await expect(store.set('two', saved)).rejects.toThrow(SessionEndedError);
      expect(await rowsOf()).toEqual([]);
    });

    test('destroy waits for earlier sets of the session', async () => {
      const store = open();
      await Promise.all([store.set('one', sessionData()), store.destroy('one')]);
      expect(await rowsOf()).toEqual([]);
    });

    test('touch does not restore an expired session', async () => {
      const store = open();
      await store.set('one', sessionData('', MINUTE_MS));
      clock.advance(MINUTE_MS);
      await store.touch('one', sessionData());
      expect(await store.get('one')).toBeNull();
    });

    test('length and prune load no session data', async () => {
      const calls: string[] = [];
      const model = new Proxy(prisma.session, {
        get(target, name) {
          const own = Reflect.get(target, name) as (args: unknown) => Promise<unknown>;
          return (args: unknown) => {
            calls.push(`${String(name)} ${JSON.stringify((args as { select?: object }).select)}`);
            return own.call(target, args);
          };
        },
      });
      const connects: string[] = [];
      const store = open({}, { session: model, $connect: () => connects.push('connect') });
      await store.set('short', sessionData('', MINUTE_MS));
      clock.advance(MINUTE_MS);
      calls.length = 0;
      await store.length();
      await store.prune();
      expect(calls).toEqual(['count undefined', 'findMany {"id":true}', 'deleteMany undefined']);
      // The store does not reconnect either.
      expect(connects).toEqual([]);
    });
  });

  describe('options', () => {
    test('ttl is the maxAge of the cookie or one day by default, or a number, or a function', async () => {
      const expiryOf = async (options: Partial<Options>, data: SessionData) => {
        await open(options).set('one', data);
        const [row] = await rowsOf();
        await prisma.session.deleteMany({});
        return row!.expiresAt.getTime() - clock.now().getTime();
      };
      expect(await expiryOf({}, sessionData('', MINUTE_MS))).toBe(MINUTE_MS);
      expect(await expiryOf({}, sessionData('', null))).toBe(DAY_MS);
      expect(await expiryOf({ ttl: 5000 }, sessionData())).toBe(5000);
      const ttl: Options['ttl'] = (options, data, sid) =>
        options.checkPeriod === 0 && data.word === 'w' && sid === 'one' ? 7000 : 1;
      expect(await expiryOf({ ttl, checkPeriod: 0 }, sessionData('w'))).toBe(7000);
    });

    test.each([
      [{ ttl: '1 hour' }, 'ttl'],
      [{ ttl: Number.NaN }, 'ttl'],
      [{ roundTTL: 7 }, 'roundTTL'],
      [{ checkPeriod: 2 ** 31 }, 'checkPeriod'],
      [{ sessionModelName: 'nothing' }, 'sessionModelName'],
    ])('the options %j throw a TypeError that names %s', (options, name) => {
      expect(() => open(options as unknown as Options)).toThrow(TypeError);
      expect(() => open(options as unknown as Options)).toThrow(name);
    });

    test('set throws a TypeError and saves nothing if the ttl function returns no number', async () => {
      const store = open({ ttl: () => 'an hour' as unknown as number });
      await expect(store.set('one', sessionData())).rejects.toThrow(TypeError);
      expect(await rowsOf()).toEqual([]);
    });

    test.each([10, 100, 1000] as const)('roundTTL %d rounds the expiry down', async (roundTTL) => {
      const odd = new TestClock(new Date('2026-11-21T12:00:00.987Z'));
      await open({ roundTTL, clock: odd.now }).set('one', sessionData('', MINUTE_MS));
      const [row] = await rowsOf();
      expect(row!.expiresAt.getTime() % roundTTL).toBe(0);
      const lasts = row!.expiresAt.getTime() - odd.now().getTime();
      expect(lasts).toBeGreaterThan(MINUTE_MS - roundTTL);
      expect(lasts).toBeLessThanOrEqual(MINUTE_MS);
    });

    test('the record id is random, the stored sid, or the result of dbRecordIdFunction', async () => {
      await open().set('a', sessionData());
      await open({ dbRecordIdIsSessionId: true }).set('b', sessionData());
      await open({ dbRecordIdFunction: (sid) => `record of ${sid}` }).set('c', sessionData());
      const idOf = new Map((await rowsOf()).map(({ id, sid }) => [sid, id]));
      expect(idOf.get(storedSid('a'))).toMatch(/^[\da-f-]{36}$/);
      expect(idOf.get(storedSid('b'))).toBe(storedSid('b'));
      expect(idOf.get(storedSid('c'))).toBe(`record of ${storedSid('c')}`);
    });

    test('saving a second session with the same record id fails and changes nothing', async () => {
      const store = open({ dbRecordIdFunction: () => 'the same' });
      await store.set('a', sessionData('a'));
      const error = await rejectionOf(store.set('b', sessionData('b')));
      expect(error).toBeInstanceOf(SessionsUnavailableError);
      expect(String(error.cause)).toContain('record id');
      expect(await store.get('a')).toMatchObject({ word: 'a' });
      expect(await store.get('b')).toBeNull();
    });

    test('a serializer writes and reads the data', async () => {
      const backwards = (text: string) => [...text].reverse().join('');
      const store = open({
        serializer: {
          stringify: (data) => backwards(JSON.stringify(data)),
          parse: (text) => JSON.parse(backwards(text)) as SessionData,
        },
      });
      await store.set('one', sessionData());
      expect((await rowsOf())[0]!.data).toContain('olleh');
      expect(await store.get('one')).toMatchObject({ word: 'hello' });
    });

    test('sessionModelName selects another model', async () => {
      await open({ sessionModelName: 'visit' }).set('one', sessionData());
      expect(await rowsOf('visit')).toHaveLength(1);
      expect(await rowsOf()).toEqual([]);
    });

    test('the options for concurrent calls are accepted without effect', async () => {
      const store = open({
        enableConcurrentSetInvocationsForSameSessionID: true,
        enableConcurrentTouchInvocationsForSameSessionID: true,
      });
      await Promise.all([store.set('one', sessionData('a')), store.set('one', sessionData('b'))]);
      expect(await store.get('one')).toMatchObject({ word: 'b' });
    });

    test('dispose is called for every deleted session, and for overwritten ones unless noDisposeOnSet', async () => {
      const dropped: string[] = [];
      const dispose: Options['dispose'] = (sid, { word }) => dropped.push(`${sid} ${word}`);
      const takeDropped = () => dropped.splice(0);
      const store = open({ dispose });
      await store.set('a', sessionData('first'));
      await store.set('a', sessionData('second'));
      expect(takeDropped()).toEqual(['a first']);
      await store.destroy(['a', 'never']);
      expect(takeDropped()).toEqual(['a second']);
      const quiet = open({ dispose, noDisposeOnSet: true });
      await quiet.set('b', sessionData('first'));
      await quiet.set('b', sessionData('second', MINUTE_MS));
      expect(takeDropped()).toEqual([]);
      await quiet.set('c', sessionData('third', MINUTE_MS));
      clock.advance(MINUTE_MS);
      expect(await quiet.get('b')).toBeNull();
      expect(takeDropped()).toEqual(['b second']);
      expect(await quiet.prune()).toBe(1);
      expect(takeDropped()).toEqual([`${storedSid('c')} third`]);
      await quiet.set('d', sessionData('last'));
      await quiet.clear();
      expect(takeDropped()).toEqual([`${storedSid('d')} last`]);
    });

    test('an error of dispose is logged, and the session is deleted anyway', async () => {
      const error = vi.fn();
      const store = open({
        logger: { error },
        dispose() {
          throw new Error('no');
        },
      });
      await store.set('a', sessionData());
      await store.destroy('a');
      expect(await rowsOf()).toEqual([]);
      expect(error).toHaveBeenCalledOnce();
    });

    test('stale returns an expired session at most once, also to concurrent calls', async () => {
      const store = open({ stale: true });
      await store.set('one', sessionData('old', MINUTE_MS));
      clock.advance(MINUTE_MS);
      const answers = await Promise.all([store.get('one'), store.get('one'), open().get('one')]);
      const returned = answers.filter((answer) => answer !== null);
      expect(returned.length).toBeLessThanOrEqual(1);
      expect(await rowsOf()).toEqual([]);
      await store.set('two', sessionData('old', MINUTE_MS));
      clock.advance(MINUTE_MS);
      const stale = (await store.get('two'))!;
      expect(stale).toMatchObject({ word: 'old' });
      expect(await store.get('two')).toBeNull();
      // It can be read but not saved.
      await expect(store.set('two', stale)).rejects.toThrow(SessionEndedError);
    });
  });

  describe('session ids', () => {
    test('the row contains only the SHA-256 of the session id', async () => {
      await open({ dbRecordIdIsSessionId: true }).set('a secret id', sessionData());
      const hash = createHash('sha256').update('a secret id').digest('base64url');
      const [row] = await rowsOf();
      expect(row!.sid).toBe(`sha256.${hash}`);
      expect(JSON.stringify(row)).not.toContain('a secret id');
    });

    test('get and touch do not accept a stored hash as a session id', async () => {
      const store = open();
      await store.set('one', sessionData());
      expect(await store.get(storedSid('one'))).toBeNull();
      const plain = open({ storeSids: 'plain' });
      expect(await plain.get(storedSid('one'))).toBeNull();
      await store.touch(storedSid('one'), sessionData('', DAY_MS));
      expect((await rowsOf())[0]!.expiresAt.getTime()).toBe(clock.now().getTime() + HOUR_MS);
    });

    test('get finds a row with a plain id and hashes it, and later calls find it too', async () => {
      const store = open();
      await plainRow('old');
      const found = (await store.get('old'))!;
      expect(found).toMatchObject({ word: 'from before' });
      expect(await rowsOf()).toMatchObject([{ id: 'record-old', sid: storedSid('old') }]);
      await store.set('old', { ...found, word: 'after' });
      await store.set('old', found);
      await store.touch('old', found);
      expect(await rowsOf()).toHaveLength(1);
      await store.destroy('old');
      expect(await rowsOf()).toEqual([]);
    });

    test('twenty concurrent gets find a row with a plain id, and hash a record id that equals it', async () => {
      await plainRow('old', 'here', 'old');
      const stores = [open(), open()];
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => stores[index % 2]!.get('old')),
      );
      expect(answers.every((answer) => answer?.word === 'here')).toBe(true);
      expect(await rowsOf()).toMatchObject([{ id: storedSid('old'), sid: storedSid('old') }]);
    });

    test('touch and destroy find a row with a plain id', async () => {
      await plainRow('one');
      await plainRow('two');
      const store = open();
      await store.touch('one', sessionData('', DAY_MS));
      await store.destroy('two');
      expect(await rowsOf()).toMatchObject([
        { sid: 'one', expiresAt: new Date(clock.now().getTime() + DAY_MS) },
      ]);
    });

    test('hashStoredSids hashes all plain ids, and no user is signed out', async () => {
      for (let count = 0; count < 12; count += 1) await plainRow(`old-${count}`, `w${count}`);
      await plainRow('also-the-record-id', 'w', 'also-the-record-id');
      const store = open();
      await store.set('new', sessionData());
      expect(await store.hashStoredSids()).toBe(13);
      expect(await store.hashStoredSids()).toBe(0);
      expect(JSON.stringify(await rowsOf())).not.toMatch(/"(old-|also)/);
      expect(await store.get('old-7')).toMatchObject({ word: 'w7' });
      expect(await store.get('also-the-record-id')).toMatchObject({ word: 'w' });
    });

    test('storeSids: plain stores plain ids, and finds plain and hashed ids', async () => {
      const [hashed, plain] = [open(), open({ storeSids: 'plain' })];
      await plain.set('one', sessionData());
      expect((await rowsOf())[0]!.sid).toBe('one');
      expect(await plain.get('one')).not.toBeNull();
      expect((await rowsOf())[0]!.sid).toBe('one');
      await hashed.set('two', sessionData('two'));
      const two = (await plain.get('two'))!;
      await plain.set('two', { ...two, word: 'changed' } as SessionData);
      await plain.destroy('two');
      expect(await hashed.get('two')).toBeNull();
    });
  });

  describe('an outage of the database', () => {
    const connectionError = new Error('connect ENOENT');
    (connectionError as Error & { code: string }).code = 'ENOENT';
    const failingModel = Object.fromEntries(
      ['findMany', 'create', 'updateMany', 'deleteMany', 'count'].map((name) => [
        name,
        () => Promise.reject(connectionError),
      ]),
    );
    const calls: [string, (store: PrismaSessionStore, done?: () => void) => Promise<unknown>][] = [
      ['get', (store, done) => store.get('one', done)],
      ['set', (store, done) => store.set('one', sessionData(), done)],
      ['touch', (store, done) => store.touch('one', sessionData(), done)],
      ['destroy', (store, done) => store.destroy('one', done)],
      ['all', (store, done) => store.all(done)],
      ['ids', (store, done) => store.ids(done)],
      ['length', (store, done) => store.length(done)],
      ['clear', (store, done) => store.clear(done)],
      ['prune', (store, done) => store.prune(done)],
    ];

    test.each(calls)(
      '%s fails with status 503 in an outage, by promise and by callback',
      async (_name, call) => {
        const store = new PrismaSessionStore({ session: failingModel } as never);
        const error = await rejectionOf(call(store));
        expect(error).toBeInstanceOf(SessionsUnavailableError);
        expect(error).toMatchObject({ status: 503, cause: connectionError });
        // express-session reads the code ENOENT as "no such session".
        expect(error).not.toHaveProperty('code');
        const callback = vi.fn();
        await call(store, callback);
        await vi.waitFor(() => expect(callback).toHaveBeenCalledOnce(), PATIENCE);
        expect(callback.mock.calls[0]![0]).toBeInstanceOf(SessionsUnavailableError);
      },
    );

    test('shutdown fails with the error of $disconnect', async () => {
      const store = new PrismaSessionStore({
        session: failingModel,
        $disconnect: () => Promise.reject(connectionError),
      } as never);
      await expect(store.shutdown()).rejects.toBe(connectionError);
    });

    test('session data that cannot be parsed or serialized is an error', async () => {
      await plainRow('broken');
      await prisma.session.updateMany({ where: {}, data: { data: '{"cookie"' } });
      await expect(open().get('broken')).rejects.toThrow(SessionsUnavailableError);
      const circular = sessionData() as SessionData & { self?: unknown };
      circular.self = circular;
      await expect(open().set('circular', circular)).rejects.toThrow(TypeError);
    });
  });
});

describe('automatic prunes', () => {
  const model = (prune: () => Promise<unknown[]>) =>
    ({ session: { findMany: prune, create: f, updateMany: f, deleteMany: f, count: f } }) as never;
  const f = () => Promise.resolve({ count: 0 });
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('the store prunes every checkPeriod until stopInterval or shutdown', async () => {
    const prune = vi.fn(() => Promise.resolve([]));
    const store = new PrismaSessionStore(model(prune), { checkPeriod: 1000 });
    await vi.advanceTimersByTimeAsync(3000);
    expect(prune).toHaveBeenCalledTimes(3);
    store.stopInterval();
    await vi.advanceTimersByTimeAsync(3000);
    expect(prune).toHaveBeenCalledTimes(3);
    store.startInterval();
    store.startInterval();
    await vi.advanceTimersByTimeAsync(1000);
    expect(prune).toHaveBeenCalledTimes(4);
    await store.shutdown();
    await vi.advanceTimersByTimeAsync(3000);
    expect(prune).toHaveBeenCalledTimes(4);
  });

  test('the store does not prune automatically without checkPeriod', async () => {
    const prune = vi.fn(() => Promise.resolve([]));
    new PrismaSessionStore(model(prune)).startInterval();
    await vi.advanceTimersByTimeAsync(DAY_MS);
    expect(prune).not.toHaveBeenCalled();
  });

  test.each([
    ['by default logs an error', {}, ['error']],
    ['with logger: false logs nothing', { logger: false as const }, []],
    ['with another loggerLevel logs nothing', { loggerLevel: 'warn' as const }, []],
    [
      'with loggerLevel error among others logs an error',
      { loggerLevel: ['log', 'error'] as const },
      ['error'],
    ],
  ])('a failed prune %s', async (_what, options, expected) => {
    const logged: string[] = [];
    const logger = { error: () => logged.push('error') };
    const onError = vi.fn();
    const store = new PrismaSessionStore(
      model(() => Promise.reject(new Error('away'))),
      { checkPeriod: 1000, logger, ...options },
    );
    store.startInterval(onError);
    await vi.advanceTimersByTimeAsync(1000);
    expect(logged).toEqual(expected);
    expect(onError).toHaveBeenCalledOnce();
    store.stopInterval();
  });
});
