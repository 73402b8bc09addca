import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { SAFARI_ON_IPHONE, type BrowserLike } from '../fixtures/browser-like.ts';
import { listen, type ListeningBrowser } from '../fixtures/event-stream.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { openBrowser, signIn, signUp, type TestUser } from '../fixtures/users.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const PAGE = '/settings/sessions';

let application: TestApplication;
let user: TestUser;
const open: ListeningBrowser[] = [];
beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application);
});
afterEach(async () => {
  await Promise.all(
    open.splice(0).map((stream) => {
      stream.hangUp();
      return stream.ended;
    }),
  );
});
afterAll(() => application.close());

const listenAs = async (...[browser, options]: [BrowserLike, Parameters<typeof listen>[2]?]) => {
  const stream = await listen(application, browser, options);
  open.push(stream);
  return stream;
};
const tick = () => application.application.streams.tick(application.clock.now());
const rowOf = async (browser: BrowserLike) =>
  application.sql('SELECT * FROM Session WHERE id = ?', await sessionIdOf(browser));

test('an event stream has its content type, must not be cached and is not buffered', async () => {
  const stream = await listenAs(await signIn(application, user));
  expect(stream.status).toBe(200);
  expect(stream.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
  });
  expect(stream.headers['content-encoding']).toBeUndefined();
  expect(stream.headers['set-cookie']).toBeUndefined();
  await stream.until('event: expires');
  const retryMs = Number(/^retry: (\d+)$/m.exec(stream.received())![1]);
  expect(retryMs).toBeGreaterThanOrEqual(1000);
  expect(retryMs).toBeLessThanOrEqual(4000);
});

test('an event stream sends a heartbeat every 20 seconds, which does not touch the session', async () => {
  const browser = await signIn(application, user);
  const before = await rowOf(browser);
  const stream = await listenAs(browser);
  application.clock.advance(19 * SECOND_MS);
  tick();
  expect(stream.received()).not.toContain(': still here');
  application.clock.advance(SECOND_MS);
  tick();
  await stream.until(': still here');
  // Long enough for a request to touch the session.
  application.clock.advance(2 * MINUTE_MS);
  const again = await listenAs(browser);
  await again.until('event: expires');
  expect(await rowOf(browser)).toEqual(before);
});

test('ending a session sends its reason to the stream and closes the stream', async () => {
  const phone = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
  const stream = await listenAs(phone);
  await user.browser.post('/confirm', { password: user.password, redirectTo: PAGE });
  await user.browser.post(`${PAGE}/${await sessionIdOf(phone)}/sign-out`, {});
  await stream.ended;
  expect(stream.events().at(-1)).toEqual({
    event: 'ended',
    data: '{"reason":"signed-out-elsewhere"}',
  });
  // The login page then shows the same reason as a message.
  expect((await phone.get('/login')).text).toContain('You were signed out from another device.');
});

test('signing out closes all event streams of that browser', async () => {
  const browser = await signIn(application, user);
  const streams = [await listenAs(browser), await listenAs(browser)];
  await browser.post('/logout', {});
  for (const stream of streams) {
    await stream.ended;
    expect(stream.events().at(-1)).toEqual({ event: 'ended', data: '{"reason":"signed-out"}' });
  }
});

test('signing out everywhere else closes the other streams and sends one event to this one', async () => {
  const owner = await signUp(application);
  const others = [];
  for (let count = 0; count < 5; count += 1) {
    others.push(await listenAs(await signIn(application, owner)));
  }
  const stream = await listenAs(owner.browser);
  await owner.browser.post(`${PAGE}/others/sign-out`, {});
  await Promise.all(others.map(({ ended }) => ended));
  await stream.until('event: sessions');
  expect(stream.events().map(({ event }) => event)).toEqual(['expires', 'sessions']);
});

test('a sign-in, a new name and a sign-out each send an event to their user only', async () => {
  const [owner, stranger] = [await signUp(application), await signUp(application)];
  const ownerStream = await listenAs(owner.browser);
  const strangerStream = await listenAs(stranger.browser);
  const phone = await signIn(application, owner);
  const phoneId = await sessionIdOf(phone);
  await ownerStream.until('event: sessions\ndata: 1\n');
  await owner.browser.post(`${PAGE}/${phoneId}/name`, { label: 'Kitchen iPad' });
  await ownerStream.until('event: sessions\ndata: 2\n');
  await phone.post('/logout', {});
  await ownerStream.until('event: sessions\ndata: 3\n');
  // By now the stranger would have received the events of the owner.
  await signIn(application, stranger);
  await strangerStream.until('event: sessions');
  expect(strangerStream.events().map(({ event, data }) => [event, data])).toEqual([
    ['expires', expect.anything()],
    ['sessions', '1'],
  ]);
  expect(ownerStream.received()).not.toContain('Kitchen');
  expect(ownerStream.received()).not.toContain(phoneId);
});

test('a stream ends only if the row is revoked, even by a direct write to the database', async () => {
  const owner = await signUp(application);
  const stream = await listenAs(owner.browser);
  const id = await sessionIdOf(owner.browser);
  await owner.browser.post(`${PAGE}/${id}/name`, { label: 'Kitchen iPad' });
  await stream.until('event: sessions\ndata: 1\n');
  expect(stream.received()).not.toContain('event: ended');
  application.sql(
    'UPDATE Session SET revokedAt = ?, revokedReason = ? WHERE id = ?',
    ...[application.clock.now().getTime(), 'administrator', id],
  );
  await stream.until('{"reason":"administrator"}');
  await stream.ended;
});

test('deleting a session directly in the database sends an event to the other sessions', async () => {
  const owner = await signUp(application);
  const phone = await signIn(application, owner);
  const stream = await listenAs(owner.browser);
  application.sql('DELETE FROM Session WHERE id = ?', await sessionIdOf(phone));
  await stream.until('event: sessions');
});

test('a deleted session ends with "unknown", and a rotated token only needs to reconnect', async () => {
  const owner = await signUp(application);
  const phone = await signIn(application, owner);
  const erased = await listenAs(phone);
  const renewed = await listenAs(owner.browser);
  await owner.browser.post('/confirm', { password: owner.password, redirectTo: PAGE });
  await renewed.ended;
  expect(renewed.received()).not.toContain('event: ended');
  expect((await listenAs(owner.browser)).status).toBe(200);

  const id = await sessionIdOf(phone);
  application.sql('DELETE FROM Session WHERE id = ?', id);
  await erased.until('event: ended\ndata: {"reason":"unknown"}');
});

test('a stream sends the expiry at first, near the expiry and after the session was extended', async () => {
  const owner = await signUp(application);
  const stream = await listenAs(owner.browser);
  await stream.until('event: expires');
  const [first] = stream.events();
  expect(JSON.parse(first!.data)).toEqual({
    at: new Date(application.clock.now().getTime() + HOUR_MS).toISOString(),
    leftMs: HOUR_MS,
    canStay: true,
  });
  application.clock.advance(58 * MINUTE_MS);
  tick();
  await stream.until(`"leftMs":${2 * MINUTE_MS}`);

  const stay = await owner.browser.post('/session/stay', {}, { headers: { Accept: '*/*' } });
  expect(JSON.parse(stay.text)).toEqual({ leftMs: HOUR_MS, canStay: true });
  application.clock.advance(10 * SECOND_MS);
  tick();
  await stream.until(`"leftMs":${HOUR_MS - 10 * SECOND_MS}`);

  application.clock.advance(HOUR_MS);
  tick();
  await stream.until('event: ended\ndata: {"reason":"expired"}');
  await stream.ended;
});

test('a session near its absolute lifetime cannot be extended', async () => {
  const owner = await signUp(application);
  for (let hours = 0; hours < 23.5; hours += 0.5) {
    application.clock.advance(HOUR_MS / 2);
    await owner.browser.get('/');
  }
  const stream = await listenAs(owner.browser);
  await stream.until(`"leftMs":${HOUR_MS / 2},"canStay":false`);
});

describe('refused event streams', () => {
  test.each([
    ['a visitor', 'unknown', async () => openBrowser(application)],
    [
      'a browser with an unknown token',
      'unknown',
      async () => {
        const browser = openBrowser(application);
        await browser.plantToken(`${'a'.repeat(20)}.${'A'.repeat(43)}`);
        return browser;
      },
    ],
    [
      'a device that was signed out',
      'password-changed',
      async () => {
        const browser = await signIn(application, user);
        const [row] = application.sql<{ userId: string }>(
          'SELECT userId FROM Session WHERE id = ?',
          await sessionIdOf(browser),
        );
        const { sessions } = application.application;
        const ending = { reason: 'password-changed', by: null } as const;
        await sessions.revokeOthers(row!.userId, null, ending, application.clock.now());
        return browser;
      },
    ],
  ])('%s gets a 204, so that it does not reconnect', async (_who, reason, make) => {
    const stream = await listenAs(await make());
    expect(stream.status).toBe(204);
    expect(stream.headers['session-ended']).toBe(reason);
    expect(stream.headers['cache-control']).toBe('no-store');
  });

  test.each<[string, Record<string, string>]>([
    ['another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }],
    [
      'another site in a browser without Sec-Fetch-Site',
      { 'Sec-Fetch-Site': '', Origin: 'https://evil.example' },
    ],
    ['a sibling subdomain', { 'Sec-Fetch-Site': 'same-site' }],
    ['a typed URL', { 'Sec-Fetch-Site': 'none' }],
  ])('a stream requested by %s gets a 403 without a database statement', async (_who, headers) => {
    const statements = application.statements.length;
    const stream = await listenAs(user.browser, { headers });
    expect(stream.status).toBe(403);
    expect(application.statements.length).toBe(statements);
  });

  test('a session can have 20 event streams, and another one only after one of them ended', async () => {
    const owner = await signUp(application);
    const streams = await Promise.all(Array.from({ length: 20 }, () => listenAs(owner.browser)));
    expect(streams.map(({ status }) => status)).toEqual(Array(20).fill(200));
    const refused = await listenAs(owner.browser);
    expect(refused.status).toBe(503);
    expect(refused.headers['retry-after']).toBe('10');
    const { streams: eventStreams } = application.application;
    const count = eventStreams.count();
    streams[0]!.hangUp();
    await expect.poll(() => eventStreams.count()).toBe(count - 1);
    expect((await listenAs(owner.browser)).status).toBe(200);
  });

  test('HEAD answers whether the session is live, and opens no stream', async () => {
    const owner = await signUp(application);
    const head = await listenAs(owner.browser, { method: 'HEAD' });
    expect(head.status).toBe(200);
    await head.ended;
    await owner.browser.post('/logout', {});
    expect((await listenAs(owner.browser, { method: 'HEAD' })).status).toBe(204);
  });
});

test('streams beyond EVENT_STREAMS_IN_ALL get a 503, and streams do not delay a shutdown', async () => {
  const small = await startApplication({ env: { EVENT_STREAMS_IN_ALL: '2' } });
  const owner = await signUp(small);
  const streams = [await listen(small, owner.browser), await listen(small, owner.browser)];
  const refused = await listen(small, owner.browser);
  expect(refused.status).toBe(503);
  expect(refused.headers['retry-after']).toBe('10');
  await small.close();
  // Connections that delay a shutdown are cut after a time limit, which is logged.
  expect(small.logged.map(({ msg }) => msg).join()).not.toContain('connections were cut');
  for (const stream of streams) {
    await stream.ended;
    // A shutdown signs no user out.
    expect(stream.received()).not.toContain('event: ended');
  }
});

test('a reload that an event caused does not touch the session', async () => {
  const browser = await signIn(application, user);
  const before = await rowOf(browser);
  application.clock.advance(2 * MINUTE_MS);
  expect((await browser.get(`${PAGE}.data?live=`)).status).toBe(200);
  expect(await rowOf(browser)).toEqual(before);
  await browser.get(`${PAGE}.data`);
  expect(await rowOf(browser)).not.toEqual(before);
});

test('extending the session works without scripts, and redirects back to the page', async () => {
  const browser = await signIn(application, user);
  const { status, location } = await browser.post('/session/stay', {}, { from: '/settings/data' });
  expect([status, location]).toEqual([302, '/settings/data']);
});
