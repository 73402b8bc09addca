import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOG_ERROR, startApplication, type TestApplication } from '../fixtures/application.ts';
import { openBrowser, signUp, type TestUser } from '../fixtures/users.ts';

let application: TestApplication;
let user: TestUser;
beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application);
});
afterAll(() => application.close());

/** Sends the bytes unchanged. Returns the status, or null if the server only closed the connection. */
const sendRaw = (text: string): Promise<number | null> =>
  new Promise((resolve, reject) => {
    const socket = connect(application.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? undefined : reject(error),
    );
    socket.on('close', () => {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1];
      resolve(status === undefined ? null : Number(status));
    });
    socket.write(text, 'latin1');
  });
const host = () => `localhost:${application.port}`;

test.each([
  ['an invalid Host', 'GET / HTTP/1.1\r\nHost: a b\r\n'],
  ['a Host of one bracket', 'GET / HTTP/1.1\r\nHost: [\r\n'],
  ['a Host of markup', 'GET / HTTP/1.1\r\nHost: <script>\r\n'],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n'],
  ['a missing Host', 'GET / HTTP/1.1\r\n'],
  ['a second Host', 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n'],
  ['a Host with an invalid port', 'GET / HTTP/1.1\r\nHost: localhost:99999999\r\n'],
  ['a Host with a path', 'GET / HTTP/1.1\r\nHost: localhost/evil\r\n'],
  [
    'an absolute URL of another site',
    'GET http://evil.example/settings HTTP/1.1\r\nHost: evil.example\r\n',
  ],
  ['an invalid absolute URL', 'GET http:// HTTP/1.1\r\nHost: HOST\r\n'],
  ['OPTIONS with an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: HOST\r\n'],
  ['a malformed percent-encoding', 'GET /%E0%A4%A HTTP/1.1\r\nHost: HOST\r\n'],
  [
    'a malformed percent-encoding below a protected path',
    'GET /settings/sessions/%/name HTTP/1.1\r\nHost: HOST\r\n',
  ],
  [
    'a malformed percent-encoding in a query',
    'GET /login?redirectTo=%E0%A4%A HTTP/1.1\r\nHost: HOST\r\n',
  ],
  ['a NUL in a path', 'GET /%00 HTTP/1.1\r\nHost: HOST\r\n'],
  ['a backslash in a path', 'GET /\\evil HTTP/1.1\r\nHost: HOST\r\n'],
  ['a path with two dots', 'GET /../../package.json HTTP/1.1\r\nHost: HOST\r\n'],
  ['a path that is not UTF-8', 'GET /\xff\xfe HTTP/1.1\r\nHost: HOST\r\n'],
  ['a malformed query', 'GET /?%&=&&;\x80 HTTP/1.1\r\nHost: HOST\r\n'],
  [
    'a malformed Cookie header',
    'GET / HTTP/1.1\r\nHost: HOST\r\nCookie: session=\xff\xfe%; ;;=\r\n',
  ],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: HOST\r\n'],
  ['CONNECT', 'CONNECT localhost:443 HTTP/1.1\r\nHost: HOST\r\n'],
  ['PROPFIND', 'PROPFIND / HTTP/1.1\r\nHost: HOST\r\n'],
  [
    'QUERY from the same origin',
    'QUERY / HTTP/1.1\r\nHost: HOST\r\nSec-Fetch-Site: same-origin\r\n',
  ],
  [
    'PROPFIND from the same origin',
    'PROPFIND / HTTP/1.1\r\nHost: HOST\r\nSec-Fetch-Site: same-origin\r\n',
  ],
  [
    'TRACE from the same origin',
    'TRACE / HTTP/1.1\r\nHost: HOST\r\nSec-Fetch-Site: same-origin\r\n',
  ],
  ['GET with a body', 'GET / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n\r\nabc'],
  [
    'a second Content-Length',
    'POST /login HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\nContent-Length: 4\r\n',
  ],
  [
    'Content-Length together with Transfer-Encoding',
    'POST /login HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n',
  ],
  ['a negative Content-Length', 'POST /login HTTP/1.1\r\nHost: HOST\r\nContent-Length: -1\r\n'],
  ['a request line of binary data', '\x16\x03\x01\x02\r\n'],
])('%s causes no 5xx, no error in the log and no sign-out', async (_what, text) => {
  const logStart = application.logged.length;
  const [head, body = ''] = text.split('\r\n\r\n');
  const request = `${head!.trimEnd()}\r\nConnection: close\r\n\r\n${body}`;
  const status = await sendRaw(request.replaceAll('HOST', host()));
  if (status !== null) expect(status).toBeLessThan(500);
  expect(application.logged.slice(logStart).filter(({ level }) => level >= LOG_ERROR)).toEqual([]);
  expect((await user.browser.get('/settings/profile')).status).toBe(200);
});

describe('request size limits', () => {
  test.each([
    ['a form of 64 kB is read', 64 * 1024, 400],
    ['a form of 64 kB and one byte is refused', 64 * 1024 + 1, 413],
    ['a form is refused if its Content-Length says a gigabyte', 1e9, 413],
  ])('%s', async (_what, size, status) => {
    const sentSize = Math.min(size, 100_000);
    const answer = await sendRaw(
      `POST /login HTTP/1.1\r\nHost: ${host()}\r\nOrigin: ${application.origin}\r\n` +
        `Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n` +
        `Content-Length: ${size}\r\n\r\n${'x'.repeat(sentSize)}`,
    );
    expect(answer).toBe(status);
  });

  test('a form without a Content-Length is refused', async () => {
    const answer = await user.browser.post(
      '/settings/profile',
      { name: 'Ada' },
      { headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' } },
    );
    expect(answer.status).toBe(411);
  });

  test.each([
    ['cookies of 8 kB are read', 8 * 1024, 200],
    ['cookies of 20 kB are refused', 20 * 1024, 431],
  ])('%s', async (_what, size, status) => {
    const token = (await user.browser.sessionToken())!;
    const cookie = `session=${token}; planted=${'x'.repeat(size)}`;
    expect(
      await sendRaw(
        `GET /settings/profile HTTP/1.1\r\nHost: ${host()}\r\nAccept: text/html\r\n` +
          `Cookie: ${cookie}\r\nConnection: close\r\n\r\n`,
      ),
    ).toBe(status);
  });

  test('a session cookie is found behind a thousand other cookies', async () => {
    const token = (await user.browser.sessionToken())!;
    const many = Array.from({ length: 1000 }, (_none, index) => `c${index}=x`).join('; ');
    const answer = await openBrowser(application).get('/settings/profile', {
      headers: { Cookie: `${many}; session=${token}` },
    });
    expect(answer.status).toBe(200);
  });
});

test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
  '%s of a page is answered 405 and changes nothing',
  async (method) => {
    const answer = await user.browser.ask('/settings/profile', {
      method,
      headers: {
        Origin: application.origin,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: 'name=Changed',
    });
    expect(answer.status).toBe(405);
    expect(answer.headers.allow).toBe('GET, HEAD, POST');
    expect(application.sql('SELECT name FROM User')).toEqual([{ name: user.name }]);
  },
);

test('a HEAD request is answered with the status of GET and an empty body', async () => {
  const answer = await user.browser.ask('/settings/profile', { method: 'HEAD' });
  expect(answer.status).toBe(200);
  expect(answer.text).toBe('');
  expect((await openBrowser(application).ask('/settings', { method: 'HEAD' })).status).toBe(302);
});
