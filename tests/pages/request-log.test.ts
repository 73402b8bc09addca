import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { escapeControlCharacters } from '#app/operations/observe-requests.server.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import type { Answer } from '../fixtures/browser-like.ts';
import { openBrowser, signUp, type TestUser } from '../fixtures/users.ts';
import { PATIENCE } from '../fixtures/patience.ts';

const LOG_INFO = 30;
const LOG_DEBUG = 20;
const OWN_ID = /^[\w-]{16}$/;

type Line = TestApplication['logged'][number];

let application: TestApplication;
let user: TestUser;
beforeAll(async () => {
  application = await startApplication({ env: { LOG_LEVEL: 'debug' } });
  user = await signUp(application);
});
afterAll(() => application.close());

const idOf = ({ headers }: Answer) => String(headers['x-request-id']);
/** Waits for the log line of a request, which may be written shortly after the answer arrives. */
const lineOf = (requestId: string, of = application): Promise<Line> =>
  vi.waitFor(() => {
    const lines = of.logged.filter(
      (line) => line.requestId === requestId && line.msg === 'request',
    );
    expect(lines).toHaveLength(1);
    return lines[0]!;
  }, PATIENCE);

/** Sends the request head unchanged. Returns the id of the request. */
const sendRaw = (head: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(application.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => resolve(/^x-request-id: (.+)\r$/im.exec(answer)?.[1] ?? ''));
    socket.write(`${head}\r\nHost: localhost\r\nConnection: close\r\n\r\n`, 'latin1');
  });

describe('the log line of a request', () => {
  test('the log line of a request has its method, path, status, duration and user agent', async () => {
    const answer = await user.browser.get('/settings/sessions');
    expect(idOf(answer)).toMatch(OWN_ID);
    expect(await lineOf(idOf(answer))).toEqual({
      level: LOG_INFO,
      msg: 'request',
      time: expect.any(Number),
      requestId: idOf(answer),
      method: 'GET',
      path: '/settings/sessions',
      status: 200,
      durationMs: expect.any(Number),
      userAgent: user.browser.userAgent,
    });
  });

  test('the log line of a request contains no query and no form fields', async () => {
    const answers = [
      await openBrowser(application).get('/login?redirectTo=%2Fcanary-in-query'),
      await openBrowser(application).get('/nothing?canary-in-query#canary-in-query'),
      await user.browser.post('/theme?canary-in-query', { theme: 'canary-in-form' }),
    ];
    for (const answer of answers) {
      const line = JSON.stringify(await lineOf(idOf(answer)));
      expect(line).not.toContain('canary');
    }
  });

  test('refused requests are logged, too', async () => {
    const { browser } = user;
    const answers: [number, Answer][] = [
      [403, await browser.post('/logout', {}, { headers: { Origin: 'https://evil.example' } })],
      [404, await browser.get('/nothing')],
      [413, await browser.post('/login', { email: 'x'.repeat(70_000) })],
      [302, await openBrowser(application).get('/settings/sessions')],
    ];
    for (const [status, answer] of answers) {
      expect(await lineOf(idOf(answer))).toMatchObject({ level: LOG_INFO, status });
    }
  });

  test('requests for files and health checks are logged at debug level', async () => {
    for (const path of ['/favicon.svg', '/healthz', '/readyz']) {
      const answer = await openBrowser(application).get(path);
      expect(await lineOf(idOf(answer)), path).toMatchObject({ level: LOG_DEBUG, path });
    }
  });

  test('a request whose client disconnects is logged with isCutOff and no status', async () => {
    const socket = connect(application.port, '127.0.0.1');
    const begun = once(socket, 'data');
    socket.write(
      [
        'POST /login HTTP/1.1',
        'Host: localhost',
        'Sec-Fetch-Site: same-origin',
        'User-Agent: gone',
        'Content-Length: 100',
        'Expect: 100-continue',
        '',
        'email=',
      ].join('\r\n'),
    );
    // After "100 Continue" the server is processing the request.
    await begun;
    socket.destroy();
    const line = await vi.waitFor(() => {
      const found = application.logged.find(({ userAgent }) => userAgent === 'gone');
      expect(found).toBeDefined();
      return found!;
    }, PATIENCE);
    expect(line).toMatchObject({ path: '/login', status: null, isCutOff: true });
  });

  test('control characters in a user agent are escaped in the log line', async () => {
    const requestId = await sendRaw(
      'GET /a%20b HTTP/1.1\r\nUser-Agent: a"}\t{"level":60\x9b2J\x85\\n\xff',
    );
    const line = await lineOf(requestId);
    expect(line.userAgent).toBe('a"}\\u0009{"level":60\\u009b2J\\u0085\\nÿ');
    expect(line.path).toBe('/a%20b');
    expect(line.level).toBe(LOG_INFO);
  });

  test('the log line of a request has a bounded length', async () => {
    const long = 'x'.repeat(6000);
    const answer = await openBrowser(application, { userAgent: long }).get(`/${long}`);
    expect(JSON.stringify(await lineOf(idOf(answer))).length).toBeLessThan(1500);
  });
});

test('escapeControlCharacters leaves no character that ends a line or controls a terminal', () => {
  const everyCharacter = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code));
  const nasty = [...everyCharacter, '\u2028', '\u2029', '\u{1F511}'].join('');
  for (let from = 0; from < nasty.length; from += 100) {
    const text = escapeControlCharacters(nasty.slice(from, from + 100));
    expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
  }
  expect(escapeControlCharacters('Firefox on Windows')).toBe('Firefox on Windows');
});

describe('the id of a request', () => {
  test('every request has a new id', async () => {
    const ids = new Set<string>();
    for (let count = 0; count < 20; count += 1) {
      ids.add(idOf(await openBrowser(application).get('/healthz')));
    }
    expect(ids.size).toBe(20);
  });

  test('an X-Request-Id of a visitor is ignored', async () => {
    const headers = { 'X-Request-Id': 'chosen-by-a-visitor', 'X-Forwarded-For': '203.0.113.7' };
    const answer = await openBrowser(application, { headers }).get('/');
    expect(idOf(answer)).toMatch(OWN_ID);
  });

  test('every log line of a request has its id', async () => {
    application.sql('ALTER TABLE "Session" RENAME TO "SessionAway"');
    const answer = await user.browser.get('/settings/sessions');
    application.sql('ALTER TABLE "SessionAway" RENAME TO "Session"');
    expect(answer.status).toBe(503);
    await lineOf(idOf(answer));
    const lines = application.logged.filter(({ requestId }) => requestId === idOf(answer));
    expect(lines.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(['a dependency is down; answered with 503', 'request']),
    );
  });

  describe('behind a trusted proxy', () => {
    let behind: TestApplication;
    beforeAll(async () => {
      behind = await startApplication({ env: { TRUSTED_PROXIES: '1' } });
    });
    afterAll(() => behind.close());
    const askWith = (headers: Record<string, string>) => openBrowser(behind, { headers }).get('/');
    const forwarded = { 'X-Forwarded-For': '203.0.113.7' };

    test('an X-Request-Id of a trusted proxy is used', async () => {
      const given = '7d9f1c0a-6a3b-4c1e-9f43-5b8a1f3f2b10';
      const answer = await askWith({ ...forwarded, 'X-Request-Id': given });
      expect(idOf(answer)).toBe(given);
      expect(await lineOf(given, behind)).toMatchObject({ path: '/', status: 200 });
    });

    test.each(['short', 'x'.repeat(65), 'with space', '{"level":60}', 'a;b=c/d<e>', ''])(
      'the invalid X-Request-Id "%s" of a trusted proxy is replaced',
      async (given) => {
        expect(idOf(await askWith({ ...forwarded, 'X-Request-Id': given }))).toMatch(OWN_ID);
      },
    );

    test('an X-Request-Id is ignored if the request did not pass the trusted proxy', async () => {
      expect(idOf(await askWith({ 'X-Request-Id': 'given-by-whom' }))).toMatch(OWN_ID);
    });
  });
});
