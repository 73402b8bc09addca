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

/** A session as express-session hands it to a store. */
const bag = (word = 'hello', maxAge: number | null = HOUR_MS) =>
  ({
    cookie: { maxAge, originalMaxAge: maxAge, expires: null, path: '/' },
    word,
  }) as unknown as SessionData;

/** A client whose answers come when they are let go; all else is the real one. */
function slowed(client: ExistingClient, name: keyof SessionModel) {
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
  /** As the library did that the application had before: the id as it is. */
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

  describe('what is called with a promise', () => {
    test('is a store of express-session', () => {
      expect(open()).toBeInstanceOf(session.Store);
    });

    test('get answers what was set, and null for what never was', async () => {
      const store = open();
      await store.set('one', bag());
      expect(await store.get('one')).toMatchObject({ word: 'hello' });
      expect(await store.get('two')).toBeNull();
      await store.set('one', bag('again'));
      expect(await store.get('one')).toMatchObject({ word: 'again' });
      expect(await store.length()).toBe(1);
    });

    test('destroy ends one, several, or one that never was', async () => {
      const store = open();
      for (const sid of ['a', 'b', 'c', 'd']) await store.set(sid, bag(sid));
      await store.destroy('a');
      await store.destroy(['b', 'c', 'never']);
      await store.destroy('never');
      expect(Object.values(await store.all()).map(({ word }) => word)).toEqual(['d']);
    });

    test('all, ids and length tell of those that live; ids are enough to destroy', async () => {
      const store = open();
      await store.set('a', bag('a'));
      await store.set('b', bag('b'));
      await store.set('short', bag('short', MINUTE_MS));
      clock.advance(MINUTE_MS);
      expect(await store.length()).toBe(2);
      expect((await store.ids()).sort()).toEqual([storedSid('a'), storedSid('b')].sort());
      expect(await store.all()).toMatchObject({ [storedSid('a')]: { word: 'a' } });
      await store.destroy(await store.ids());
      expect(await rowsOf()).toHaveLength(1);
    });

    test('clear ends every one; prune only what has run out, and says how many', async () => {
      const store = open();
      await store.set('long', bag());
      for (let count = 0; count < 120; count += 1) {
        await store.set(`short-${count}`, bag('', MINUTE_MS));
      }
      clock.advance(MINUTE_MS);
      expect(await store.prune()).toBe(120);
      expect(await rowsOf()).toHaveLength(1);
      expect(await store.prune()).toBe(0);
      await store.clear();
      expect(await rowsOf()).toEqual([]);
    });

    test('touch moves the expiry on, and the cookie that is handed out', async () => {
      const store = open();
      await store.set('one', bag());
      clock.advance(30 * MINUTE_MS);
      await store.touch('one', bag());
      clock.advance(59 * MINUTE_MS);
      const { cookie } = (await store.get('one'))!;
      expect((cookie as unknown as { expires: string }).expires).toBe(
        new Date(clock.now().getTime() + MINUTE_MS).toISOString(),
      );
      clock.advance(MINUTE_MS);
      expect(await store.get('one')).toBeNull();
    });
  });

  test('with a callback each tells it, and nothing is left to a promise', async () => {
    const store = open();
    const told = <Answer>(call: (callback: (...said: [unknown?, Answer?]) => void) => unknown) =>
      new Promise<Answer | undefined>((resolve, reject) => {
        call((error, answer) => (error instanceof Error ? reject(error) : resolve(answer)));
      });
    await told((done) => store.set('one', bag(), done));
    await told((done) => store.touch('one', bag(), done));
    expect(await told((done) => store.get('one', done))).toMatchObject({ word: 'hello' });
    expect(await told((done) => store.get('two', done))).toBeNull();
    expect(await told((done) => store.length(done))).toBe(1);
    expect(await told((done) => store.ids(done))).toEqual([storedSid('one')]);
    expect(await told((done) => store.all(done))).toMatchObject({});
    expect(await told((done) => store.prune(done))).toBe(0);
    await told((done) => store.destroy(['one'], done));
    await told((done) => store.clear(done));
    // Without one, and without anybody who waits, as express-session does in places.
    await store.destroy('one', undefined);
  });

  describe('what that library got wrong', () => {
    test('sets at the same time are all done, and the last one counts', async () => {
      const store = open();
      const words = Array.from({ length: 20 }, (_, index) => `word ${index}`);
      await Promise.all(words.map((word) => store.set('one', bag(word))));
      expect(await store.get('one')).toMatchObject({ word: 'word 19' });
      expect(await rowsOf()).toHaveLength(1);
    });

    test('two processes that set one session first at the same time make one row', async () => {
      const stores = [open(), open()];
      await Promise.all(stores.map((store, index) => store.set('one', bag(`of ${index}`))));
      expect(await rowsOf()).toHaveLength(1);
    });

    test('a set tells of success only once it is written', async () => {
      const { client, waiting } = slowed(prisma, 'create');
      const store = open({}, client);
      let done = 0;
      const sets = ['a', 'a'].map((sid) => store.set(sid, bag()).then(() => (done += 1)));
      await vi.waitFor(() => expect(waiting).toHaveLength(1), PATIENCE);
      expect(done).toBe(0);
      waiting.shift()!();
      await vi.waitFor(() => expect(waiting).toHaveLength(1), PATIENCE);
      waiting.shift()!();
      await Promise.all(sets);
      expect(await rowsOf()).toHaveLength(1);
    });

    test('no write brings back what was ended, by this process or by another', async () => {
      const [store, elsewhere] = [open(), open()];
      await store.set('one', bag());
      const data = (await store.get('one'))!;
      await elsewhere.destroy('one');
      // What was read is changed or nothing: it makes no row.
      await expect(store.set('one', data)).rejects.toThrow(SessionEndedError);
      await store.touch('one', data);
      expect(await rowsOf()).toEqual([]);
      const saved = bag();
      await store.set('two', saved);
      await elsewhere.destroy('two');
      await expect(store.set('two', saved)).rejects.toThrow(SessionEndedError);
      expect(await rowsOf()).toEqual([]);
    });

    test('a destroy waits for the sets before it', async () => {
      const store = open();
      await Promise.all([store.set('one', bag()), store.destroy('one')]);
      expect(await rowsOf()).toEqual([]);
    });

    test('a touch brings nothing back that has run out', async () => {
      const store = open();
      await store.set('one', bag('', MINUTE_MS));
      clock.advance(MINUTE_MS);
      await store.touch('one', bag());
      expect(await store.get('one')).toBeNull();
    });

    test('length and prune load no row', async () => {
      const asked: string[] = [];
      const model = new Proxy(prisma.session, {
        get(target, name) {
          const own = Reflect.get(target, name) as (args: unknown) => Promise<unknown>;
          return (args: unknown) => {
            asked.push(`${String(name)} ${JSON.stringify((args as { select?: object }).select)}`);
            return own.call(target, args);
          };
        },
      });
      const connects: string[] = [];
      const store = open({}, { session: model, $connect: () => connects.push('connect') });
      await store.set('short', bag('', MINUTE_MS));
      clock.advance(MINUTE_MS);
      asked.length = 0;
      await store.length();
      await store.prune();
      expect(asked).toEqual(['count undefined', 'findMany {"id":true}', 'deleteMany undefined']);
      // Nor does anything connect anew.
      expect(connects).toEqual([]);
    });
  });

  describe('options', () => {
    test('ttl: the cookie’s maxAge, else a day; a number; a function', async () => {
      const expiryOf = async (options: Partial<Options>, data: SessionData) => {
        await open(options).set('one', data);
        const [row] = await rowsOf();
        await prisma.session.deleteMany({});
        return row!.expiresAt.getTime() - clock.now().getTime();
      };
      expect(await expiryOf({}, bag('', MINUTE_MS))).toBe(MINUTE_MS);
      expect(await expiryOf({}, bag('', null))).toBe(DAY_MS);
      expect(await expiryOf({ ttl: 5000 }, bag())).toBe(5000);
      const ttl: Options['ttl'] = (options, data, sid) =>
        options.checkPeriod === 0 && data.word === 'w' && sid === 'one' ? 7000 : 1;
      expect(await expiryOf({ ttl, checkPeriod: 0 }, bag('w'))).toBe(7000);
    });

    test.each([
      [{ ttl: '1 hour' }, 'ttl'],
      [{ ttl: Number.NaN }, 'ttl'],
      [{ roundTTL: 7 }, 'roundTTL'],
      [{ checkPeriod: 2 ** 31 }, 'checkPeriod'],
      [{ sessionModelName: 'nothing' }, 'sessionModelName'],
    ])('%j is refused by name', (options, name) => {
      expect(() => open(options as unknown as Options)).toThrow(TypeError);
      expect(() => open(options as unknown as Options)).toThrow(name);
    });

    test('a ttl function that answers no number is a TypeError, and nothing is saved', async () => {
      const store = open({ ttl: () => 'an hour' as unknown as number });
      await expect(store.set('one', bag())).rejects.toThrow(TypeError);
      expect(await rowsOf()).toEqual([]);
    });

    test.each([10, 100, 1000] as const)('roundTTL %d rounds the expiry down', async (roundTTL) => {
      const odd = new TestClock(new Date('2026-11-21T12:00:00.987Z'));
      await open({ roundTTL, clock: odd.now }).set('one', bag('', MINUTE_MS));
      const [row] = await rowsOf();
      expect(row!.expiresAt.getTime() % roundTTL).toBe(0);
      const lasts = row!.expiresAt.getTime() - odd.now().getTime();
      expect(lasts).toBeGreaterThan(MINUTE_MS - roundTTL);
      expect(lasts).toBeLessThanOrEqual(MINUTE_MS);
    });

    test('the record id is random, what stands for the sid, or what a function makes of that', async () => {
      await open().set('a', bag());
      await open({ dbRecordIdIsSessionId: true }).set('b', bag());
      await open({ dbRecordIdFunction: (sid) => `record of ${sid}` }).set('c', bag());
      const idOf = new Map((await rowsOf()).map(({ id, sid }) => [sid, id]));
      expect(idOf.get(storedSid('a'))).toMatch(/^[\da-f-]{36}$/);
      expect(idOf.get(storedSid('b'))).toBe(storedSid('b'));
      expect(idOf.get(storedSid('c'))).toBe(`record of ${storedSid('c')}`);
    });

    test('two sessions of one record id are told apart, and the second is not saved', async () => {
      const store = open({ dbRecordIdFunction: () => 'the same' });
      await store.set('a', bag('a'));
      const error = await rejectionOf(store.set('b', bag('b')));
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
      await store.set('one', bag());
      expect((await rowsOf())[0]!.data).toContain('olleh');
      expect(await store.get('one')).toMatchObject({ word: 'hello' });
    });

    test('sessionModelName names another model', async () => {
      await open({ sessionModelName: 'visit' }).set('one', bag());
      expect(await rowsOf('visit')).toHaveLength(1);
      expect(await rowsOf()).toEqual([]);
    });

    test('those that allow calls at the same time are taken, and change nothing', async () => {
      const store = open({
        enableConcurrentSetInvocationsForSameSessionID: true,
        enableConcurrentTouchInvocationsForSameSessionID: true,
      });
      await Promise.all([store.set('one', bag('a')), store.set('one', bag('b'))]);
      expect(await store.get('one')).toMatchObject({ word: 'b' });
    });

    test('dispose hears of everything that is dropped, and of what is overwritten if it may', async () => {
      const dropped: string[] = [];
      const dispose: Options['dispose'] = (sid, { word }) => dropped.push(`${sid} ${word}`);
      const heard = () => dropped.splice(0);
      const store = open({ dispose });
      await store.set('a', bag('first'));
      await store.set('a', bag('second'));
      expect(heard()).toEqual(['a first']);
      await store.destroy(['a', 'never']);
      expect(heard()).toEqual(['a second']);
      const quiet = open({ dispose, noDisposeOnSet: true });
      await quiet.set('b', bag('first'));
      await quiet.set('b', bag('second', MINUTE_MS));
      expect(heard()).toEqual([]);
      await quiet.set('c', bag('third', MINUTE_MS));
      clock.advance(MINUTE_MS);
      expect(await quiet.get('b')).toBeNull();
      expect(heard()).toEqual(['b second']);
      expect(await quiet.prune()).toBe(1);
      expect(heard()).toEqual([`${storedSid('c')} third`]);
      await quiet.set('d', bag('last'));
      await quiet.clear();
      expect(heard()).toEqual([`${storedSid('d')} last`]);
    });

    test('a dispose that throws undoes nothing, and is logged', async () => {
      const error = vi.fn();
      const store = open({
        logger: { error },
        dispose() {
          throw new Error('no');
        },
      });
      await store.set('a', bag());
      await store.destroy('a');
      expect(await rowsOf()).toEqual([]);
      expect(error).toHaveBeenCalledOnce();
    });

    test('stale hands out what has run out, once, however many ask', async () => {
      const store = open({ stale: true });
      await store.set('one', bag('old', MINUTE_MS));
      clock.advance(MINUTE_MS);
      const answers = await Promise.all([store.get('one'), store.get('one'), open().get('one')]);
      const handedOut = answers.filter((answer) => answer !== null);
      expect(handedOut.length).toBeLessThanOrEqual(1);
      expect(await rowsOf()).toEqual([]);
      await store.set('two', bag('old', MINUTE_MS));
      clock.advance(MINUTE_MS);
      const stale = (await store.get('two'))!;
      expect(stale).toMatchObject({ word: 'old' });
      expect(await store.get('two')).toBeNull();
      // It can be read, and not be saved.
      await expect(store.set('two', stale)).rejects.toThrow(SessionEndedError);
    });
  });

  describe('session ids', () => {
    test('are stored as their SHA-256, and nothing in the row tells them', async () => {
      await open({ dbRecordIdIsSessionId: true }).set('a secret id', bag());
      const hash = createHash('sha256').update('a secret id').digest('base64url');
      const [row] = await rowsOf();
      expect(row!.sid).toBe(`sha256.${hash}`);
      expect(JSON.stringify(row)).not.toContain('a secret id');
    });

    test('what is stored is no session id', async () => {
      const store = open();
      await store.set('one', bag());
      expect(await store.get(storedSid('one'))).toBeNull();
      const plain = open({ storeSids: 'plain' });
      expect(await plain.get(storedSid('one'))).toBeNull();
      await store.touch(storedSid('one'), bag('', DAY_MS));
      expect((await rowsOf())[0]!.expiresAt.getTime()).toBe(clock.now().getTime() + HOUR_MS);
    });

    test('a row that an older library stored is found, moved over once, and the same from then on', async () => {
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

    test('twenty requests at once with such an id all find it, and a record id that was the sid goes', async () => {
      await plainRow('old', 'here', 'old');
      const stores = [open(), open()];
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => stores[index % 2]!.get('old')),
      );
      expect(answers.every((answer) => answer?.word === 'here')).toBe(true);
      expect(await rowsOf()).toMatchObject([{ id: storedSid('old'), sid: storedSid('old') }]);
    });

    test('a plain row can be touched and destroyed before it was ever read', async () => {
      await plainRow('one');
      await plainRow('two');
      const store = open();
      await store.touch('one', bag('', DAY_MS));
      await store.destroy('two');
      expect(await rowsOf()).toMatchObject([
        { sid: 'one', expiresAt: new Date(clock.now().getTime() + DAY_MS) },
      ]);
    });

    test('hashStoredSids moves all of them at once, and nobody is signed out', async () => {
      for (let count = 0; count < 12; count += 1) await plainRow(`old-${count}`, `w${count}`);
      await plainRow('also-the-record-id', 'w', 'also-the-record-id');
      const store = open();
      await store.set('new', bag());
      expect(await store.hashStoredSids()).toBe(13);
      expect(await store.hashStoredSids()).toBe(0);
      expect(JSON.stringify(await rowsOf())).not.toMatch(/"(old-|also)/);
      expect(await store.get('old-7')).toMatchObject({ word: 'w7' });
      expect(await store.get('also-the-record-id')).toMatchObject({ word: 'w' });
    });

    test('storeSids: plain stores them as they are, and finds both', async () => {
      const [hashed, plain] = [open(), open({ storeSids: 'plain' })];
      await plain.set('one', bag());
      expect((await rowsOf())[0]!.sid).toBe('one');
      expect(await plain.get('one')).not.toBeNull();
      expect((await rowsOf())[0]!.sid).toBe('one');
      await hashed.set('two', bag('two'));
      const two = (await plain.get('two'))!;
      await plain.set('two', { ...two, word: 'changed' } as SessionData);
      await plain.destroy('two');
      expect(await hashed.get('two')).toBeNull();
    });
  });

  describe('when the database is away', () => {
    const gone = new Error('connect ENOENT');
    (gone as Error & { code: string }).code = 'ENOENT';
    const away = Object.fromEntries(
      ['findMany', 'create', 'updateMany', 'deleteMany', 'count'].map((name) => [
        name,
        () => Promise.reject(gone),
      ]),
    );
    const calls: [string, (store: PrismaSessionStore, done?: () => void) => Promise<unknown>][] = [
      ['get', (store, done) => store.get('one', done)],
      ['set', (store, done) => store.set('one', bag(), done)],
      ['touch', (store, done) => store.touch('one', bag(), done)],
      ['destroy', (store, done) => store.destroy('one', done)],
      ['all', (store, done) => store.all(done)],
      ['ids', (store, done) => store.ids(done)],
      ['length', (store, done) => store.length(done)],
      ['clear', (store, done) => store.clear(done)],
      ['prune', (store, done) => store.prune(done)],
    ];

    test.each(calls)('%s says so, by promise and by callback', async (_name, call) => {
      const store = new PrismaSessionStore({ session: away } as never);
      const error = await rejectionOf(call(store));
      expect(error).toBeInstanceOf(SessionsUnavailableError);
      expect(error).toMatchObject({ status: 503, cause: gone });
      // express-session takes this code for "no such session".
      expect(error).not.toHaveProperty('code');
      const callback = vi.fn();
      await call(store, callback);
      await vi.waitFor(() => expect(callback).toHaveBeenCalledOnce(), PATIENCE);
      expect(callback.mock.calls[0]![0]).toBeInstanceOf(SessionsUnavailableError);
    });

    test('shutdown says what disconnecting said', async () => {
      const store = new PrismaSessionStore({
        session: away,
        $disconnect: () => Promise.reject(gone),
      } as never);
      await expect(store.shutdown()).rejects.toBe(gone);
    });

    test('data that cannot be read or written is an error too', async () => {
      await plainRow('broken');
      await prisma.session.updateMany({ where: {}, data: { data: '{"cookie"' } });
      await expect(open().get('broken')).rejects.toThrow(SessionsUnavailableError);
      const round = bag() as SessionData & { self?: unknown };
      round.self = round;
      await expect(open().set('round', round)).rejects.toThrow(TypeError);
    });
  });
});

describe('the interval', () => {
  const model = (prune: () => Promise<unknown[]>) =>
    ({ session: { findMany: prune, create: f, updateMany: f, deleteMany: f, count: f } }) as never;
  const f = () => Promise.resolve({ count: 0 });
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('prunes every checkPeriod, until it is stopped or shut down', async () => {
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

  test('is off unless it is asked for', async () => {
    const prune = vi.fn(() => Promise.resolve([]));
    new PrismaSessionStore(model(prune)).startInterval();
    await vi.advanceTimersByTimeAsync(DAY_MS);
    expect(prune).not.toHaveBeenCalled();
  });

  test.each([
    ['error by default', {}, ['error']],
    ['nothing when it is false', { logger: false as const }, []],
    ['nothing of that level', { loggerLevel: 'warn' as const }, []],
    ['one of several levels', { loggerLevel: ['log', 'error'] as const }, ['error']],
  ])('a prune that fails is logged: %s', async (_what, options, heard) => {
    const said: string[] = [];
    const logger = { error: () => said.push('error') };
    const onError = vi.fn();
    const store = new PrismaSessionStore(
      model(() => Promise.reject(new Error('away'))),
      { checkPeriod: 1000, logger, ...options },
    );
    store.startInterval(onError);
    await vi.advanceTimersByTimeAsync(1000);
    expect(said).toEqual(heard);
    expect(onError).toHaveBeenCalledOnce();
    store.stopInterval();
  });
});
