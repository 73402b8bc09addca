import { Writable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPasswordRules } from '#app/credentials/password/password-rules.server.ts';
import { createLog } from '#app/operations/log.server.ts';
import { TestClock } from '../../fixtures/application.ts';
import { sha1, startRangeApi, type RangeApi } from './range-api.ts';

const ADA = { email: 'ada.lovelace@example.com', name: 'Ada Lovelace' };
const GOOD = 'correct horse battery staple';
const clock = new TestClock();
const logged: string[] = [];
const log = createLog(
  'info',
  new Writable({
    write(line: Buffer, _encoding, done) {
      logged.push(line.toString('utf8'));
      done();
    },
  }),
);
const MINUTE_MS = 60_000;
const LOOK_UP_LIMIT_MS = 1000;

beforeEach(() => {
  logged.length = 0;
});

describe('rules without a range API', () => {
  const known = createPasswordRules({ rangeApi: null, now: clock.now, log });

  test.each([
    'password',
    'Password',
    'PASSWORD1',
    'iloveyou',
    '12345678',
    'qwertyuiop',
    'trustno1',
    '1q2w3e4r5t',
    'letmein1',
    'sunshine1',
    'baseball1',
    'Passw0rd',
  ])('the password %s is refused as common', async (password) => {
    expect(await known.findObjection(password, ADA)).toContain('lists of leaked passwords');
  });

  test.each([
    'ada.lovelace@example.com',
    'ADA.LOVELACE@EXAMPLE.COM',
    'ada.lovelace',
    'AdaLovelace',
    'Ada Lovelace',
    'Lovelace Ada',
    'lovelace1815',
    '10.12.1815 ada',
    'adalovelace!!!',
    'adaadaada',
    'Ada\u00a0Lovelace',
    '\uff21\uff44\uff41 Lovelace',
  ])("the password %s is refused as too similar to the user's name or e-mail", async (password) => {
    expect(await known.findObjection(password, ADA)).toContain('your name or your e-mail');
  });

  test.each([
    'latchkey',
    'Latchkey',
    'latchkey1',
    '!!LATCHKEY2026!!',
    'latch-key-123',
    'latchkeylatchkey',
  ])('the password %s is refused as too similar to the name of the site', async (password) => {
    expect(await known.findObjection(password, ADA)).toContain('the name of this site');
  });

  test.each([
    GOOD,
    'a lighthouse keeps its own hours',
    'another good password',
    'something longer',
    'lovelace@example.com',
    'my latchkey is under the mat',
    'lovelace wrote the first program',
    '        ',
    'ada 48213907561120',
    '\u{1f511}'.repeat(8),
    'x'.repeat(256),
  ])('the password %s is accepted', async (password) => {
    expect(await known.findObjection(password, ADA)).toBeNull();
  });

  test.each([
    { email: 'al@example.com', name: '\u{1f511}' },
    { email: '123@example.com', name: '42' },
    { email: '@', name: ' ' },
    { email: '', name: '.*' },
  ])(
    'a user whose name has no words ($email, $name) can choose any good password',
    async (owner) => {
      for (const password of [GOOD, '83920174 5520', '.*.*.*.*', 'also a good one']) {
        expect(await known.findObjection(password, owner)).toBeNull();
      }
    },
  );
});

describe('rules with a range API', () => {
  let api: RangeApi;
  const ask = (password: string, known = fresh()) => known.findObjection(password, ADA);
  const fresh = (url = api.url) => createPasswordRules({ rangeApi: url, now: clock.now, log });

  beforeAll(async () => {
    api = await startRangeApi();
  });
  afterAll(() => api.close());
  beforeEach(() => {
    api.asked.length = 0;
    api.answer = null;
    api.leaked = new Map([['a leaked passphrase', 3]]);
  });

  test('a leaked password is refused, another one is accepted', async () => {
    expect(await ask('a leaked passphrase')).toContain('lists of leaked passwords');
    expect(await ask('A leaked passphrase')).toBeNull();
    expect(logged).toEqual([]);
  });

  test('the range API gets only five characters of a hash, and is asked for padding', async () => {
    await ask(GOOD);
    expect(api.asked).toHaveLength(1);
    const [{ path, headers, body } = { path: '', headers: {}, body: '' }] = api.asked;
    expect(path).toBe(`/range/${sha1(GOOD).slice(0, 5)}`);
    expect(headers).toMatchObject({ 'add-padding': 'true', 'user-agent': 'Latchkey' });
    expect(body).toBe('');
    const everything = JSON.stringify(api.asked);
    for (const kept of [GOOD, encodeURIComponent(GOOD), sha1(GOOD).slice(5), ADA.email]) {
      expect(everything.toUpperCase()).not.toContain(kept.toUpperCase());
    }
  });

  test('the range API is not asked about passwords that the local rules refuse', async () => {
    await ask('password');
    await ask('latchkey1');
    expect(api.asked).toEqual([]);
  });

  test('a padding line with the count 0 does not mean a leak', async () => {
    api.leaked.set(GOOD, 0);
    expect(await ask(GOOD)).toBeNull();
    expect(logged).toEqual([]);
  });

  test('the response may have any line ends and any case', async () => {
    const suffix = sha1(GOOD).slice(5);
    for (const text of [`${suffix}:1`, `${suffix.toLowerCase()}:12\n`, `\r\n${suffix}:7\r\n`]) {
      api.answer = (response) => response.end(text);
      expect(await ask(GOOD), JSON.stringify(text)).not.toBeNull();
    }
    api.answer = (response) => response.end('');
    expect(await ask(GOOD)).toBeNull();
  });

  test('the URL of the range API may have a path and end in a slash', async () => {
    await ask(GOOD, fresh(`${api.url}/mirror/`));
    expect(api.asked[0]?.path).toMatch(/^\/mirror\/range\/[0-9A-F]{5}$/);
  });

  const suffixOfGood = `${sha1(GOOD).slice(5)}:9`;
  test.each<[string, NonNullable<RangeApi['answer']>]>([
    [
      'the page of a captive portal',
      (response) => response.end('<html>Sign in to this network</html>'),
    ],
    ['a malformed line', (response) => response.end(`${suffixOfGood}\r\nA1B2`)],
    ['binary data', (response) => response.end(Buffer.from([0, 255, 254, 10, 13, 58]))],
    ['a 500', (response) => response.writeHead(500).end(suffixOfGood)],
    ['a 429', (response) => response.writeHead(429).end(suffixOfGood)],
    ['a redirect', (response) => response.writeHead(302, { Location: '/elsewhere' }).end()],
    ['too many bytes', (response) => response.end('0'.repeat(3_000_000))],
    ['no response', () => undefined],
    ['a response that never ends', (response) => void response.write(`${suffixOfGood}\r\n`)],
    ['a closed connection', (response) => void response.destroy()],
    [
      'a connection that is closed in the middle',
      (response) => {
        response.writeHead(200, { 'Content-Length': '9999' });
        response.write(suffixOfGood, () => response.destroy());
      },
    ],
  ])(
    'with %s from the range API, the password is accepted and the failure logged',
    async (_what, answer) => {
      api.answer = answer;
      const known = fresh();
      const timeLimit = vi.spyOn(AbortSignal, 'timeout');
      expect(await ask(GOOD, known)).toBeNull();
      expect(timeLimit.mock.calls).toEqual([[LOOK_UP_LIMIT_MS]]);
      timeLimit.mockRestore();
      expect(logged).toHaveLength(1);
      expect(logged[0]).toContain('leaked passwords cannot be looked up');
      for (const secret of [GOOD, sha1(GOOD).slice(0, 5), sha1(GOOD).slice(5), '/range/']) {
        expect(logged[0]).not.toContain(secret);
      }
    },
  );

  test('redirects of the range API are not followed', async () => {
    const other = await startRangeApi();
    other.leaked.set(GOOD, 9);
    api.answer = (response) =>
      response.writeHead(302, { Location: `${other.url}${response.req.url ?? ''}` }).end();
    expect(await ask(GOOD, fresh())).toBeNull();
    expect(other.asked).toEqual([]);
    await other.close();
  });

  test('a range API that refuses connections is logged, and the password is accepted', async () => {
    const gone = await startRangeApi();
    await gone.close();
    expect(await ask(GOOD, fresh(gone.url))).toBeNull();
    expect(logged.join()).toContain('ECONNREFUSED');
  });

  test('after a failure the range API is not asked for five minutes, and one line is logged', async () => {
    api.answer = (response) => response.writeHead(503).end();
    const known = fresh();
    await Promise.all(Array.from({ length: 5 }, () => ask(GOOD, known)));
    const askedAtFirst = api.asked.length;
    expect(logged).toHaveLength(1);
    clock.advance(4 * MINUTE_MS);
    api.answer = null;
    expect(await ask('a leaked passphrase', known)).toBeNull();
    expect(api.asked).toHaveLength(askedAtFirst);
    clock.advance(MINUTE_MS);
    expect(await ask('a leaked passphrase', known)).not.toBeNull();
    expect(logged).toHaveLength(1);
    // The local rules still apply.
    api.answer = (response) => response.writeHead(503).end();
    await ask(GOOD, known);
    expect(await ask('password', known)).not.toBeNull();
  });
});
