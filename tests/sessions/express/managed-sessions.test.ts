import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import session, { type SessionData } from 'express-session';
import { openDatabase, type Database } from '../../../app/database/database.server.ts';
import { EmptyDatabases, PROVIDERS } from '../../database/providers.ts';
import { TestClock } from '../../fixtures/application.ts';
import { FIREFOX_ON_MAC, type BrowserLike } from '../../fixtures/browser-like.ts';
import { serveExpress, type ExpressServer } from '../../fixtures/express-server.ts';
import { generateSid } from '../../../app/sessions/express/application-token.ts';
import {
  managedSessions,
  type ManagedSettings,
  type ManagedStoreOptions,
} from '../../../app/sessions/express/managed-session-store.ts';
import {
  NobodysSessionError,
  SessionEndedError,
  SessionNotRenewedError,
  SessionsUnavailableError,
} from '../../../app/sessions/express/store-errors.ts';
import { HOUR_MS } from '../../../app/sessions/session.ts';
import { Sessions } from '../../../app/sessions/sessions.ts';
import { prismaSessionStore } from '../../../app/sessions/stores/prisma.ts';
import { PATIENCE } from '../../fixtures/patience.ts';

const quiet = { info: () => undefined, warn: () => undefined };
const databases = new EmptyDatabases();
afterAll(() => databases.close());

const json = async (browser: BrowserLike, path: string) => {
  const answer = await browser.get(path);
  expect(answer.status, answer.text).toBe(200);
  return JSON.parse(answer.text) as { word: string | null; userId: string | null };
};

describe.each(PROVIDERS)(
  'an Express application on the table of all sessions, on %s',
  (provider) => {
    let database: Database;
    let sessions: Sessions;
    let server: ExpressServer;
    let settings: ManagedSettings;
    const clock = new TestClock();
    const managed = (options: Partial<ManagedStoreOptions> = {}) =>
      managedSessions({
        prisma: database.client,
        sessions,
        clock: clock.now,
        isHttps: false,
        application: 'Back office',
        userIdFrom: ({ userId }) => userId,
        ...options,
      });
    const serve = async (options: Partial<ManagedStoreOptions> = {}) => {
      settings = managed(options);
      server = await serveExpress(settings);
    };
    const signedIn = async (userId = 'ann', options = {}) => {
      const browser = server.browser(options);
      await json(browser, `/sign-in/${userId}`);
      return browser;
    };
    /** Waits, because the errors come after the response. */
    const errorsAre = (...kinds: (new (...args: never[]) => Error)[]) =>
      vi.waitFor(
        () => expect(server.errors).toEqual(kinds.map((kind): unknown => expect.any(kind))),
        PATIENCE,
      );
    const liveOf = async (userId: string) => (await sessions.list(userId, clock.now())).live;

    beforeAll(async () => {
      const { url } = await databases.make(provider);
      database = await openDatabase({ databaseUrl: url, log: quiet });
      const { client } = database;
      sessions = new Sessions({ store: prismaSessionStore({ client, provider }) });
      for (const id of ['ann', 'bob']) {
        await client.user.create({ data: { id, email: `${id}@example.com`, name: id } });
      }
    });
    afterEach(async () => {
      await server.close();
      await database.client.session.deleteMany();
    });
    afterAll(() => database.close());

    test('a session is a row of its user, with the name of the application and the device', async () => {
      await serve();
      const browser = await signedIn('ann', { userAgent: FIREFOX_ON_MAC });
      await json(browser, '/say/hello');
      expect(await json(browser, '/')).toMatchObject({ userId: 'ann', word: 'hello' });
      const [row, ...more] = await liveOf('ann');
      expect(more).toEqual([]);
      expect(row).toMatchObject({
        userId: 'ann',
        userAgent: FIREFOX_ON_MAC,
        ipAddress: '127.0.0.1',
        remember: false,
        meta: { application: 'Back office' },
        createdAt: clock.now(),
      });
      expect(await liveOf('bob')).toEqual([]);
      expect(server.errors).toEqual([]);
    });

    test('managedSessions returns safe settings with a cookie named after the application', async () => {
      await serve();
      expect(settings.name).toBe('back-office-session');
      expect(managed({ application: 'Back office' }).cookie).toEqual({
        httpOnly: true,
        sameSite: 'lax',
        path: '/',
        secure: false,
      });
      const overHttps = managedSessions({
        prisma: database.client,
        sessions,
        isHttps: true,
        application: 'Shop & till',
        userIdFrom: () => null,
      });
      expect(overHttps).toMatchObject({
        name: '__Host-shop-till-session',
        cookie: { secure: true },
        resave: false,
        saveUninitialized: false,
        unset: 'keep',
      });
      expect(() => managed({ application: ' ' })).toThrow(TypeError);
    });

    test('a session that is revoked in Latchkey ends at once, and a late write does not restore it', async () => {
      await serve();
      const browser = await signedIn();
      const late = browser.get('/slow/late');
      await vi.waitFor(() => expect(server.waiting).toHaveLength(1), PATIENCE);
      const [row] = await liveOf('ann');
      await sessions.revoke(
        row!.id,
        { reason: 'signed-out-elsewhere', userId: 'ann' },
        clock.now(),
      );
      server.waiting.shift()!();
      expect((await late).status).toBe(200);
      await errorsAre(SessionEndedError);
      expect(await json(browser, '/')).toMatchObject({ userId: null, word: null });
      expect(await liveOf('ann')).toEqual([]);
      // The next prune deletes its data. Its row stays.
      expect(await settings.store.prune()).toBe(1);
      expect(await database.client.expressSession.count()).toBe(0);
      expect(await database.client.session.count()).toBe(1);
    });

    test('a sign-out in the Express application revokes the session', async () => {
      await serve();
      for (const path of ['/sign-out', '/forget']) {
        const browser = await signedIn();
        await json(browser, path);
        expect(await json(browser, '/')).toMatchObject({ userId: null });
        expect(await liveOf('ann')).toEqual([]);
      }
      const rows = await database.client.session.findMany();
      expect(new Set(rows.map(({ revokedReason }) => revokedReason))).toEqual(
        new Set(['signed-out']),
      );
      expect(await database.client.expressSession.count()).toBe(0);
      expect(server.errors).toEqual([]);
    });

    test('a managed session has the idle timeout and the lifetime of the engine', async () => {
      await serve();
      const browser = await signedIn();
      for (let hours = 0; hours < 23; hours += 1) {
        clock.advance(HOUR_MS - 1);
        expect(await json(browser, '/')).toMatchObject({ userId: 'ann' });
      }
      clock.advance(HOUR_MS);
      expect(await json(browser, '/')).toMatchObject({ userId: null });
      const idle = await signedIn();
      clock.advance(HOUR_MS);
      expect(await json(idle, '/')).toMatchObject({ userId: null });
    });

    test('a sign-in under an existing session id is refused (session fixation)', async () => {
      await serve({ anonymous: new session.MemoryStore() });
      const browser = server.browser();
      await json(browser, '/say/cart');
      expect(await json(browser, '/')).toMatchObject({ word: 'cart', userId: null });
      await browser.get('/become/ann');
      await errorsAre(SessionNotRenewedError);
      expect(await json(browser, '/')).toMatchObject({ word: 'cart', userId: null });
      expect(await liveOf('ann')).toEqual([]);
      // A new id is required, for a sign-in and for a change of the user.
      await json(browser, '/sign-in/ann');
      expect(await json(browser, '/')).toMatchObject({ userId: 'ann', word: null });
      await browser.get('/become/bob');
      expect(await json(browser, '/')).toMatchObject({ userId: 'ann' });
      expect(await liveOf('bob')).toEqual([]);
    });

    test('saving a session without a user and without an anonymous store is an error with a remedy', async () => {
      await serve();
      const browser = server.browser();
      await browser.get('/say/cart');
      await errorsAre(NobodysSessionError);
      expect(server.errors[0]!.message).toContain('anonymous');
      expect(await database.client.session.count()).toBe(0);
    });

    test('applications that share the table do not accept session ids of each other', async () => {
      await serve();
      const browser = await signedIn();
      const cookie = (await browser.jar.getCookies(browser.origin))[0]!.value;
      const sid = /^s:([^.]+\.[^.]+)\./.exec(decodeURIComponent(cookie))![1]!;
      expect(await sessions.resume(sid, clock.now())).toEqual({ state: 'unknown' });
      expect(await managed({ application: 'Shop' }).store.get(sid)).toBeNull();
      expect(await settings.store.get(sid)).toMatchObject({ userId: 'ann' });
      const { token } = await sessions.start({ userId: 'ann' }, clock.now());
      expect(await settings.store.get(token)).toBeNull();
      await settings.store.destroy(token);
      expect(await sessions.resume(token, clock.now())).toMatchObject({ state: 'live' });
      // The tables do not contain the secret.
      const rows = JSON.stringify([
        await database.client.session.findMany(),
        await database.client.expressSession.findMany(),
      ]);
      expect(rows).not.toContain(sid.split('.')[1]);
    });

    test('all, ids, length and clear include only sessions of this application', async () => {
      await serve();
      const shop = managed({ application: 'Shop' });
      const data = (userId: string) =>
        ({ cookie: { path: '/' }, userId }) as unknown as SessionData;
      await shop.store.set(generateSid(), data('ann'));
      await sessions.start({ userId: 'ann' }, clock.now());
      await signedIn('ann');
      await signedIn('bob');
      const { store } = settings;
      expect(await store.length()).toBe(2);
      const ids = await store.ids();
      expect(Object.keys(await store.all())).toEqual(ids);
      expect(
        Object.values(await store.all())
          .map(({ userId }) => userId)
          .sort(),
      ).toEqual(['ann', 'bob']);
      await store.destroy(ids[0]!);
      expect(await store.length()).toBe(1);
      await store.clear();
      expect(await store.length()).toBe(0);
      expect(await shop.store.length()).toBe(1);
      expect(await liveOf('ann')).toHaveLength(2);
    });

    test('set refuses a foreign id, maxAge means "remember me", and touch counts as activity', async () => {
      await serve();
      const { store } = settings;
      const data = { cookie: { originalMaxAge: HOUR_MS }, userId: 'ann' } as unknown as SessionData;
      await expect(store.set('made-by-uid-safe', data)).rejects.toThrow(/genid/);
      expect(await store.get('made-by-uid-safe')).toBeNull();
      const sid = generateSid();
      await store.set(sid, data);
      clock.advance(HOUR_MS);
      await store.touch(sid, { ...data });
      const [row] = await liveOf('ann');
      expect(row).toMatchObject({ remember: true, lastSeenAt: clock.now() });
      await store.shutdown();
    });

    test('an outage of the database answers 503 and signs no user out', async () => {
      await serve();
      const browser = await signedIn();
      for (const table of ['Session', 'ExpressSession']) {
        await database.client.$executeRawUnsafe(`ALTER TABLE "${table}" RENAME TO "Away"`);
        const answer = await browser.get('/');
        await database.client.$executeRawUnsafe(`ALTER TABLE "Away" RENAME TO "${table}"`);
        expect(answer.status).toBe(503);
        expect(server.errors.at(-1)).toBeInstanceOf(SessionsUnavailableError);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
      expect(await json(browser, '/')).toMatchObject({ userId: 'ann' });
    });

    test('a session ends if its data cannot be written', async () => {
      await serve();
      await database.client.$executeRawUnsafe(`ALTER TABLE "ExpressSession" RENAME TO "Away"`);
      await server.browser().get('/sign-in/ann');
      await database.client.$executeRawUnsafe(`ALTER TABLE "Away" RENAME TO "ExpressSession"`);
      await errorsAre(SessionsUnavailableError);
      expect(await liveOf('ann')).toEqual([]);
    });
  },
);
