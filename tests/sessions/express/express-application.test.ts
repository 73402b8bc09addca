import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { SessionOptions } from 'express-session';
import { EmptyDatabases, PROVIDERS } from '../../database/providers.ts';
import { TestClock } from '../../fixtures/application.ts';
import type { BrowserLike } from '../../fixtures/browser-like.ts';
import {
  openExistingApplication,
  type ExistingClient,
} from '../../fixtures/existing-application.ts';
import { serveExpress, signedSid, type ExpressServer } from '../../fixtures/express-server.ts';
import type { SessionRow } from '../../../app/sessions/express/session-model.ts';
import {
  PrismaSessionStore,
  type PrismaSessionStoreOptions,
} from '../../../app/sessions/express/prisma-session-store.ts';
import { SessionEndedError } from '../../../app/sessions/express/store-errors.ts';
import { storedSid } from '../../../app/sessions/express/stored-sid.ts';
import { HOUR_MS, MINUTE_MS } from '../../../app/sessions/session.ts';
import { PATIENCE } from '../../fixtures/patience.ts';

const databases = new EmptyDatabases();
afterAll(() => databases.close());

const json = async (browser: BrowserLike, path: string) => {
  const answer = await browser.get(path);
  expect(answer.status, answer.text).toBe(200);
  return JSON.parse(answer.text) as {
    word: string | null;
    userId: string | null;
    hasSession: boolean;
  };
};
const wordOf = async (browser: BrowserLike) => (await json(browser, '/')).word;

describe.each(PROVIDERS)('an Express application on its own model, on %s', (provider) => {
  let prisma: ExistingClient;
  let server: ExpressServer;
  let store: PrismaSessionStore;
  let writes: string[];
  const clock = new TestClock();
  const rowsOf = () => prisma.session.findMany({}) as Promise<SessionRow[]>;
  /** Returns the client with a record of its writes. */
  const watchedClient = () => ({
    $disconnect: () => Promise.resolve(),
    session: new Proxy(prisma.session, {
      get(target, name) {
        const own = Reflect.get(target, name) as (args: unknown) => unknown;
        return (args: { data?: object }) => {
          if (args.data) writes.push(`${String(name)} ${Object.keys(args.data).sort().join(' ')}`);
          return own.call(target, args);
        };
      },
    }),
  });
  const serve = async (
    settings: Omit<SessionOptions, 'secret'> = {},
    { trustProxy, ...options }: PrismaSessionStoreOptions & { trustProxy?: boolean } = {},
  ) => {
    store = new PrismaSessionStore(watchedClient(), { clock: clock.now, ...options });
    const allSettings = { store, cookie: { maxAge: HOUR_MS }, ...settings };
    server = await serveExpress(allSettings, { trustProxy });
    return server;
  };

  beforeAll(async () => {
    const empty = await databases.make(provider);
    prisma = await openExistingApplication(provider, empty.url);
  });
  beforeEach(() => {
    writes = [];
  });
  afterEach(async () => {
    await server.close();
    await store.shutdown();
    await prisma.session.deleteMany({});
  });
  afterAll(() => prisma.$disconnect());

  test('each browser keeps its own session over its requests', async () => {
    await serve();
    const [ann, bob] = [server.browser(), server.browser()];
    await json(ann, '/say/hello');
    await json(bob, '/say/goodbye');
    expect(await wordOf(ann)).toBe('hello');
    expect(await wordOf(bob)).toBe('goodbye');
    await json(ann, '/say/changed');
    expect(await wordOf(ann)).toBe('changed');
    expect(await rowsOf()).toHaveLength(2);
    expect(server.errors).toEqual([]);
  });

  test('twenty concurrent requests of one browser keep its session', async () => {
    await serve();
    const browser = server.browser();
    await json(browser, '/say/hello');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => json(browser, index % 2 ? `/say/${index}` : '/')),
    );
    expect(answers.every(({ word }) => word !== null)).toBe(true);
    expect(await rowsOf()).toHaveLength(1);
    expect(server.errors).toEqual([]);
  });

  test('a session of the older library stays signed in, and its stored id is hashed', async () => {
    await serve();
    const sid = 'Xm4fUe0CqY9jZ2kPpQ1rT6wBvN8sLdGh';
    const data = { cookie: { originalMaxAge: HOUR_MS, expires: null, path: '/' }, word: 'before' };
    await prisma.session.create({
      data: {
        id: sid,
        sid,
        data: JSON.stringify(data),
        expiresAt: new Date(clock.now().getTime() + HOUR_MS),
      },
    });
    const browser = server.browser();
    await browser.plantToken(signedSid(sid), 'connect.sid');
    expect(await wordOf(browser)).toBe('before');
    expect(await wordOf(browser)).toBe('before');
    await json(browser, '/say/after');
    expect(await wordOf(browser)).toBe('after');
    const rows = await rowsOf();
    expect(rows).toMatchObject([{ sid: storedSid(sid) }]);
    expect(JSON.stringify(rows)).not.toContain(sid);
  });

  test('the store accepts neither an id that was never issued nor a stored hash', async () => {
    await serve({ saveUninitialized: true });
    const ann = server.browser();
    await json(ann, '/say/hello');
    const [row] = await rowsOf();
    for (const sid of ['planted-by-an-attacker', row!.sid]) {
      const browser = server.browser();
      await browser.plantToken(signedSid(sid), 'connect.sid');
      expect(await wordOf(browser)).toBeNull();
      const sids = (await rowsOf()).map((stored) => stored.sid);
      expect(sids).not.toContain(storedSid(sid));
    }
  });

  describe('rolling', () => {
    test('rolling: false extends the row with every request, and sends the cookie once', async () => {
      await serve({ rolling: false });
      const browser = server.browser();
      await json(browser, '/say/hello');
      clock.advance(30 * MINUTE_MS);
      const answer = await browser.get('/');
      expect(answer.headers['set-cookie']).toBeUndefined();
      expect(writes).toEqual(['create data expiresAt id sid', 'updateMany expiresAt']);
      clock.advance(59 * MINUTE_MS);
      expect(await wordOf(browser)).toBe('hello');
    });

    test('rolling: true sends the cookie with every response', async () => {
      await serve({ rolling: true });
      const browser = server.browser();
      await json(browser, '/say/hello');
      const answer = await browser.get('/');
      expect(answer.headers['set-cookie']).toHaveLength(1);
    });

    test('a session without requests expires', async () => {
      await serve();
      const browser = server.browser();
      await json(browser, '/say/hello');
      clock.advance(HOUR_MS + MINUTE_MS);
      expect(await wordOf(browser)).toBeNull();
      expect(await rowsOf()).toEqual([]);
    });
  });

  test.each([
    [true, 'updateMany data expiresAt'],
    [false, 'updateMany expiresAt'],
  ])('with resave %s, a request that changes nothing writes "%s"', async (resave, write) => {
    await serve({ resave });
    const browser = server.browser();
    await json(browser, '/say/hello');
    writes = [];
    await json(browser, '/');
    expect(writes).toEqual([write]);
  });

  test.each([
    [true, 1],
    [false, 0],
  ])(
    'with saveUninitialized %s, a request that saves nothing leaves %d rows',
    async (saveUninitialized, count) => {
      await serve({ saveUninitialized });
      const answer = await server.browser().get('/');
      expect(await rowsOf()).toHaveLength(count);
      expect(answer.headers['set-cookie'] ?? []).toHaveLength(count);
    },
  );

  test('regenerate creates a new id, and the old id is not accepted', async () => {
    await serve();
    const [browser, old] = [server.browser(), server.browser()];
    await json(browser, '/say/hello');
    const before = (await browser.jar.getCookies(browser.origin))[0]!.value;
    await json(browser, '/sign-in/ann');
    expect(await json(browser, '/')).toMatchObject({ userId: 'ann', word: null });
    await old.plantToken(before, 'connect.sid');
    expect(await json(old, '/')).toMatchObject({ userId: null, word: null });
    expect(await rowsOf()).toHaveLength(1);
  });

  test('reload returns the changes that another request saved meanwhile', async () => {
    await serve();
    const browser = server.browser();
    await json(browser, '/say/first');
    const reloading = json(browser, '/reload');
    await vi.waitFor(() => expect(server.waiting).toHaveLength(1), PATIENCE);
    await json(browser, '/say/second');
    server.waiting.shift()!();
    expect((await reloading).word).toBe('second');
    expect(await wordOf(browser)).toBe('second');
  });

  test('a request can call save twice', async () => {
    await serve();
    const browser = server.browser();
    await json(browser, '/save-twice');
    expect(await wordOf(browser)).toBe('second');
  });

  test('a request that ends after the sign-out does not restore the session', async () => {
    await serve();
    for (const path of ['/slow/late', '/slow']) {
      const browser = server.browser();
      await json(browser, '/say/hello');
      const late = browser.get(path);
      await vi.waitFor(() => expect(server.waiting).toHaveLength(1), PATIENCE);
      await json(browser, '/sign-out');
      server.waiting.shift()!();
      expect((await late).status).toBe(200);
      expect(await rowsOf()).toEqual([]);
      expect(await wordOf(browser)).toBeNull();
    }
    // Only the failed save is an error. A late touch is not.
    await vi.waitFor(
      () => expect(server.errors).toEqual([expect.any(SessionEndedError)]),
      PATIENCE,
    );
  });

  test('unset: destroy ends an unset session, and unset: keep does not', async () => {
    for (const unset of ['destroy', 'keep'] as const) {
      await serve({ unset });
      const browser = server.browser();
      await json(browser, '/say/hello');
      await json(browser, '/unset');
      expect(await wordOf(browser)).toBe(unset === 'keep' ? 'hello' : null);
      await server.close();
    }
  });

  test('secure: auto follows X-Forwarded-Proto behind a trusted proxy', async () => {
    await serve({ cookie: { secure: 'auto' } }, { trustProxy: true });
    const cookieOver = async (scheme: string) => {
      const headers = { 'X-Forwarded-Proto': scheme };
      const answer = await server.browser().get('/say/hello', { headers });
      return answer.headers['set-cookie']![0]!;
    };
    expect(await cookieOver('https')).toMatch(/; Secure/);
    expect(await cookieOver('http')).not.toMatch(/; Secure/);
  });

  test('secure: true sends no cookie over plain HTTP', async () => {
    await serve({ cookie: { secure: true } });
    const answer = await server.browser().get('/say/hello');
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  test('express-session serves requests without a session between "disconnect" and "connect"', async () => {
    await serve();
    const browser = server.browser();
    await json(browser, '/say/hello');
    store.emit('disconnect');
    expect(await json(browser, '/')).toMatchObject({ hasSession: false });
    store.emit('connect');
    expect(await json(browser, '/')).toMatchObject({ hasSession: true, word: 'hello' });
  });

  test.each(['keep', 'destroy'] as const)(
    'an outage of the database answers 503 and signs no user out (unset: %s)',
    async (unset) => {
      await serve({ unset });
      const browser = server.browser();
      await json(browser, '/say/hello');
      await prisma.$executeRawUnsafe('ALTER TABLE "Session" RENAME TO "Away"');
      for (const path of ['/', '/say/other', '/sign-out']) {
        const answer = await browser.get(path);
        expect([answer.status, answer.text]).toEqual([503, 'StoreUnavailableError']);
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
      await prisma.$executeRawUnsafe('ALTER TABLE "Away" RENAME TO "Session"');
      expect(await wordOf(browser)).toBe('hello');
      await json(browser, '/sign-out');
      expect(await rowsOf()).toEqual([]);
    },
  );

  test('a request that could not read its session does not end the session after the outage', async () => {
    await serve({ unset: 'destroy' });
    const browser = server.browser();
    await json(browser, '/say/hello');
    server.whenAway = () => prisma.$executeRawUnsafe('ALTER TABLE "Away" RENAME TO "Session"');
    await prisma.$executeRawUnsafe('ALTER TABLE "Session" RENAME TO "Away"');
    expect((await browser.get('/')).status).toBe(503);
    expect(await wordOf(browser)).toBe('hello');
  });

  test('a failed save reaches the error handler, and the session stays unchanged', async () => {
    await serve();
    const browser = server.browser();
    await json(browser, '/say/hello');
    const late = browser.get('/slow/lost');
    await vi.waitFor(() => expect(server.waiting).toHaveLength(1), PATIENCE);
    await prisma.$executeRawUnsafe('ALTER TABLE "Session" RENAME TO "Away"');
    server.waiting.shift()!();
    await late;
    await vi.waitFor(() => expect(server.errors).toHaveLength(1), PATIENCE);
    await prisma.$executeRawUnsafe('ALTER TABLE "Away" RENAME TO "Session"');
    expect(server.errors[0]).toMatchObject({ name: 'StoreUnavailableError', status: 503 });
    expect(await wordOf(browser)).toBe('hello');
  });
});
