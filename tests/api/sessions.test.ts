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
const OTHER_SESSIONS = '/api/sessions/others';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

let ada: TestUser;
/** The session token of Ada's API client. */
let token: string;
let adaId: string;
beforeEach(async () => {
  ada = await signUp(application);
  token = await signInByApi(application, ada);
  adaId = publicIdOf((await ada.browser.sessionToken())!);
});

const ask = (request: string, options: ApiOptions = {}) =>
  askApi(application, request, { token, ...options });
const sessionStatus = async (other: string) =>
  (await ask('GET /api/session', { token: other })).status;

test('GET /api/sessions lists all sessions of the user, none of other users and no secret', async () => {
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

test('PATCH /api/sessions/:id names a device, removes the name and refuses invalid names', async () => {
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
  const nameless = await ask(`PATCH /api/sessions/${adaId}`, { body: { userId: 'x' } });
  expect([nameless.status, nameless.json.errors[0]?.field]).toEqual([422, 'name']);
});

test('DELETE /api/sessions/:id signs out a device at once, and logs it once', async () => {
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

test('DELETE /api/sessions/others signs out all other devices at once', async () => {
  const phone = await signIn(application, ada);
  const { json } = await ask(`DELETE ${OTHER_SESSIONS}`);
  expect(json).toEqual({ sessions: 2, tokens: 0 });
  expect([await isSignedIn(phone), await isSignedIn(ada.browser)]).toEqual([false, false]);
  expect(await sessionStatus(token)).toBe(200);
});

test('POST /api/logout ends the session of a bearer token or a cookie, and clears the cookie', async () => {
  expect((await ask('POST /api/logout')).status).toBe(204);
  expect(await sessionStatus(token)).toBe(401);
  const headers = { Origin: application.origin };
  const answer = await askApiIn(ada.browser, 'POST /api/logout', { headers });
  expect(answer.status).toBe(204);
  expect(answer.headers['clear-site-data']).toBe('"cache"');
  expect(await ada.browser.sessionToken()).toBeNull();
});

test('a session can end itself without re-authentication', async () => {
  application.clock.advance(16 * MINUTE_MS);
  expect((await ask(`DELETE /api/sessions/${publicIdOf(token)}`)).status).toBe(204);
  expect(await sessionStatus(token)).toBe(401);
});

describe('a session that is not fresh', () => {
  test.each([
    ['sign out another device', () => `DELETE /api/sessions/${adaId}`],
    ['sign out everything else', () => `DELETE ${OTHER_SESSIONS}`],
    ['download', () => 'POST /api/download'],
  ])(
    'a session that is not fresh must re-authenticate to %s (RFC 9470)',
    async (_what, request) => {
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
    },
  );
});

describe("another user's session", () => {
  const comparable = ({ status, headers, text }: ApiAnswer) => {
    const { date: _date, 'x-request-id': _id, 'content-security-policy': _csp, ...rest } = headers;
    return { status, rest, text };
  };
  test.each([
    ['naming', 'PATCH', { name: 'Mine now' }],
    ['removing the name of', 'PATCH', { name: null }],
    ['signing out', 'DELETE', undefined],
  ])(
    "%s another user's session is answered like an unknown session",
    async (_what, method, body) => {
      const bob = await signUp(application);
      const tokenOfBob = await signInByApi(application, bob);
      const rows = () =>
        application.sql('SELECT * FROM Session WHERE id = ?', publicIdOf(tokenOfBob));
      const before = rows();
      const foreign = await ask(`${method} /api/sessions/${publicIdOf(tokenOfBob)}`, { body });
      const missing = await ask(`${method} /api/sessions/${'A'.repeat(22)}`, { body });
      expect(comparable(foreign)).toEqual(comparable(missing));
      expect(foreign.problem).toBe('not-found');
      expect(rows()).toEqual(before);
    },
  );

  test.each(['x', '%00', '..%2f', "'%20OR%20'1'='1", '__proto__', 'x'.repeat(6000)])(
    'the malformed session id "%s" is answered like an unknown session',
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

describe('requests from another site', () => {
  const changes = [
    ['POST /api/logout', undefined],
    ['POST /api/confirm', { password: PASSWORD }],
    ['POST /api/download', undefined],
    [`DELETE ${OTHER_SESSIONS}`, undefined],
  ] as const;
  const sources = [
    ['with another origin', { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }],
    ['with an opaque origin', { Origin: 'null' }],
    [
      'from a sibling subdomain',
      { Origin: 'http://evil.localhost:1', 'Sec-Fetch-Site': 'same-site' },
    ],
    ['without Origin and Sec-Fetch-Site', {}],
  ] as const;
  test.each(sources)('a request with the cookie %s changes nothing', async (_what, headers) => {
    const rowsBefore = application.sql('SELECT * FROM Session ORDER BY id');
    for (const [request, body] of changes) {
      const answer = await askApiIn(ada.browser, request, { body, headers });
      expect([answer.status, answer.problem], request).toEqual([403, 'other-origin']);
    }
    expect(application.sql('SELECT * FROM Session ORDER BY id')).toEqual(rowsBefore);
  });

  test('a page of another site cannot sign in and gets no CORS headers', async () => {
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

  test('a bearer token is accepted from any origin', async () => {
    const headers = { Origin: 'https://app.example', 'Sec-Fetch-Site': 'cross-site' };
    expect((await ask('POST /api/logout', { headers })).status).toBe(204);
  });
});

describe('malformed requests', () => {
  const body = { email: 'ada@example.com', password: PASSWORD };
  const text = JSON.stringify(body);
  test.each([
    ['a body of truncated JSON', 'not-json', 400, { body: '{"email":' }],
    [
      'a body of plain text',
      'not-json-type',
      415,
      { body: text, headers: { 'Content-Type': 'text/plain' } },
    ],
    [
      'a body in another charset',
      'not-json-type',
      415,
      { body: text, headers: { 'Content-Type': 'application/json; charset=latin1' } },
    ],
    [
      'a compressed body',
      'not-json-type',
      415,
      { body: text, headers: { 'Content-Encoding': 'gzip' } },
    ],
    ['a list in place of an object', 'invalid-fields', 422, { body: [body] }],
    ['null in place of an object', 'invalid-fields', 422, { body: 'null' }],
    [
      'an operator in place of an e-mail',
      'invalid-fields',
      422,
      { body: { ...body, email: { contains: 'a' } } },
    ],
    ['a body of 17 KB', 'too-large', 413, { body: { ...body, name: 'x'.repeat(17_000) } }],
  ])('%s is refused with the problem %s', async (_what, problem, status, options) => {
    const cut = application.logged.length;
    const answer = await ask('POST /api/login', { token: undefined, ...options });
    expect([answer.status, answer.problem]).toEqual([status, problem]);
    expect(besidesRequests(application.logged.slice(cut))).toEqual([]);
  });

  test('invalid fields are listed by name, with messages for users', async () => {
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
  ])('%s is answered with status %i', async (request, status, allow) => {
    const answer = await ask(request);
    expect(answer.status).toBe(status);
    expect(answer.problem).toBe(status === 404 ? 'not-found' : 'method-not-allowed');
    if (allow) expect(String(answer.headers.allow).split(', ').sort()).toEqual(allow.split(', '));
  });
});

test('GET /api/session runs at most one statement and writes one log line', async () => {
  await ask('GET /api/session');
  const cut = application.statements.length;
  const lines = application.logged.length;
  const answer = await ask('GET /api/session');
  expect(answer.status).toBe(200);
  // Without the statements of background work.
  const statements = application.statements
    .slice(cut)
    .filter((sql) => /"(Session|User)"/.test(sql));
  expect(statements.length).toBeLessThanOrEqual(1);
  expect(application.logged.slice(lines)).toMatchObject([
    { msg: 'request', path: '/api/session', status: 200 },
  ]);
  const head = await ask('HEAD /api/session');
  expect([head.status, head.text]).toEqual([200, '']);
});

test('during an outage requests get a 503, sessions survive, and no attempt is counted', async () => {
  const limited = await startApplication({ env: { PASSWORD_TRIES_PER_ACCOUNT: '2' } });
  try {
    const user = await signUp(limited);
    const userToken = await signInByApi(limited, user);
    const { email, password } = user;
    limited.sql('ALTER TABLE "Session" RENAME TO "Away"');
    limited.sql('ALTER TABLE "Password" RENAME TO "AwayToo"');
    const unknownToken = `${'A'.repeat(22)}.${'B'.repeat(43)}`;
    const answers = [
      await askApi(limited, 'GET /api/sessions', { token: userToken }),
      await askApi(limited, 'GET /api/session', { token: unknownToken }),
      await askApi(limited, 'GET /api/session', { token: `latchkey_${unknownToken}` }),
    ];
    // One after the other, because an attempt is refunded when it fails with an outage.
    for (let count = 0; count < 3; count += 1) {
      answers.push(await askApi(limited, 'POST /api/login', { body: { email, password } }));
    }
    for (const answer of answers) {
      expect([answer.status, answer.problem]).toEqual([503, 'unavailable']);
      expect(answer.headers['retry-after']).toBe('10');
    }
    limited.sql('ALTER TABLE "Away" RENAME TO "Session"');
    limited.sql('ALTER TABLE "AwayToo" RENAME TO "Password"');
    expect((await askApi(limited, 'GET /api/session', { token: userToken })).status).toBe(200);
    expect(await signInByApi(limited, user)).toBeTruthy();
    expect(limited.logged.some(({ level }) => level >= LOG_ERROR)).toBe(true);
  } finally {
    await limited.close();
  }
});
