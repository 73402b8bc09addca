import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { openBrowser } from '../fixtures/users.ts';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

const CLIENT = 'build/client';
const assets = () => readdirSync(`${CLIENT}/assets`);
/** Returns the path of the largest script, which holds React and Remix. */
const script = () => {
  const scripts = assets().filter((name) => name.endsWith('.js'));
  const sizeOf = (name: string) => readFileSync(`${CLIENT}/assets/${name}`).length;
  return `/assets/${scripts.sort((a, b) => sizeOf(b) - sizeOf(a))[0]!}`;
};
const asBuilt = (path: string) => readFileSync(CLIENT + path);
const ask = (path: string, headers: Record<string, string | undefined> = {}, method = 'GET') =>
  openBrowser(application).ask(path, { method, headers });
const decompress = { br: brotliDecompressSync, gzip: gunzipSync };

describe('content coding', () => {
  test.each<[accepted: string | undefined, coding: 'br' | 'gzip' | undefined]>([
    ['gzip, deflate, br, zstd', 'br'],
    ['br', 'br'],
    ['BR;q=0.1', 'br'],
    ['*', 'br'],
    ['gzip, deflate', 'gzip'],
    ['gzip, br;q=0', 'gzip'],
    ['br;q=0.0, *', 'gzip'],
    ['identity, br ; q=0.000, gzip;q=0', undefined],
    ['gzip;q=0', undefined],
    ['*;q=0, identity', undefined],
    ['deflate', undefined],
    ['brotli, xgzip, br2', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('Accept-Encoding %j gets a script in the coding %j', async (accepted, coding) => {
    const path = script();
    const { status, headers, bytes } = await ask(path, { 'Accept-Encoding': accepted });
    expect(status).toBe(200);
    expect(headers['content-encoding']).toBe(coding);
    expect(headers['content-length']).toBe(String(bytes.length));
    expect(headers['content-type']).toBe('application/javascript; charset=utf-8');
    expect(headers.vary).toBe('Accept-Encoding');
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(headers['x-content-type-options']).toBe('nosniff');
    const content = coding ? decompress[coding](bytes) : bytes;
    expect(content.equals(asBuilt(path))).toBe(true);
  });
});

test('every built file has the same content and type in every coding', async () => {
  const names = readdirSync(CLIENT, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.(br|gz)$/.test(entry.name))
    .map((entry) => `${entry.parentPath.slice(CLIENT.length)}/${entry.name}`);
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) {
    const plain = await ask(name);
    expect(plain.headers['content-encoding'], name).toBeUndefined();
    expect(plain.bytes.equals(asBuilt(name)), name).toBe(true);
    for (const coding of ['br', 'gzip'] as const) {
      const { headers, bytes } = await ask(name, { 'Accept-Encoding': coding });
      expect(headers['content-type'], name).toBe(plain.headers['content-type']);
      expect(headers.vary, name).toBe(plain.headers.vary);
      const isCompressed = existsSync(`${CLIENT}${name}${coding === 'br' ? '.br' : '.gz'}`);
      expect(headers['content-encoding'], name).toBe(isCompressed ? coding : undefined);
      const content = isCompressed ? decompress[coding](bytes) : bytes;
      expect(content.equals(asBuilt(name)), `${name} in ${coding}`).toBe(true);
    }
  }
});

test('the build compresses every script and style sheet of more than 300 bytes', () => {
  const worthwhile = assets()
    .filter((name) => /\.(js|css)$/.test(name))
    .filter((name) => readFileSync(`${CLIENT}/assets/${name}`).length > 300);
  expect(worthwhile.length).toBeGreaterThan(20);
  for (const name of worthwhile) {
    expect(assets()).toEqual(expect.arrayContaining([`${name}.br`, `${name}.gz`]));
  }
});

test('compressed files cannot be requested by their own names', async () => {
  for (const extension of ['.br', '.gz']) {
    const { status, headers } = await ask(script() + extension, { 'Accept-Encoding': 'br, gzip' });
    expect(status).toBe(404);
    expect(headers['cache-control']).toBe('no-store');
  }
});

test('a page is compressed and must not be cached', async () => {
  const { headers, bytes } = await ask('/login', { 'Accept-Encoding': 'br' });
  expect(headers['content-encoding']).toBe('br');
  expect(headers['cache-control']).toBe('no-store');
  expect(brotliDecompressSync(bytes).toString()).toContain('<h1');
});

test.each(['br', 'gzip', 'identity'])('HEAD has the same headers as GET, in %s', async (coding) => {
  const get = await ask(script(), { 'Accept-Encoding': coding });
  const head = await ask(script(), { 'Accept-Encoding': coding }, 'HEAD');
  expect(head.status).toBe(200);
  expect(head.bytes).toHaveLength(0);
  const contentHeaders = ['content-encoding', 'content-length', 'content-type', 'etag', 'vary'];
  for (const name of [...contentHeaders, 'cache-control', 'last-modified', 'accept-ranges']) {
    expect(head.headers[name], name).toBe(get.headers[name]);
  }
});

describe('conditional requests', () => {
  test.each(['br', 'gzip', 'identity'])('an unchanged file in %s gets a 304', async (coding) => {
    const accept = { 'Accept-Encoding': coding };
    const { headers } = await ask(script(), accept);
    for (const condition of [
      { 'If-None-Match': headers.etag },
      { 'If-Modified-Since': headers['last-modified'] },
    ]) {
      const again = await ask(script(), { ...accept, ...condition });
      expect(again.status).toBe(304);
      expect(again.bytes).toHaveLength(0);
      expect(again.headers['content-encoding']).toBeUndefined();
      expect(again.headers.vary).toBe('Accept-Encoding');
      expect(again.headers.etag).toBe(headers.etag);
      expect(again.headers['cache-control']).toContain('immutable');
    }
  });

  test('the ETag of one coding does not match another coding', async () => {
    const { headers } = await ask(script(), { 'Accept-Encoding': 'br' });
    for (const coding of ['gzip', 'identity']) {
      const condition = { 'Accept-Encoding': coding, 'If-None-Match': headers.etag };
      expect((await ask(script(), condition)).status).toBe(200);
    }
  });

  test('an If-Match that does not match gets a 412', async () => {
    const condition = { 'Accept-Encoding': 'br', 'If-Match': '"another"' };
    const { status, headers, bytes } = await ask(script(), condition);
    expect(status).toBe(412);
    expect(bytes).toHaveLength(0);
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers['cache-control']).toBeUndefined();
  });
});

describe('range requests', () => {
  test.each(['br', 'gzip', 'identity'])(
    'a range in %s counts the bytes of that coding',
    async (coding) => {
      const accept = { 'Accept-Encoding': coding };
      const { headers, bytes } = await ask(script(), accept);
      const part = await ask(script(), { ...accept, Range: 'bytes=100-199' });
      expect(part.status).toBe(206);
      expect(part.headers['content-range']).toBe(`bytes 100-199/${bytes.length}`);
      expect(part.headers['content-encoding']).toBe(headers['content-encoding']);
      expect(part.bytes.equals(bytes.subarray(100, 200))).toBe(true);

      const stale = { ...accept, Range: 'bytes=100-199', 'If-Range': '"another"' };
      expect((await ask(script(), stale)).bytes.equals(bytes)).toBe(true);
    },
  );

  test('a range beyond the end gets a 416 with the size', async () => {
    const wanted = { 'Accept-Encoding': 'br', Range: 'bytes=9999999-' };
    const { status, headers, bytes } = await ask(script(), wanted);
    expect(status).toBe(416);
    expect(headers['content-range']).toBe(`bytes */${asBuilt(`${script()}.br`).length}`);
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers['cache-control']).toBeUndefined();
    expect(bytes).toHaveLength(0);
  });
});

describe('only built files are served', () => {
  /** Requests the path exactly as written. `fetch` and `URL` would normalize it first. */
  const askRaw = (path: string) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const { port } = application;
      const headers = { 'Accept-Encoding': 'identity' };
      request({ host: 'localhost', port, path, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => resolve({ status: answer.statusCode!, text }));
      })
        .on('error', reject)
        .end();
    });

  const up = ['..', '%2e%2e', '.%2e', '%2E.', '..%2f..', '..%5c..', '%252e%252e'];
  test.each([
    ...up.map((step) => `/assets/${step}/server/index.js`),
    ...up.map((step) => `/${step}/server/index.js`),
    ...up.map((step) => `/${step}/${step}/package.json`),
    '/..%2fserver%2findex.js',
    '/..\\server\\index.js',
    '//server/index.js',
    '/%2fetc%2fpasswd',
    '/%00',
    '/favicon.svg%00.js',
    '/favicon.svg/',
    '/%',
    '/%zz',
    '/%c0%ae%c0%ae/server/index.js',
    '/.vite/manifest.json',
    '/assets/',
    '/assets',
    '/assets/__proto__',
    '/__proto__',
    '/constructor',
    '/.br',
    '/assets/.gz',
  ])('the path %s serves no file', async (path) => {
    const { status, text } = await askRaw(path);
    expect([400, 404]).toContain(status);
    for (const file of ['package.json', 'build/server/index.js']) {
      expect(text).not.toContain(readFileSync(file, 'utf8').slice(0, 100));
    }
    expect(text).not.toContain('root:x:');
  });

  test('POST serves no file', async () => {
    const { status } = await openBrowser(application).post('/favicon.svg', {});
    expect(status).not.toBe(200);
  });

  test('a percent-encoded file name with a query serves the file', async () => {
    const { status, text } = await askRaw('/%66avicon.svg?version=2');
    expect(status).toBe(200);
    expect(text).toBe(asBuilt('/favicon.svg').toString());
  });
});
