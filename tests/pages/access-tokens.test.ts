import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  askApi,
  makeToken,
  publicIdOf,
  signInByApi,
  tokenOnPage,
  type ApiOptions,
} from '../fixtures/api-client.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { proveAgain } from '../fixtures/fresh-proof.ts';
import {
  mailboxOf,
  openBrowser,
  PASSWORD,
  signIn,
  signUp,
  type TestUser,
} from '../fixtures/users.ts';
import { entriesOf } from './activity-entries.ts';
import { textOf } from './form-on-page.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const PAGE = '/settings/tokens';
const ALL_SCOPES = ['sessions:read', 'sessions:manage', 'download'];
const SIGN_OUT_OTHERS = '/settings/sessions/others/sign-out';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

let ada: TestUser;
beforeEach(async () => {
  ada = await signUp(application);
});

const ask = (request: string, options: ApiOptions = {}) => askApi(application, request, options);
const isAlive = async (token: string) => (await ask('GET /api/session', { token })).status === 200;
const kindsOf = (email: string) => entriesOf(application, email).map(({ kind }) => kind);

describe('access tokens', () => {
  test('a new token has a name, scopes and an expiry, is shown once and never stored', async () => {
    const { browser, email } = ada;
    const answer = await browser.post(`${PAGE}/new`, { name: 'CI', days: '7', download: 'on' });
    const madePage = await browser.get(answer.location!);
    const token = tokenOnPage(madePage.text)!;
    expect(madePage.headers['cache-control']).toContain('no-store');
    expect(tokenOnPage((await browser.get(answer.location!)).text)).toBeNull();
    expect(application.everything()).not.toContain(token.split('.')[1]);
    expect(JSON.stringify(application.logged)).not.toContain(token.split('.')[1]);
    const { json } = await ask('GET /api/session', { token });
    expect(json).toMatchObject({
      person: { email },
      session: { kind: 'token', scopes: ['download'], isFresh: false },
    });
    const expiresAtMs = new Date(json.session.expiresAt).getTime();
    expect(expiresAtMs - application.clock.now().getTime()).toBe(7 * DAY_MS);
    expect(kindsOf(email)).toContain('token-made');
    const { subject, text } = await mailboxOf(application).nextMailTo(email, 'notice');
    expect(subject).toBe('An access token was made for your Latchkey account');
    expect(text).toContain('CI');
    expect(text).not.toContain(token);
  });

  test.each([
    ['no name', { days: '30', download: 'on' }, 'Say what it is for.'],
    ['no scope', { name: 'CI', days: '30' }, 'Choose at least one thing that it may do.'],
    ['an unknown scope', { name: 'CI', days: '30', everything: 'on' }, 'Choose at least one'],
    ['an unknown lifetime', { name: 'CI', days: '3650', download: 'on' }, ''],
    [
      'a line break in its name',
      { name: 'C\nI', days: '30', download: 'on' },
      'Leave out line breaks',
    ],
  ])('a token with %s is refused', async (_what, fields, text) => {
    const answer = await ada.browser.post(`${PAGE}/new`, fields);
    expect(answer.status).toBe(400);
    expect(textOf(answer.text)).toContain(text);
    expect(kindsOf(ada.email)).not.toContain('token-made');
  });

  test('a new token needs a fresh sign-in, and only the session that made it can see it', async () => {
    application.clock.advance(16 * MINUTE_MS);
    const redirect = await ada.browser.post(`${PAGE}/new`, {
      name: 'CI',
      days: '7',
      download: 'on',
    });
    expect(redirect.location).toMatch(/^\/confirm/);
    expect(kindsOf(ada.email)).not.toContain('token-made');
    const made = await proveAgain(ada.browser, redirect, { password: PASSWORD });
    expect(made.location).toBe(`${PAGE}/made`);
    const cookies = await ada.browser.jar.getCookies(application.origin);
    const other = await signIn(application, ada);
    for (const cookie of cookies.filter(({ key }) => key !== 'session')) {
      await other.jar.setCookie(cookie, application.origin);
    }
    expect(tokenOnPage((await other.get(made.location!)).text)).toBeNull();
    expect(tokenOnPage((await ada.browser.get(made.location!)).text)).not.toBeNull();
  });

  test.each([7, 30, 90, 365])(
    'a token of %i days expires after exactly that time, even if it is in use',
    async (days) => {
      const token = await makeToken(ada.browser, ['sessions:read'], { days: String(days) });
      for (let quarter = 1; quarter < 4; quarter += 1) {
        application.clock.advance((days * DAY_MS) / 4);
        expect(await isAlive(token)).toBe(true);
      }
      application.clock.advance((days * DAY_MS) / 4 - 1);
      expect(await isAlive(token)).toBe(true);
      application.clock.advance(1);
      expect(await isAlive(token)).toBe(false);
    },
  );

  test('an unused token has no idle timeout', async () => {
    const token = await makeToken(ada.browser, ['sessions:read'], { days: '365' });
    application.clock.advance(364 * DAY_MS);
    expect(await isAlive(token)).toBe(true);
  });

  test('a token with a wrong secret, a wrong prefix or one changed byte is refused', async () => {
    const token = await makeToken(ada.browser, ['sessions:read']);
    const withoutPrefix = token.replace('latchkey_', '');
    const session = await signInByApi(application, ada);
    const withChangedByte = (at: number) =>
      token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
    const wrong = [
      withoutPrefix,
      `latchkey_${token}`,
      `latchkey_${session}`,
      token.toUpperCase(),
      `${token}A`,
      ...Array.from({ length: token.length - 1 }, (_, at) => withChangedByte(at)),
    ];
    for (const wrongToken of wrong) expect(await isAlive(wrongToken), wrongToken).toBe(false);
    expect(await isAlive(token)).toBe(true);
  });
});

describe('scopes', () => {
  /** The scope, the request that needs it, and the body of that request. */
  const scopedRequests = [
    ['sessions:read', 'GET /api/sessions', undefined],
    ['sessions:manage', 'PATCH /api/sessions/:own', { name: 'Renamed' }],
    ['sessions:manage', 'DELETE /api/sessions/others', undefined],
    ['sessions:manage', 'DELETE /api/sessions/:own', undefined],
    ['download', 'POST /api/download', undefined],
  ] as const;
  test.each(scopedRequests)(
    'the scope %s allows %s, and no other scope does',
    async (scope, request, body) => {
      const others = ALL_SCOPES.filter((other) => other !== scope);
      const refused = await makeToken(ada.browser, others, { name: 'Without' });
      const allowed = await makeToken(ada.browser, [scope], { name: 'With' });
      const withId = (token: string) => request.replace(':own', publicIdOf(token));
      const refusal = await ask(withId(refused), { token: refused, body });
      expect([refusal.status, refusal.problem]).toEqual([403, 'scope-missing']);
      expect(refusal.headers['www-authenticate']).toBe(
        `Bearer error="insufficient_scope", scope="${scope}"`,
      );
      const success = await ask(withId(allowed), { token: allowed, body });
      expect([200, 204]).toContain(success.status);
    },
  );

  test('a token with all scopes cannot re-authenticate, open pages or be a session cookie', async () => {
    const token = await makeToken(ada.browser, ALL_SCOPES);
    const confirm = await ask('POST /api/confirm', { token, body: { password: PASSWORD } });
    expect([confirm.status, confirm.problem]).toEqual([403, 'scope-missing']);
    for (const value of [token, token.replace('latchkey_', '')]) {
      const browser = openBrowser(application);
      await browser.plantToken(value);
      for (const path of ['/settings/sessions', '/settings/data', PAGE, `${PAGE}/new`]) {
        expect((await browser.get(path)).location, path).toMatch(/^\/login/);
        const headers = { Authorization: `Bearer ${value}` };
        const withBearer = await openBrowser(application).get(path, { headers });
        expect(withBearer.location, path).toMatch(/^\/login/);
      }
      const made = await browser.post(`${PAGE}/new`, { name: 'More', days: '365', download: 'on' });
      expect(made.location).toMatch(/^\/login/);
      const events = await browser.get('/session/events', {
        headers: { 'Sec-Fetch-Site': 'same-origin' },
      });
      expect(events.status).toBe(204);
    }
  });

  test('unknown or malformed scopes in the row of a token allow nothing', async () => {
    const token = await makeToken(ada.browser, ['sessions:read']);
    const id = publicIdOf(token);
    for (const meta of ['{"scopes":["*","admin"]}', '{"scopes":"download"}', '{}', 'null']) {
      application.sql('UPDATE Session SET meta = ? WHERE id = ?', meta, id);
      await application.application.tokenSessions.name(id, '', null);
      const { json } = await ask('GET /api/session', { token });
      expect(json.session.scopes, meta).not.toContain('download');
    }
  });

  test('sessions:manage signs out devices and revokes tokens, but none of other users', async () => {
    const token = await makeToken(ada.browser, ['sessions:manage'], { name: 'Guard' });
    const other = await makeToken(ada.browser, ['download'], { name: 'Other' });
    const bob = await signUp(application);
    const tokenOfBob = await makeToken(bob.browser, ['download']);
    const missing = await ask(`DELETE /api/sessions/${'A'.repeat(22)}`, { token });
    const foreign = await ask(`DELETE /api/sessions/${publicIdOf(tokenOfBob)}`, { token });
    expect([foreign.status, foreign.text]).toEqual([missing.status, missing.text]);
    expect(await isAlive(tokenOfBob)).toBe(true);
    expect((await ask(`DELETE /api/sessions/${publicIdOf(other)}`, { token })).status).toBe(204);
    expect(await isAlive(other)).toBe(false);
    const id = publicIdOf((await ada.browser.sessionToken())!);
    expect((await ask(`DELETE /api/sessions/${id}`, { token })).status).toBe(204);
    expect((await ada.browser.get(PAGE)).location).toMatch(/^\/login/);
    const ended = entriesOf(application, ada.email).find(({ kind }) => kind === 'session-ended');
    expect(ended?.sessionId).toBe(publicIdOf(token));
  });

  test('the scope download returns the same file as the page, and the download is logged', async () => {
    const token = await makeToken(ada.browser, ['download']);
    const answer = await ask('POST /api/download', { token });
    expect(answer.headers['content-disposition']).toContain('latchkey-data-');
    const { sessions } = answer.json;
    expect(sessions).toContainEqual(
      expect.objectContaining({
        kind: 'token',
        label: 'Backup script',
        endedAt: null,
        id: publicIdOf(token),
        meta: { scopes: ['download'] },
      }),
    );
    expect(answer.text).not.toContain(token.split('.')[1]);
    expect(kindsOf(ada.email)).toContain('download-made');
  });

  test('a token can revoke itself, whatever its scopes are', async () => {
    const token = await makeToken(ada.browser, ['download']);
    expect((await ask('POST /api/logout', { token })).status).toBe(204);
    expect(await isAlive(token)).toBe(false);
    expect(kindsOf(ada.email)).toContain('token-revoked');
  });
});

describe('managing tokens', () => {
  test('the session list shows a token with its scopes and its last use', async () => {
    const token = await makeToken(ada.browser, ['sessions:read', 'download'], {
      name: 'CI runner',
    });
    const before = textOf((await ada.browser.get('/settings/sessions')).text);
    expect(before).toContain('CI runner');
    expect(before).toContain('Access token · See sessions, Download your data');
    expect(before).toContain('Not used yet');
    application.clock.advance(5 * MINUTE_MS);
    await ask('GET /api/session', { token });
    const after = textOf((await ada.browser.get(PAGE)).text);
    expect(after).not.toContain('Not used yet');
    const { json } = await ask('GET /api/sessions', { token });
    expect(json.sessions).toContainEqual(
      expect.objectContaining({
        kind: 'token',
        name: 'CI runner',
        isCurrent: true,
        isNamed: true,
        lastUsedAt: application.clock.now().toISOString(),
      }),
    );
  });

  test('only the owner can revoke a token: after re-authentication, and at once', async () => {
    const token = await makeToken(ada.browser, ['sessions:read'], { name: 'CI runner' });
    const revoke = `${PAGE}/${publicIdOf(token)}/revoke`;
    const bob = await signUp(application);
    for (const path of [revoke, `${PAGE}/${'A'.repeat(22)}/revoke`]) {
      expect((await bob.browser.get(path)).status).toBe(404);
      expect((await bob.browser.post(path, {})).status).toBe(404);
    }
    application.clock.advance(16 * MINUTE_MS);
    const redirect = await ada.browser.post(revoke, {});
    expect(await isAlive(token)).toBe(true);
    const answer = await proveAgain(ada.browser, redirect, { password: PASSWORD });
    expect(textOf((await ada.browser.follow(answer)).text)).toContain('CI runner is revoked.');
    expect(await isAlive(token)).toBe(false);
  });

  test('a session cannot be revoked as a token, nor a token signed out or named as a session', async () => {
    const token = await makeToken(ada.browser, ['sessions:read']);
    const sessionId = publicIdOf((await ada.browser.sessionToken())!);
    expect((await ada.browser.post(`${PAGE}/${sessionId}/revoke`, {})).status).toBe(404);
    const path = `/settings/sessions/${publicIdOf(token)}`;
    expect((await ada.browser.post(`${path}/sign-out`, {})).status).toBe(404);
    expect((await ada.browser.post(`${path}/name`, { label: 'x' })).status).toBe(404);
    expect(await isAlive(token)).toBe(true);
  });

  test('a token can be renamed through the API, but its name cannot be removed', async () => {
    const token = await makeToken(ada.browser, ['sessions:manage']);
    const id = publicIdOf(token);
    const named = await ask(`PATCH /api/sessions/${id}`, { token, body: { name: 'Nightly' } });
    expect(named.json).toMatchObject({ kind: 'token', name: 'Nightly' });
    const without = await ask(`PATCH /api/sessions/${id}`, { token, body: { name: null } });
    expect(without.json.errors).toEqual([{ field: 'name', message: 'Say what it is for.' }]);
  });

  test('a user can have at most 50 access tokens', async () => {
    const { tokenSessions: tokens } = application.application;
    const now = application.clock.now();
    const [{ id: userId }] = application.sql<{ id: string }>(
      'SELECT id FROM User WHERE email = ?',
      ada.email,
    ) as [{ id: string }];
    for (let count = 0; count < 50; count += 1) {
      await tokens.start({ userId, label: 'One', meta: { scopes: [] } }, now);
    }
    const answer = await ada.browser.post(`${PAGE}/new`, { name: 'x', days: '7', download: 'on' });
    expect(textOf(answer.text)).toContain('You have 50 access tokens. Revoke one first.');
  });
});

describe('signing out everywhere else', () => {
  test.each([
    ['signing out everywhere else keeps access tokens', {}, true],
    [
      'signing out everywhere else revokes access tokens if the user asks for it',
      { revokeTokens: 'on' },
      false,
    ],
  ])('%s', async (_what, fields, stays) => {
    const token = await makeToken(ada.browser, ['sessions:read']);
    const phone = await signIn(application, ada);
    const answer = await ada.browser.post(SIGN_OUT_OTHERS, fields);
    expect((await phone.get('/settings/profile')).location).toMatch(/^\/login/);
    expect(await isAlive(token)).toBe(stays);
    const text = textOf((await ada.browser.follow(answer)).text);
    expect(text.includes('1 access token is revoked.')).toBe(!stays);
  });

  test.each([
    ['keep', true],
    ['revoke', false],
  ])(
    'DELETE /api/sessions/others with tokens=%s does what it says, and never ends the token in use',
    async (tokens, stays) => {
      const token = await makeToken(ada.browser, ['sessions:read']);
      const own = await makeToken(ada.browser, ['sessions:manage']);
      const request = `DELETE /api/sessions/others?tokens=${tokens}`;
      const { json } = await ask(request, { token: own });
      expect(json).toEqual({ sessions: 1, tokens: stays ? 0 : 1 });
      expect([await isAlive(token), await isAlive(own)]).toEqual([stays, true]);
      const wrong = await ask('DELETE /api/sessions/others?tokens=all', { token: own });
      expect([wrong.status, wrong.json.errors[0]?.field]).toEqual([422, 'tokens']);
    },
  );

  test('the limit of 100 sessions neither counts nor ends access tokens', async () => {
    const token = await makeToken(ada.browser, ['sessions:read']);
    const [{ userId }] = application.sql<{ userId: string }>(
      'SELECT userId FROM Session WHERE id = ?',
      publicIdOf(token),
    ) as [{ userId: string }];
    const { sessions } = application.application;
    for (let count = 0; count < 101; count += 1) {
      await sessions.start({ userId }, application.clock.now());
    }
    expect(await isAlive(token)).toBe(true);
    const { live } = await sessions.list(userId, application.clock.now());
    expect(live).toHaveLength(100);
  });
});

describe('when tokens end with something else', () => {
  test('a password reset revokes access tokens', async () => {
    const token = await makeToken(ada.browser, ALL_SCOPES);
    const browser = openBrowser(application);
    await browser.post('/forgot-password', { email: ada.email });
    const { code } = await mailboxOf(application).nextMailTo(ada.email, 'password-reset-code');
    await browser.post('/reset-password', { code: String(code) });
    await browser.post('/reset-password/new', { newPassword: 'quite another password' });
    expect(await isAlive(token)).toBe(false);
  });

  test('the "This wasn’t me" link in the mail about a new token revokes the token', async () => {
    const token = await makeToken(ada.browser, ALL_SCOPES);
    const { links } = await mailboxOf(application).nextMailTo(ada.email, 'notice');
    const key = links.find((link) => link.includes('/not-me#'))!.split('#')[1]!;
    await openBrowser(application).post('/not-me', { key });
    expect(await isAlive(token)).toBe(false);
  });

  test('undoing a change of e-mail revokes access tokens', async () => {
    const { browser, email } = ada;
    const newEmail = `newer-${email}`;
    await browser.post('/settings/email', { newEmail });
    const { code } = await mailboxOf(application).nextMailTo(newEmail, 'email-change-code');
    await browser.post('/settings/email/verify', { code: String(code) });
    const token = await makeToken(browser, ALL_SCOPES);
    const { links } = await mailboxOf(application).nextMailTo(email, 'email-changed');
    const key = links.find((link) => link.includes('/email-change/undo#'))!.split('#')[1]!;
    expect(await isAlive(token)).toBe(true);
    await openBrowser(application).post('/email-change/undo', { key });
    expect(await isAlive(token)).toBe(false);
  });

  test('deleting the account revokes its access tokens', async () => {
    const token = await makeToken(ada.browser, ALL_SCOPES);
    await ada.browser.post('/settings/data/delete', { email: ada.email });
    expect(await isAlive(token)).toBe(false);
  });

  test.each([
    [
      'a password change revokes access tokens while the box is checked, which is the default',
      { revokeTokens: 'on' },
      false,
    ],
    ['a password change keeps access tokens if the box is unchecked', {}, true],
  ])('%s', async (_what, fields, stays) => {
    const token = await makeToken(ada.browser, ALL_SCOPES);
    const page = await ada.browser.get('/settings/password');
    expect(page.text).toMatch(/<input[^>]*name="revokeTokens"[^>]*checked/);
    const change = { newPassword: 'quite another password', signOutOthers: 'on', ...fields };
    await ada.browser.post('/settings/password', change);
    expect(await isAlive(token)).toBe(stays);
  });
});
