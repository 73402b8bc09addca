import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  askApi,
  askApiIn,
  publicIdOf,
  signInByApi,
  type ApiAnswer,
  type ApiOptions,
} from '../fixtures/api-client.ts';
import {
  besidesRequests,
  LOG_ERROR,
  startApplication,
  type TestApplication,
} from '../fixtures/application.ts';
import { isSignedIn } from '../fixtures/signed-in.ts';
import { PASSWORD, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { entriesOf } from '../pages/activity-entries.ts';

const MINUTE_MS = 60_000;
const OTHERS = '/api/sessions/others';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

let ada: TestUser;
/** Of a program of Ada's. */
let token: string;
let adaId: string;
beforeEach(async () => {
  ada = await signUp(application);
  token = await signInByApi(application, ada);
  adaId = publicIdOf((await ada.browser.sessionToken())!);
});

const ask = (request: string, options: ApiOptions = {}) =>
  askApi(application, request, { token, ...options });
const whoIs = async (held: string) => (await ask('GET /api/session', { token: held })).status;

test('all sessions of the person are listed, and none of anybody else, and no secret', async () => {
  await signUp(application);
  const { json, text } = await ask('GET /api/sessions');
  const ids = json.sessions.map(({ id }) => id);
  expect(ids.sort()).toEqual([adaId, publicIdOf(token)].sort());
  expect(json.sessions.find(({ isCurrent }) => isCurrent)?.id).toBe(publicIdOf(token));
  expect(text).not.toContain(token.split('.')[1]);
  const [{ secretHash }] = application.sql<{ secretHash: string }>(
    'SELECT secretHash FROM Session WHERE id = ?',
    adaId,
  ) as [{ secretHash: string }];
  expect(text).not.toContain(secretHash);
});

test('a device is named, and the name is taken away', async () => {
  const named = await ask(`PATCH /api/sessions/${adaId}`, { body: { name: ' Kitchen iPad ' } });
  expect(named.json).toMatchObject({ name: 'Kitchen iPad', isNamed: true });
  expect((await ada.browser.get('/settings/sessions')).text).toContain('Kitchen iPad');
  const plain = await ask(`PATCH /api/sessions/${adaId}`, { body: { name: null } });
  expect(plain.json).toMatchObject({ isNamed: false });
  const wrong = await ask(`PATCH /api/sessions/${adaId}`, { body: { name: 'x'.repeat(41) } });
  expect([wrong.status, wrong.json.errors]).toEqual([
    422,
    [{ field: 'name', message: 'Use at most 40 characters.' }],
  ]);
  const no = await ask(`PATCH /api/sessions/${adaId}`, { body: { userId: 'x' } });
  expect([no.status, no.json.errors[0]?.field]).toEqual([422, 'name']);
});

test('another device is signed out at once, and that is written down', async () => {
  const phone = await signIn(application, ada);
  const phoneId = publicIdOf((await phone.sessionToken())!);
  expect((await ask(`DELETE /api/sessions/${phoneId}`)).status).toBe(204);
  expect(await isSignedIn(phone)).toBe(false);
  expect(await isSignedIn(ada.browser)).toBe(true);
  expect((await ask(`DELETE /api/sessions/${phoneId}`)).status).toBe(204);
  const [entry, ...more] = entriesOf(application, ada.email).filter(
    ({ kind }) => kind === 'session-ended',
  );
  expect(more).toEqual([]);
  expect(entry).toMatchObject({ sessionId: publicIdOf(token) });
});

test('everything else is signed out at once', async () => {
  const phone = await signIn(application, ada);
  const { json } = await ask(`DELETE ${OTHERS}`);
  expect(json).toEqual({ sessions: 2, tokens: 0 });
  expect([await isSignedIn(phone), await isSignedIn(ada.browser)]).toEqual([false, false]);
  expect(await whoIs(token)).toBe(200);
});

test('who signs out is out: by a bearer, and by the cookie, which goes', async () => {
  expect((await ask('POST /api/logout')).status).toBe(204);
  expect(await whoIs(token)).toBe(401);
  const headers = { Origin: application.origin };
  const answer = await askApiIn(ada.browser, 'POST /api/logout', { headers });
  expect(answer.status).toBe(204);
  expect(answer.headers['clear-site-data']).toBe('"cache"');
  expect(await ada.browser.sessionToken()).toBeNull();
});

test('its own session ends without a proof', async () => {
  application.clock.advance(16 * MINUTE_MS);
  expect((await ask(`DELETE /api/sessions/${publicIdOf(token)}`)).status).toBe(204);
  expect(await whoIs(token)).toBe(401);
});

describe('a proof that is too old', () => {
  test.each([
    ['sign out another device', () => `DELETE /api/sessions/${adaId}`],
    ['sign out everything else', () => `DELETE ${OTHERS}`],
    ['download', () => 'POST /api/download'],
  ])('is asked for anew to %s (RFC 9470)', async (_what, request) => {
    application.clock.advance(15 * MINUTE_MS - 1);
    expect((await ask('GET /api/session')).json.session.isFresh).toBe(true);
    application.clock.advance(1);
    const answer = await ask(request());
    expect([answer.status, answer.problem]).toEqual([401, 'proof-required']);
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer error="insufficient_user_authentication", max_age=900',
    );
    expect(await isSignedIn(ada.browser)).toBe(true);
    const { json } = await ask('POST /api/confirm', { body: { password: PASSWORD } });
    const after = await ask(request(), { token: json.token! });
    expect([200, 204]).toContain(after.status);
  });
});

describe("of somebody else's session", () => {
  const comparable = ({ status, headers, text }: ApiAnswer) => {
    const { date: _date, 'x-request-id': _id, 'content-security-policy': _csp, ...rest } = headers;
    return { status, rest, text };
  };
  test.each([
    ['naming it', 'PATCH', { name: 'Mine now' }],
    ['taking its name away', 'PATCH', { name: null }],
    ['signing it out', 'DELETE', undefined],
  ])('%s is answered as for one that never was', async (_what, method, body) => {
    const bob = await signUp(application);
    const bobsToken = await signInByApi(application, bob);
    const rows = () => application.sql('SELECT * FROM Session WHERE id = ?', publicIdOf(bobsToken));
    const before = rows();
    const theirs = await ask(`${method} /api/sessions/${publicIdOf(bobsToken)}`, { body });
    const missing = await ask(`${method} /api/sessions/${'A'.repeat(22)}`, { body });
    expect(comparable(theirs)).toEqual(comparable(missing));
    expect(theirs.problem).toBe('not-found');
    expect(rows()).toEqual(before);
  });

  test.each(['x', '%00', '..%2f', "'%20OR%20'1'='1", '__proto__', 'x'.repeat(6000)])(
    'an id like "%s" is answered as missing',
    async (id) => {
      const cut = application.logged.length;
      for (const method of ['PATCH', 'DELETE']) {
        const body = method === 'PATCH' ? { name: 'x' } : undefined;
        expect((await ask(`${method} /api/sessions/${id}`, { body })).status).toBe(404);
      }
      expect(besidesRequests(application.logged.slice(cut))).toEqual([]);
    },
  );
});

describe('a page of another site', () => {
  const changes = [
    ['POST /api/logout', undefined],
    ['POST /api/confirm', { password: PASSWORD }],
    ['POST /api/download', undefined],
    [`DELETE ${OTHERS}`, undefined],
  ] as const;
  const sources = [
    ['with its own origin', { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }],
    ['with an opaque origin', { Origin: 'null' }],
    ['as a sibling', { Origin: 'http://evil.localhost:1', 'Sec-Fetch-Site': 'same-site' }],
    ['with no word of where', {}],
  ] as const;
  test.each(sources)('changes nothing by the cookie, %s', async (_what, headers) => {
    const everything = application.sql('SELECT * FROM Session ORDER BY id');
    for (const [request, body] of changes) {
      const answer = await askApiIn(ada.browser, request, { body, headers });
      expect([answer.status, answer.problem], request).toEqual([403, 'other-origin']);
    }
    expect(application.sql('SELECT * FROM Session ORDER BY id')).toEqual(everything);
  });

  test('signs nobody in, and is allowed to read nothing', async () => {
    const headers = { Origin: 'https://evil.example' };
    const body = { email: ada.email, password: PASSWORD };
    const login = await ask('POST /api/login', { token: undefined, body, headers });
    expect(login.problem).toBe('other-origin');
    const preflight = await ask('OPTIONS /api/session', {
      headers: { ...headers, 'Access-Control-Request-Method': 'GET' },
    });
    expect(preflight.status).toBe(405);
    const read = await askApiIn(ada.browser, 'GET /api/session', { headers });
    for (const { headers: sent } of [preflight, read]) {
      expect(Object.keys(sent).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });

  test('but a bearer is sent by whoever holds it, from wherever', async () => {
    const headers = { Origin: 'https://app.example', 'Sec-Fetch-Site': 'cross-site' };
    expect((await ask('POST /api/logout', { headers })).status).toBe(204);
  });
});

describe('what cannot be read', () => {
  const body = { email: 'ada@example.com', password: PASSWORD };
  const text = JSON.stringify(body);
  test.each([
    ['no JSON', 'not-json', 400, { body: '{"email":' }],
    ['a form', 'not-json-type', 415, { body: text, headers: { 'Content-Type': 'text/plain' } }],
    [
      'another charset',
      'not-json-type',
      415,
      { body: text, headers: { 'Content-Type': 'application/json; charset=latin1' } },
    ],
    ['compressed', 'not-json-type', 415, { body: text, headers: { 'Content-Encoding': 'gzip' } }],
    ['a list', 'invalid-fields', 422, { body: [body] }],
    ['nothing', 'invalid-fields', 422, { body: 'null' }],
    ['an operator', 'invalid-fields', 422, { body: { ...body, email: { contains: 'a' } } }],
    ['too much', 'too-large', 413, { body: { ...body, name: 'x'.repeat(17_000) } }],
  ])('%s is a problem: %s', async (_what, problem, status, options) => {
    const cut = application.logged.length;
    const answer = await ask('POST /api/login', { token: undefined, ...options });
    expect([answer.status, answer.problem]).toEqual([status, problem]);
    expect(besidesRequests(application.logged.slice(cut))).toEqual([]);
  });

  test('fields are named, in words for people', async () => {
    const { json } = await ask('POST /api/login', { body: { email: 'ada' } });
    expect(json).toEqual({
      type: `${application.origin}/developers#invalid-fields`,
      title: 'Some of it is not right',
      status: 422,
      detail: 'Look at the errors, field by field.',
      errors: [
        { field: 'email', message: 'Enter an e-mail address like name@example.com.' },
        { field: 'password', message: 'Enter your password.' },
      ],
    });
  });

  test.each([
    ['GET /api', 404, undefined],
    ['GET /api/nothing', 404, undefined],
    ['GET /api/sessions/', 404, undefined],
    ['PUT /api/session', 405, 'GET, HEAD'],
    ['POST /api/sessions', 405, 'GET, HEAD'],
    ['GET /api/sessions/others', 405, 'DELETE, PATCH'],
    ['GET /api/login', 405, 'POST'],
  ])('%s is answered with %i', async (request, status, allow) => {
    const answer = await ask(request);
    expect(answer.status).toBe(status);
    expect(answer.problem).toBe(status === 404 ? 'not-found' : 'method-not-allowed');
    if (allow) expect(String(answer.headers.allow).split(', ').sort()).toEqual(allow.split(', '));
  });
});

test('a look at the session is one statement at the most, and a line in the log', async () => {
  await ask('GET /api/session');
  const cut = application.statements.length;
  const lines = application.logged.length;
  const answer = await ask('GET /api/session');
  expect(answer.status).toBe(200);
  // Not what the server does by itself meanwhile.
  const asked = application.statements.slice(cut).filter((sql) => /"(Session|User)"/.test(sql));
  expect(asked.length).toBeLessThanOrEqual(1);
  expect(application.logged.slice(lines)).toMatchObject([
    { msg: 'request', path: '/api/session', status: 200 },
  ]);
  const head = await ask('HEAD /api/session');
  expect([head.status, head.text]).toEqual([200, '']);
});

test('an outage is 503 and no sign-out, and takes no try', async () => {
  const limited = await startApplication({ env: { PASSWORD_TRIES_PER_ACCOUNT: '2' } });
  try {
    const user = await signUp(limited);
    const held = await signInByApi(limited, user);
    const { email, password } = user;
    limited.sql('ALTER TABLE "Session" RENAME TO "Away"');
    limited.sql('ALTER TABLE "Password" RENAME TO "AwayToo"');
    const stranger = `${'A'.repeat(22)}.${'B'.repeat(43)}`;
    const answers = [
      await askApi(limited, 'GET /api/sessions', { token: held }),
      await askApi(limited, 'GET /api/session', { token: stranger }),
      await askApi(limited, 'GET /api/session', { token: `latchkey_${stranger}` }),
    ];
    // One after the other: a try is given back when it has come to nothing.
    for (let count = 0; count < 3; count += 1) {
      answers.push(await askApi(limited, 'POST /api/login', { body: { email, password } }));
    }
    for (const answer of answers) {
      expect([answer.status, answer.problem]).toEqual([503, 'unavailable']);
      expect(answer.headers['retry-after']).toBe('10');
    }
    limited.sql('ALTER TABLE "Away" RENAME TO "Session"');
    limited.sql('ALTER TABLE "AwayToo" RENAME TO "Password"');
    expect((await askApi(limited, 'GET /api/session', { token: held })).status).toBe(200);
    expect(await signInByApi(limited, user)).toBeTruthy();
    expect(limited.logged.some(({ level }) => level >= LOG_ERROR)).toBe(true);
  } finally {
    await limited.close();
  }
});
