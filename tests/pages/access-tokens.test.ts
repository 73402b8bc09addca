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
const EVERYTHING = ['sessions:read', 'sessions:manage', 'download'];
const OTHERS = '/settings/sessions/others/sign-out';

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

describe('a token', () => {
  test('is made with a name, scopes and an end, shown once, and kept nowhere', async () => {
    const { browser, email } = ada;
    const answer = await browser.post(`${PAGE}/new`, { name: 'CI', days: '7', download: 'on' });
    const shown = await browser.get(answer.location!);
    const token = tokenOnPage(shown.text)!;
    expect(shown.headers['cache-control']).toContain('no-store');
    expect(tokenOnPage((await browser.get(answer.location!)).text)).toBeNull();
    expect(application.everything()).not.toContain(token.split('.')[1]);
    expect(JSON.stringify(application.logged)).not.toContain(token.split('.')[1]);
    const { json } = await ask('GET /api/session', { token });
    expect(json).toMatchObject({
      person: { email },
      session: { kind: 'token', scopes: ['download'], isFresh: false },
    });
    const endsAt = new Date(json.session.expiresAt).getTime();
    expect(endsAt - application.clock.now().getTime()).toBe(7 * DAY_MS);
    expect(kindsOf(email)).toContain('token-made');
    const { subject, text } = await mailboxOf(application).nextMailTo(email, 'notice');
    expect(subject).toBe('An access token was made for your Latchkey account');
    expect(text).toContain('CI');
    expect(text).not.toContain(token);
  });

  test.each([
    ['no name', { days: '30', download: 'on' }, 'Say what it is for.'],
    ['no scope', { name: 'CI', days: '30' }, 'Choose at least one thing that it may do.'],
    ['a scope of its own', { name: 'CI', days: '30', everything: 'on' }, 'Choose at least one'],
    ['an end of its own', { name: 'CI', days: '3650', download: 'on' }, ''],
    ['a line break', { name: 'C\nI', days: '30', download: 'on' }, 'Leave out line breaks'],
  ])('with %s is not made', async (_what, fields, text) => {
    const answer = await ada.browser.post(`${PAGE}/new`, fields);
    expect(answer.status).toBe(400);
    expect(textOf(answer.text)).toContain(text);
    expect(kindsOf(ada.email)).not.toContain('token-made');
  });

  test('is made only right after a proof, and shown only to the session that made it', async () => {
    application.clock.advance(16 * MINUTE_MS);
    const asked = await ada.browser.post(`${PAGE}/new`, { name: 'CI', days: '7', download: 'on' });
    expect(asked.location).toMatch(/^\/confirm/);
    expect(kindsOf(ada.email)).not.toContain('token-made');
    const made = await proveAgain(ada.browser, asked, { password: PASSWORD });
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
    'of %i days ends then, to the millisecond, however it is used',
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

  test('may be rested for as long as it lasts: no idle timeout ends it', async () => {
    const token = await makeToken(ada.browser, ['sessions:read'], { days: '365' });
    application.clock.advance(364 * DAY_MS);
    expect(await isAlive(token)).toBe(true);
  });

  test('of any other secret, prefix or byte is none', async () => {
    const token = await makeToken(ada.browser, ['sessions:read']);
    const bare = token.replace('latchkey_', '');
    const session = await signInByApi(application, ada);
    const flipped = (at: number) =>
      token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
    const wrong = [
      bare,
      `latchkey_${token}`,
      `latchkey_${session}`,
      token.toUpperCase(),
      `${token}A`,
      ...Array.from({ length: token.length - 1 }, (_, at) => flipped(at)),
    ];
    for (const one of wrong) expect(await isAlive(one), one).toBe(false);
    expect(await isAlive(token)).toBe(true);
  });
});

describe('what a token may', () => {
  const doors = [
    ['sessions:read', 'GET /api/sessions', undefined],
    ['sessions:manage', 'PATCH /api/sessions/:own', { name: 'Renamed' }],
    ['sessions:manage', 'DELETE /api/sessions/others', undefined],
    ['sessions:manage', 'DELETE /api/sessions/:own', undefined],
    ['download', 'POST /api/download', undefined],
  ] as const;
  test.each(doors)(
    'is what its scopes say: %s opens %s and nothing else does',
    async (scope, request, body) => {
      const others = EVERYTHING.filter((other) => other !== scope);
      const refused = await makeToken(ada.browser, others, { name: 'Without' });
      const allowed = await makeToken(ada.browser, [scope], { name: 'With' });
      const withId = (token: string) => request.replace(':own', publicIdOf(token));
      const no = await ask(withId(refused), { token: refused, body });
      expect([no.status, no.problem]).toEqual([403, 'scope-missing']);
      expect(no.headers['www-authenticate']).toBe(
        `Bearer error="insufficient_scope", scope="${scope}"`,
      );
      const yes = await ask(withId(allowed), { token: allowed, body });
      expect([200, 204]).toContain(yes.status);
    },
  );

  test('is never more than that: no proof, no page, no cookie, no token of another kind', async () => {
    const token = await makeToken(ada.browser, EVERYTHING);
    const confirm = await ask('POST /api/confirm', { token, body: { password: PASSWORD } });
    expect([confirm.status, confirm.problem]).toEqual([403, 'scope-missing']);
    for (const held of [token, token.replace('latchkey_', '')]) {
      const browser = openBrowser(application);
      await browser.plantToken(held);
      for (const path of ['/settings/sessions', '/settings/data', PAGE, `${PAGE}/new`]) {
        expect((await browser.get(path)).location, path).toMatch(/^\/login/);
        const headers = { Authorization: `Bearer ${held}` };
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

  test('does not grow with what stands in its row: unknown scopes allow nothing', async () => {
    const token = await makeToken(ada.browser, ['sessions:read']);
    const id = publicIdOf(token);
    for (const meta of ['{"scopes":["*","admin"]}', '{"scopes":"download"}', '{}', 'null']) {
      application.sql('UPDATE Session SET meta = ? WHERE id = ?', meta, id);
      await application.application.tokenSessions.name(id, '', null);
      const { json } = await ask('GET /api/session', { token });
      expect(json.session.scopes, meta).not.toContain('download');
    }
  });

  test('to manage is to sign out devices and revoke tokens of its owner, and of nobody else', async () => {
    const token = await makeToken(ada.browser, ['sessions:manage'], { name: 'Guard' });
    const other = await makeToken(ada.browser, ['download'], { name: 'Other' });
    const bob = await signUp(application);
    const bobs = await makeToken(bob.browser, ['download']);
    const missing = await ask(`DELETE /api/sessions/${'A'.repeat(22)}`, { token });
    const theirs = await ask(`DELETE /api/sessions/${publicIdOf(bobs)}`, { token });
    expect([theirs.status, theirs.text]).toEqual([missing.status, missing.text]);
    expect(await isAlive(bobs)).toBe(true);
    expect((await ask(`DELETE /api/sessions/${publicIdOf(other)}`, { token })).status).toBe(204);
    expect(await isAlive(other)).toBe(false);
    const id = publicIdOf((await ada.browser.sessionToken())!);
    expect((await ask(`DELETE /api/sessions/${id}`, { token })).status).toBe(204);
    expect((await ada.browser.get(PAGE)).location).toMatch(/^\/login/);
    const ended = entriesOf(application, ada.email).find(({ kind }) => kind === 'session-ended');
    expect(ended?.sessionId).toBe(publicIdOf(token));
  });

  test('to download is the file of the page, written down and mailed', async () => {
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

  test('is to revoke itself, whatever its scopes are', async () => {
    const token = await makeToken(ada.browser, ['download']);
    expect((await ask('POST /api/logout', { token })).status).toBe(204);
    expect(await isAlive(token)).toBe(false);
    expect(kindsOf(ada.email)).toContain('token-revoked');
  });
});

describe('its owner', () => {
  test('sees it beside the devices, with what it may and when it was last used', async () => {
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

  test('revokes it at once, after a proof, and nobody else can', async () => {
    const token = await makeToken(ada.browser, ['sessions:read'], { name: 'CI runner' });
    const revoke = `${PAGE}/${publicIdOf(token)}/revoke`;
    const bob = await signUp(application);
    for (const path of [revoke, `${PAGE}/${'A'.repeat(22)}/revoke`]) {
      expect((await bob.browser.get(path)).status).toBe(404);
      expect((await bob.browser.post(path, {})).status).toBe(404);
    }
    application.clock.advance(16 * MINUTE_MS);
    const asked = await ada.browser.post(revoke, {});
    expect(await isAlive(token)).toBe(true);
    const answer = await proveAgain(ada.browser, asked, { password: PASSWORD });
    expect(textOf((await ada.browser.follow(answer)).text)).toContain('CI runner is revoked.');
    expect(await isAlive(token)).toBe(false);
  });

  test('keeps a session out of the tokens, and a token out of the sessions', async () => {
    const token = await makeToken(ada.browser, ['sessions:read']);
    const sessionId = publicIdOf((await ada.browser.sessionToken())!);
    expect((await ada.browser.post(`${PAGE}/${sessionId}/revoke`, {})).status).toBe(404);
    const path = `/settings/sessions/${publicIdOf(token)}`;
    expect((await ada.browser.post(`${path}/sign-out`, {})).status).toBe(404);
    expect((await ada.browser.post(`${path}/name`, { label: 'x' })).status).toBe(404);
    expect(await isAlive(token)).toBe(true);
  });

  test('gives it another name by the API, and cannot take the name away', async () => {
    const token = await makeToken(ada.browser, ['sessions:manage']);
    const id = publicIdOf(token);
    const named = await ask(`PATCH /api/sessions/${id}`, { token, body: { name: 'Nightly' } });
    expect(named.json).toMatchObject({ kind: 'token', name: 'Nightly' });
    const without = await ask(`PATCH /api/sessions/${id}`, { token, body: { name: null } });
    expect(without.json.errors).toEqual([{ field: 'name', message: 'Say what it is for.' }]);
  });

  test('has fifty at the most', async () => {
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
    ['leaves tokens alone', {}, true],
    ['takes them along when the person says so', { revokeTokens: 'on' }, false],
  ])('%s', async (_what, fields, stays) => {
    const token = await makeToken(ada.browser, ['sessions:read']);
    const phone = await signIn(application, ada);
    const answer = await ada.browser.post(OTHERS, fields);
    expect((await phone.get('/settings/profile')).location).toMatch(/^\/login/);
    expect(await isAlive(token)).toBe(stays);
    const text = textOf((await ada.browser.follow(answer)).text);
    expect(text.includes('1 access token is revoked.')).toBe(!stays);
  });

  test.each([
    ['keep', true],
    ['revoke', false],
  ])('by the API likewise: %s', async (tokens, stays) => {
    const token = await makeToken(ada.browser, ['sessions:read']);
    const own = await makeToken(ada.browser, ['sessions:manage']);
    const request = `DELETE /api/sessions/others?tokens=${tokens}`;
    const { json } = await ask(request, { token: own });
    expect(json).toEqual({ sessions: 1, tokens: stays ? 0 : 1 });
    expect([await isAlive(token), await isAlive(own)]).toEqual([stays, true]);
    const wrong = await ask('DELETE /api/sessions/others?tokens=all', { token: own });
    expect([wrong.status, wrong.json.errors[0]?.field]).toEqual([422, 'tokens']);
  });

  test('and neither the cap on sessions: tokens take no place of it', async () => {
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

describe('every token ends', () => {
  test('with a reset of the password', async () => {
    const token = await makeToken(ada.browser, EVERYTHING);
    const browser = openBrowser(application);
    await browser.post('/forgot-password', { email: ada.email });
    const { code } = await mailboxOf(application).nextMailTo(ada.email, 'password-reset-code');
    await browser.post('/reset-password', { code: String(code) });
    await browser.post('/reset-password/new', { newPassword: 'quite another password' });
    expect(await isAlive(token)).toBe(false);
  });

  test('with "This wasn’t me", to which the mail about it leads', async () => {
    const token = await makeToken(ada.browser, EVERYTHING);
    const { links } = await mailboxOf(application).nextMailTo(ada.email, 'notice');
    const key = links.find((link) => link.includes('/not-me#'))!.split('#')[1]!;
    await openBrowser(application).post('/not-me', { key });
    expect(await isAlive(token)).toBe(false);
  });

  test('with a change of e-mail that is taken back', async () => {
    const { browser, email } = ada;
    const newEmail = `newer-${email}`;
    await browser.post('/settings/email', { newEmail });
    const { code } = await mailboxOf(application).nextMailTo(newEmail, 'email-change-code');
    await browser.post('/settings/email/verify', { code: String(code) });
    const token = await makeToken(browser, EVERYTHING);
    const { links } = await mailboxOf(application).nextMailTo(email, 'email-changed');
    const key = links.find((link) => link.includes('/email-change/undo#'))!.split('#')[1]!;
    expect(await isAlive(token)).toBe(true);
    await openBrowser(application).post('/email-change/undo', { key });
    expect(await isAlive(token)).toBe(false);
  });

  test('with the account', async () => {
    const token = await makeToken(ada.browser, EVERYTHING);
    await ada.browser.post('/settings/data/delete', { email: ada.email });
    expect(await isAlive(token)).toBe(false);
  });

  test.each([
    ['with a change of the password, unless they are to stay', { revokeTokens: 'on' }, false],
    ['not with a change of the password, if they are to stay', {}, true],
  ])('%s', async (_what, fields, stays) => {
    const token = await makeToken(ada.browser, EVERYTHING);
    const page = await ada.browser.get('/settings/password');
    expect(page.text).toMatch(/<input[^>]*name="revokeTokens"[^>]*checked/);
    const change = { newPassword: 'quite another password', signOutOthers: 'on', ...fields };
    await ada.browser.post('/settings/password', change);
    expect(await isAlive(token)).toBe(stays);
  });
});
