import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startApplication, TestClock, type TestApplication } from '../fixtures/application.ts';
import type { BrowserLike } from '../fixtures/browser-like.ts';
import { CLIENT_SECRET } from '../fixtures/openid-provider.ts';
import { openBrowser, signIn, signUp } from '../fixtures/users.ts';
import { leaveFor } from '../fixtures/provider-visits.ts';
import { startScriptedProvider, type ScriptedProvider } from '../fixtures/scripted-provider.ts';
import { fieldOnPage, textOf } from './form-on-page.ts';

const PAGE = '/settings/connections';
const MINUTE_MS = 60_000;
const ENCRYPTION_KEY = `old:${Buffer.alloc(32, 1).toString('base64url')}`;

let application: TestApplication;
let acme: ScriptedProvider;
let beta: ScriptedProvider;
let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  acme = await startScriptedProvider();
  beta = await startScriptedProvider();
  folder = mkdtempSync(join(tmpdir(), 'latchkey-connections-'));
  env = {
    OIDC_PROVIDERS: 'acme,beta',
    ...acme.env('acme', 'Acme <b>Corp</b>'),
    ...beta.env('beta'),
    ENCRYPTION_KEYS: ENCRYPTION_KEY,
    LOG_LEVEL: 'trace',
  };
  application = await startApplication({ clock: new TestClock(new Date()), env });
});
afterAll(async () => {
  await application.close();
  await Promise.all([acme.close(), beta.close()]);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  for (const provider of [acme, beta]) {
    Object.assign(provider, { says: {}, header: {}, signsWithAnotherKey: false, breaks: null });
  }
});

const path = (id: string) => `/login/provider/${id}`;
const add = (id: string) => `${PAGE}/add/${id}`;
const callback = (id: string, query: Record<string, string>) =>
  `${path(id)}/callback?${new URLSearchParams(query)}`;
const stateOf = (address: string) => new URL(address).searchParams.get('state')!;

/**
 * Returns the callback path to which Acme redirects after the authorization request at `address`.
 * The ID token will say what `acme.says` holds at the time of this call.
 */
const callbackFrom = (address: string, more: Record<string, string> = {}) =>
  callback('acme', { code: acme.codeFor(address), state: stateOf(address), ...more });
const signInAs = async (sub: string, browser = openBrowser(application)) => {
  acme.says = { sub, email: `${sub}@example.com`, email_verified: true, name: 'Mallory' };
  const answer = await browser.get(callbackFrom(await leaveFor(browser, path('acme'))));
  return { browser, answer };
};
const linkAs = async (browser: BrowserLike, sub: string) => {
  acme.says = { sub };
  return browser.get(callbackFrom(await leaveFor(browser, add('acme'))));
};
const connections = () =>
  application.sql('SELECT userId, subject, issuer, displayName FROM "Connection" ORDER BY id');
const troubleOf = (answer: { location: string | null }) =>
  new URL(answer.location ?? '/', 'http://x').searchParams.get('trouble');

/** Expects no session, no pending sign-up and no change of the connections. */
const expectNoEffect = async (browser: BrowserLike, before: unknown) => {
  expect(await browser.sessionToken()).toBeNull();
  expect(await browser.jar.getCookieString(application.origin)).not.toContain('pending');
  expect(connections()).toEqual(before);
};

describe('the callback of a sign-in', () => {
  let browser: BrowserLike;
  let address: string;
  let before: unknown;
  beforeEach(async () => {
    before = connections();
    browser = openBrowser(application);
    address = await leaveFor(browser, path('acme'));
    acme.says = { sub: randomUUID() };
  });

  test('a correct callback works, which makes the refusals below meaningful', async () => {
    expect((await browser.get(callbackFrom(address))).location).toBe('/signup/connection');
  });

  test.each([
    ['a wrong state', { state: 'A'.repeat(43) }],
    ['an empty state', { state: '' }],
  ])(
    'a callback with %s does nothing, and the correct one still works afterwards',
    async (_what, more) => {
      expect(troubleOf(await browser.get(callbackFrom(address, more)))).toBe('not-begun');
      await expectNoEffect(browser, before);
      expect((await browser.get(callbackFrom(address))).location).toBe('/signup/connection');
    },
  );

  test('a callback without a state, or with two, does nothing', async () => {
    const code = acme.codeFor(address);
    expect(troubleOf(await browser.get(callback('acme', { code })))).toBe('not-begun');
    const twice = `${callback('acme', { code, state: stateOf(address) })}&state=x`;
    const answer = await browser.get(twice);
    expect(troubleOf(answer)).toBe('refused');
    await expectNoEffect(browser, before);
  });

  test('a replayed callback does nothing, even with the cookies of the first', async () => {
    const cookies = await browser.jar.getCookieString(application.origin);
    acme.breaks = { at: '/token', by: 500 };
    await browser.get(callbackFrom(address));
    acme.breaks = null;
    const again = openBrowser(application);
    const answer = await again.get(callbackFrom(address), { headers: { Cookie: cookies } });
    expect(troubleOf(answer)).toBe('not-begun');
    await expectNoEffect(again, before);
  });

  test('20 concurrent callbacks with the same state work once', async () => {
    const cookies = await browser.jar.getCookieString(application.origin);
    const back = callbackFrom(address);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        openBrowser(application).get(back, { headers: { Cookie: cookies } }),
      ),
    );
    expect(answers.filter(({ location }) => location === '/signup/connection')).toHaveLength(1);
  });

  test('a callback in a browser that started no sign-in does nothing (login CSRF)', async () => {
    const victim = openBrowser(application);
    expect(troubleOf(await victim.get(callbackFrom(address)))).toBe('not-begun');
    await expectNoEffect(victim, before);
  });

  test('a callback in a browser with a sign-in of its own does nothing (code injection)', async () => {
    const victim = openBrowser(application);
    const own = await leaveFor(victim, path('acme'));
    expect(troubleOf(await victim.get(callbackFrom(address)))).toBe('not-begun');
    // The code of one sign-in with the state of another: the nonce and PKCE expose it.
    const injected = callback('acme', { code: acme.codeFor(address), state: stateOf(own) });
    expect(troubleOf(await victim.get(injected))).toBe('refused');
    await expectNoEffect(victim, before);
  });

  test('a callback after ten minutes or more does nothing', async () => {
    application.clock.advance(10 * MINUTE_MS);
    expect(troubleOf(await browser.get(callbackFrom(address)))).toBe('not-begun');
    application.clock.advance(-10 * MINUTE_MS);
    await expectNoEffect(browser, before);
  });

  test('a callback at the path of another provider does nothing (mix-up)', async () => {
    const code = acme.codeFor(address);
    const answer = await browser.get(callback('beta', { code, state: stateOf(address) }));
    expect(troubleOf(answer)).toBe('not-begun');
    await expectNoEffect(browser, before);
    expect(beta.tokenRequests).toEqual([]);
  });

  test('a callback with the iss parameter of another issuer does nothing (RFC 9207)', async () => {
    expect(troubleOf(await browser.get(callbackFrom(address, { iss: beta.issuer })))).toBe(
      'refused',
    );
    await expectNoEffect(browser, before);
  });

  const now = () => Math.floor(Date.now() / 1000);
  const wrong: [what: string, change: () => Partial<ScriptedProvider>][] = [
    ['with the nonce of another sign-in', () => ({ says: { nonce: 'another' } })],
    ['without a nonce', () => ({ says: { nonce: undefined } })],
    ['for another audience', () => ({ says: { aud: 'another-client' } })],
    [
      'for two audiences, authorized for the other one',
      () => ({ says: { aud: ['latchkey', 'x'], azp: 'x' } }),
    ],
    ['of another issuer', () => ({ says: { iss: beta.issuer } })],
    ['that is expired', () => ({ says: { exp: now() - 600, iat: now() - 900 } })],
    ['without a subject', () => ({ says: { sub: undefined } })],
    ['signed with another key', () => ({ signsWithAnotherKey: true })],
    ['without a signature', () => ({ header: { alg: 'none' } })],
    ['with an RSA signature but the header HS256', () => ({ header: { alg: 'HS256' } })],
  ];
  test.each(wrong)('a callback with an ID token %s does nothing', async (_what, change) => {
    const { says, ...rest } = change();
    Object.assign(acme, rest, { says: { ...acme.says, ...says } });
    expect(troubleOf(await browser.get(callbackFrom(address)))).toBe('refused');
    await expectNoEffect(browser, before);
  });

  test.each([
    ['Host', 'evil.example'],
    ['X-Forwarded-Host', 'evil.example'],
    ['Forwarded', 'host=evil.example'],
  ])('the header %s does not change the redirect URI', async (name, value) => {
    const victim = openBrowser(application);
    const headers = { [name]: value };
    const left = await victim.post(path('acme'), {}, { headers });
    const { text } = await victim.get(left.location!, { headers });
    const own = encodeURIComponent(`${application.origin}/login/provider/acme/callback`);
    expect(text).toContain(`redirect_uri=${own}`);
    expect(text).not.toContain('evil.example');
    const to = /content="0;url=([^"]+)"/.exec(text)![1]!.replaceAll('&amp;', '&');
    await victim.get(callbackFrom(to), { headers });
    expect(acme.tokenRequests.at(-1)!.get('redirect_uri')).toBe(
      `${application.origin}/login/provider/acme/callback`,
    );
  });
});

test('every sign-in through a provider has its own state, nonce and PKCE challenge', async () => {
  const browser = openBrowser(application);
  const values = new Set<string>();
  for (let round = 0; round < 5; round += 1) {
    const { searchParams } = new URL(await leaveFor(browser, path('acme')));
    expect(searchParams.get('code_challenge_method')).toBe('S256');
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(searchParams.get(name)).toMatch(/^[\w-]{43}$/);
      values.add(searchParams.get(name)!);
    }
  }
  expect(values.size).toBe(15);
});

describe('connecting an account', () => {
  test('an attacker\u2019s callback, opened in the browser of a victim, connects nothing', async () => {
    const attacker = await signUp(application);
    const victim = await signUp(application);
    const before = connections();
    acme.says = { sub: 'of-the-attacker' };
    for (const begin of [add('acme'), path('acme')]) {
      const own = begin === add('acme') ? attacker.browser : openBrowser(application);
      const back = callbackFrom(await leaveFor(own, begin));
      expect(troubleOf(await victim.browser.get(back))).toBe('not-begun');
      // The same with a sign-in of the victim under way.
      await leaveFor(victim.browser, add('acme'));
      expect(troubleOf(await victim.browser.get(back))).toBe('not-begun');
    }
    expect(connections()).toEqual(before);
  });

  test('a sign-in cannot be finished as a connection, nor a connection as a sign-in', async () => {
    const user = await signUp(application);
    const before = connections();
    // A sign-in that is finished in a signed-in browser makes no connection.
    const visitor = openBrowser(application);
    acme.says = { sub: randomUUID() };
    const address = await leaveFor(visitor, path('acme'));
    for (const cookie of await visitor.jar.getCookies(application.origin)) {
      await user.browser.jar.setCookie(cookie, application.origin);
    }
    expect((await user.browser.get(callbackFrom(address))).location).toBe('/signup/connection');
    expect(connections()).toEqual(before);
    // A connection that is finished in a signed-out browser starts no session.
    const owner = randomUUID();
    await linkAs(user.browser, owner);
    const linking = await leaveFor(user.browser, add('acme'));
    acme.says = { sub: owner };
    const stranger = openBrowser(application);
    for (const cookie of await user.browser.jar.getCookies(application.origin)) {
      if (cookie.key.includes('provider-visit')) {
        await stranger.jar.setCookie(cookie, application.origin);
      }
    }
    expect(troubleOf(await stranger.get(callbackFrom(linking)))).toBe('other-session');
    expect(await stranger.sessionToken()).toBeNull();
  });

  test('a connection can be finished only by the session that started it', async () => {
    const user = await signUp(application);
    const before = connections();
    acme.says = { sub: randomUUID() };
    const address = await leaveFor(user.browser, add('acme'));
    const other = await signIn(application, user);
    const token = (await other.sessionToken())!;
    await user.browser.plantToken(token);
    expect(troubleOf(await user.browser.get(callbackFrom(address)))).toBe('other-session');
    expect(connections()).toEqual(before);
  });

  test('a connection cannot be finished after its session ended', async () => {
    const user = await signUp(application);
    const before = connections();
    acme.says = { sub: randomUUID() };
    const address = await leaveFor(user.browser, add('acme'));
    await user.browser.post('/logout', {});
    expect(troubleOf(await user.browser.get(callbackFrom(address)))).toBe('other-session');
    expect(connections()).toEqual(before);
  });

  test('disconnecting another user\u2019s connection is answered like an unknown one', async () => {
    const owner = await signUp(application);
    await linkAs(owner.browser, randomUUID());
    const { text } = await owner.browser.get(PAGE);
    const id = /\/settings\/connections\/(\w+)\/disconnect/.exec(text)![1]!;
    const stranger = await signUp(application);
    await linkAs(stranger.browser, randomUUID());
    await stranger.browser.get(PAGE);
    const before = connections();
    const answersFor = async (connectionId: string) => {
      const disconnectPath = `${PAGE}/${connectionId}/disconnect`;
      const got = await stranger.browser.get(disconnectPath);
      const posted = await stranger.browser.post(disconnectPath, {});
      return [got, posted].map(({ status, location, headers, text }) => ({
        status,
        location,
        text: textOf(text),
        cookies: headers['set-cookie'],
      }));
    };
    expect(await answersFor(id)).toEqual(await answersFor('c'.repeat(25)));
    expect(connections()).toEqual(before);
  });
});

test('a new issuer that claims the e-mail of an account does not sign in to it', async () => {
  const victim = await signUp(application);
  await linkAs(victim.browser, 'the-same-subject');
  beta.says = { sub: 'the-same-subject', email: victim.email, email_verified: true };
  const attacker = openBrowser(application);
  const address = await leaveFor(attacker, path('beta'));
  const answer = await attacker.get(
    callback('beta', { code: beta.codeFor(address), state: stateOf(address) }),
  );
  expect(answer.location).toBe('/signup/connection');
  const made = await attacker.post('/signup/connection', { name: 'M', email: victim.email });
  expect(made.status).toBe(400);
  expect(await attacker.sessionToken()).toBeNull();
});

test('the same subject at another issuer is another user', async () => {
  const victim = await signUp(application);
  const sub = randomUUID();
  await linkAs(victim.browser, sub);
  const attacker = openBrowser(application);
  beta.says = { sub };
  const address = await leaveFor(attacker, path('beta'));
  const answer = await attacker.get(
    callback('beta', { code: beta.codeFor(address), state: stateOf(address) }),
  );
  expect(answer.location).toBe('/signup/connection');
  expect(await attacker.sessionToken()).toBeNull();
  // The subject at the first issuer still signs in.
  expect((await signInAs(sub)).answer.location).toBe('/');
});

describe('the redirect after a sign-in', () => {
  const sub = 'goes-places';
  beforeAll(async () => {
    const user = await signUp(application);
    await linkAs(user.browser, sub);
  });

  // tests/http/return-path.test.ts tests the rule itself.
  test.each([
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    'https://evil.example/x',
    'https:evil.example',
    '@evil.example',
    'javascript:alert(1)',
    'data:text/html,x',
    '/.//evil.example',
    ' //evil.example',
    `/${'x'.repeat(2000)}`,
    '/login',
    '/logout',
    '/signup/connection',
    '',
  ])('a visit to a provider never redirects to %j', async (redirectTo) => {
    const browser = openBrowser(application);
    acme.says = { sub };
    const address = await leaveFor(browser, path('acme'), { redirectTo });
    expect((await browser.get(callbackFrom(address))).location).toBe('/');
    // The same after a denied sign-in, and after a sign-up.
    const other = openBrowser(application);
    const denied = await leaveFor(other, path('acme'), { redirectTo });
    const back = callback('acme', { error: 'access_denied', state: stateOf(denied) });
    expect((await other.get(back)).location).toBe('/login?trouble=denied&provider=acme');
    const email = `${randomUUID()}@example.com`;
    acme.says = { sub: randomUUID(), email, email_verified: true };
    await other.get(callbackFrom(await leaveFor(other, path('acme'), { redirectTo })));
    const made = await other.post('/signup/connection', { name: 'A', email });
    expect(made.location).toBe('/');
    // The same after re-authentication.
    const proven = await leaveFor(other, '/confirm/provider/acme', { redirectTo });
    acme.says = { ...acme.says, auth_time: Math.floor(Date.now() / 1000) };
    expect((await other.get(callbackFrom(proven))).location).not.toContain('evil');
  });
});

test.each([
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  'two\r\nSet-Cookie: planted=1\u2028lines',
  '\u202eevil',
  'x'.repeat(5000),
])('the pages show the name %j from a provider as text', async (name) => {
  const browser = openBrowser(application);
  const sub = randomUUID();
  const email = `${sub}@example.com`;
  acme.says = { sub, name, preferred_username: name, email, email_verified: true };
  acme.says.email = name.length > 100 ? undefined : name;
  await browser.get(callbackFrom(await leaveFor(browser, path('acme'))));
  const page = await browser.get('/signup/connection');
  expect(page.status).toBe(200);
  for (const raw of ['<script>alert', '<img src=x', 'planted=1\u2028', 'x'.repeat(121)]) {
    expect(page.text).not.toContain(raw);
  }
  expect(page.text).toContain('Acme &lt;b&gt;Corp');
  expect(fieldOnPage(page.text, 'email').value?.length ?? 0).toBeLessThanOrEqual(120);
  const user = await signUp(application);
  acme.says = { sub, preferred_username: name };
  await user.browser.get(callbackFrom(await leaveFor(user.browser, add('acme'))));
  const list = await user.browser.get(PAGE);
  expect(list.status).toBe(200);
  const id = /\/settings\/connections\/(\w+)\/disconnect/.exec(list.text)![1]!;
  const disconnectPage = await user.browser.get(`${PAGE}/${id}/disconnect`);
  for (const { text, headers } of [list, disconnectPage]) {
    expect(text).not.toContain('<script>alert');
    expect(text).not.toContain('<img src=x');
    expect(JSON.stringify(headers)).not.toContain('planted');
  }
});

test('the login page shows no message for an unknown trouble or provider in its URL', async () => {
  const browser = openBrowser(application);
  for (const query of [
    'trouble=<b>x</b>&provider=acme',
    'trouble=constructor&provider=acme',
    'trouble=__proto__&provider=acme',
    'trouble=denied&provider=<b>',
    'trouble=denied',
  ]) {
    const { status, text } = await browser.get(`/login?${query}`);
    expect(status).toBe(200);
    expect(text).not.toContain('role="status" class="rounded-xl bg-glow');
  }
});

describe('tokens of a provider', () => {
  test('the tokens of a provider are in no page, log line or database column', async () => {
    const user = await signUp(application);
    const sub = randomUUID();
    await linkAs(user.browser, sub);
    const { browser } = await signInAs(sub);
    const { browser: newcomer } = await signInAs(randomUUID());
    const pages = await Promise.all(
      ['/', PAGE, '/settings/data', '/settings/sessions', `${PAGE}.data`].map((page) =>
        browser.get(page),
      ),
    );
    pages.push(await newcomer.get('/signup/connection'));
    acme.breaks = { at: '/token', by: 500 };
    await signInAs(sub);
    acme.signsWithAnotherKey = true;
    acme.breaks = null;
    await signInAs(sub);
    const everything = [
      ...pages.map(({ text, headers }) => text + JSON.stringify(headers)),
      application.everything(),
      JSON.stringify(application.logged),
    ].join('\n');
    expect(acme.given.length).toBeGreaterThan(6);
    for (const secret of [...acme.given, CLIENT_SECRET, 'canary-code', 'canary-access']) {
      expect(everything).not.toContain(secret);
    }
    const row = await application.database.client.connection.findFirstOrThrow({
      where: { subject: sub },
    });
    expect(row.tokens).toBeNull();
  });
});
