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

/** Sends bytes as they are, and answers the status; null when the connection is just closed. */
const send = (text: string): Promise<number | null> =>
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
  ['a host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\n'],
  ['a host in brackets', 'GET / HTTP/1.1\r\nHost: [\r\n'],
  ['a host of markup', 'GET / HTTP/1.1\r\nHost: <script>\r\n'],
  ['an empty host', 'GET / HTTP/1.1\r\nHost:\r\n'],
  ['no host', 'GET / HTTP/1.1\r\n'],
  ['two hosts', 'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n'],
  ['a host with a port that is none', 'GET / HTTP/1.1\r\nHost: localhost:99999999\r\n'],
  ['a host with a path', 'GET / HTTP/1.1\r\nHost: localhost/evil\r\n'],
  ['a whole address', 'GET http://evil.example/settings HTTP/1.1\r\nHost: evil.example\r\n'],
  ['an address that is none', 'GET http:// HTTP/1.1\r\nHost: HOST\r\n'],
  ['a star', 'OPTIONS * HTTP/1.1\r\nHost: HOST\r\n'],
  ['a broken percent sign', 'GET /%E0%A4%A HTTP/1.1\r\nHost: HOST\r\n'],
  [
    'a broken percent sign behind a guard',
    'GET /settings/sessions/%/name HTTP/1.1\r\nHost: HOST\r\n',
  ],
  ['a broken percent sign in a query', 'GET /login?redirectTo=%E0%A4%A HTTP/1.1\r\nHost: HOST\r\n'],
  ['a NUL', 'GET /%00 HTTP/1.1\r\nHost: HOST\r\n'],
  ['a backslash', 'GET /\\evil HTTP/1.1\r\nHost: HOST\r\n'],
  ['two dots', 'GET /../../package.json HTTP/1.1\r\nHost: HOST\r\n'],
  ['bytes that are no text', 'GET /\xff\xfe HTTP/1.1\r\nHost: HOST\r\n'],
  ['a query of junk', 'GET /?%&=&&;\x80 HTTP/1.1\r\nHost: HOST\r\n'],
  ['a cookie of junk', 'GET / HTTP/1.1\r\nHost: HOST\r\nCookie: session=\xff\xfe%; ;;=\r\n'],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: HOST\r\n'],
  ['CONNECT', 'CONNECT localhost:443 HTTP/1.1\r\nHost: HOST\r\n'],
  ['PROPFIND', 'PROPFIND / HTTP/1.1\r\nHost: HOST\r\n'],
  ['QUERY of a page', 'QUERY / HTTP/1.1\r\nHost: HOST\r\nSec-Fetch-Site: same-origin\r\n'],
  [
    'a method of our own page',
    'PROPFIND / HTTP/1.1\r\nHost: HOST\r\nSec-Fetch-Site: same-origin\r\n',
  ],
  ['TRACE of our own page', 'TRACE / HTTP/1.1\r\nHost: HOST\r\nSec-Fetch-Site: same-origin\r\n'],
  ['a body with GET', 'GET / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n\r\nabc'],
  [
    'two lengths',
    'POST /login HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\nContent-Length: 4\r\n',
  ],
  [
    'a length and chunks',
    'POST /login HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n',
  ],
  ['a length below zero', 'POST /login HTTP/1.1\r\nHost: HOST\r\nContent-Length: -1\r\n'],
  ['junk', '\x16\x03\x01\x02\r\n'],
])('%s is no failure of ours', async (_what, text) => {
  const cut = application.logged.length;
  const [head, body = ''] = text.split('\r\n\r\n');
  const request = `${head!.trimEnd()}\r\nConnection: close\r\n\r\n${body}`;
  const status = await send(request.replaceAll('HOST', host()));
  if (status !== null) expect(status).toBeLessThan(500);
  expect(application.logged.slice(cut).filter(({ level }) => level >= LOG_ERROR)).toEqual([]);
  expect((await user.browser.get('/settings/profile')).status).toBe(200);
});

describe('what is too large', () => {
  test.each([
    ['64 kB', 64 * 1024, 400],
    ['one byte more', 64 * 1024 + 1, 413],
    ['a gigabyte, only announced', 1e9, 413],
  ])('a form of %s', async (_what, size, status) => {
    const sentSize = Math.min(size, 100_000);
    const answer = await send(
      `POST /login HTTP/1.1\r\nHost: ${host()}\r\nOrigin: ${application.origin}\r\n` +
        `Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n` +
        `Content-Length: ${size}\r\n\r\n${'x'.repeat(sentSize)}`,
    );
    expect(answer).toBe(status);
  });

  test('a form whose length is not announced is refused', async () => {
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
      await send(
        `GET /settings/profile HTTP/1.1\r\nHost: ${host()}\r\nAccept: text/html\r\n` +
          `Cookie: ${cookie}\r\nConnection: close\r\n\r\n`,
      ),
    ).toBe(status);
  });

  test('a thousand cookies beside the right one do not hide it', async () => {
    const token = (await user.browser.sessionToken())!;
    const many = Array.from({ length: 1000 }, (_none, index) => `c${index}=x`).join('; ');
    const answer = await openBrowser(application).get('/settings/profile', {
      headers: { Cookie: `${many}; session=${token}` },
    });
    expect(answer.status).toBe(200);
  });
});

test.each(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
  '%s is no way to do anything here',
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

test('asking for the head of a page answers what the page would, without its text', async () => {
  const answer = await user.browser.ask('/settings/profile', { method: 'HEAD' });
  expect(answer.status).toBe(200);
  expect(answer.text).toBe('');
  expect((await openBrowser(application).ask('/settings', { method: 'HEAD' })).status).toBe(302);
});
