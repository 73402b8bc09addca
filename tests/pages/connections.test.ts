import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startApplication, TestClock, type TestApplication } from '../fixtures/application.ts';
import type { Answer, BrowserLike } from '../fixtures/browser-like.ts';
import { proveAgain } from '../fixtures/fresh-proof.ts';
import { startGitHub, type GitHubServer } from '../fixtures/github-server.ts';
import { startOpenIdProvider, type OpenIdProvider } from '../fixtures/openid-provider.ts';
import { isSignedIn } from '../fixtures/signed-in.ts';
import { openBrowser, PASSWORD, signIn, signUp } from '../fixtures/users.ts';
import { leaveFor, providerAddressOn, visit, walkThrough } from '../fixtures/provider-visits.ts';
import { startScriptedProvider, type ScriptedProvider } from '../fixtures/scripted-provider.ts';
import { fieldOnPage, textOf } from './form-on-page.ts';

const PAGE = '/settings/connections';

let application: TestApplication;
let acme: OpenIdProvider;
let beta: OpenIdProvider;
let github: GitHubServer;
/** A provider whose claims each test chooses. */
let scripted: ScriptedProvider;
beforeAll(async () => {
  acme = await startOpenIdProvider();
  beta = await startOpenIdProvider({ keepsClaimsApart: true });
  github = await startGitHub({ id: 1, login: 'x', name: null, emails: [] });
  scripted = await startScriptedProvider();
  application = await startApplication({
    // The providers use the real time in their ID tokens.
    clock: new TestClock(new Date()),
    env: {
      OIDC_PROVIDERS: 'acme, beta,scripted',
      ...acme.env('acme'),
      ...beta.env('beta', 'Beta & Sons'),
      ...scripted.env('scripted'),
      ...github.env,
    },
  });
  acme.admit(application.origin, 'acme');
  beta.admit(application.origin, 'beta');
});
afterAll(async () => {
  await application.close();
  await Promise.all([acme, beta, github, scripted].map((provider) => provider.close()));
});

const path = (id: string) => `/login/provider/${id}`;
const add = (id: string) => `${PAGE}/add/${id}`;

/** Creates a new account at a provider, and signs in to it there. */
const createProviderAccount = (provider: OpenIdProvider, isVerified = true) => {
  const subject = randomUUID();
  const account = { email: `${subject}@example.com`, email_verified: isVerified, name: 'Grace' };
  provider.accounts[subject] = account;
  provider.signsIn = subject;
  return { subject, ...account };
};
/** Signs up a user through Acme. Returns the account at Acme, and the browser. */
const signUpThroughAcme = async () => {
  const providerAccount = createProviderAccount(acme);
  const browser = openBrowser(application);
  await visit(browser, path('acme'));
  const answer = await browser.post('/signup/connection', {
    name: 'Grace',
    email: providerAccount.email,
  });
  expect(answer.status, answer.text).toBe(302);
  await browser.get('/');
  return { ...providerAccount, browser };
};
const connectionIds = (text: string) =>
  [...text.matchAll(/\/settings\/connections\/(\w+)\/disconnect"/g)].map(([, id]) => id!);
const activityKindsOf = (userId: string) =>
  application.database.client.activity
    .findMany({ where: { userId }, select: { kind: true }, orderBy: { at: 'asc' } })
    .then((rows) => rows.map(({ kind }) => kind));
const rowOf = (subject: string) =>
  application.database.client.connection.findFirst({ where: { subject } });

test.each(['/login', '/signup'])('%s offers every provider', async (page) => {
  const { text } = await openBrowser(application).get(page);
  const buttons = [...text.matchAll(/formaction="([^"]+)"[^>]*><span[^>]*>(.*?)<\/span>/gi)];
  expect(buttons.map(([, to, label]) => [to, label!.replace(/<!-- -->/g, '')])).toEqual([
    ['/login/provider/acme', 'Continue with Acme'],
    ['/login/provider/beta', 'Continue with Beta &amp; Sons'],
    ['/login/provider/scripted', 'Continue with Scripted'],
    ['/login/provider/github', 'Continue with GitHub'],
  ]);
});

describe.each([
  ['acme', () => acme],
  ['beta, which returns name and e-mail only at its userinfo endpoint', () => beta],
])('the provider %s', (what, provider) => {
  const id = what.split(',')[0]!;

  test(`a first sign-in through ${what} leads to a sign-up form, the second one signs in`, async () => {
    const providerAccount = createProviderAccount(provider());
    const browser = openBrowser(application);
    const first = await visit(browser, path(id), { redirectTo: '/settings/profile' });
    expect(first.location).toBe('/signup/connection');
    expect(await browser.sessionToken()).toBeNull();
    expect(await rowOf(providerAccount.subject)).toBeNull();

    const page = await browser.get(first.location!);
    expect(textOf(page.text)).toContain(`${id === 'acme' ? 'Acme' : 'Beta & Sons'} knows you as`);
    expect(fieldOnPage(page.text, 'name').value).toBe('Grace');
    expect(fieldOnPage(page.text, 'email').value).toBe(providerAccount.email);
    const made = await browser.post('/signup/connection', {
      name: 'Grace H.',
      email: providerAccount.email,
    });
    expect(made.location).toBe('/settings/profile');
    expect(await isSignedIn(browser)).toBe(true);

    const row = (await rowOf(providerAccount.subject))!;
    expect(row).toMatchObject({ issuer: provider().issuer, provider: id });
    const user = await application.database.client.user.findUniqueOrThrow({
      where: { id: row.userId },
      include: { password: true },
    });
    expect(user).toMatchObject({ email: providerAccount.email, name: 'Grace H.', password: null });
    expect(user.emailVerifiedAt).toEqual(application.clock.now());
    expect(await activityKindsOf(user.id)).toEqual(['signed-up', 'signed-in']);

    const again = openBrowser(application);
    provider().signsIn = providerAccount.subject;
    expect((await visit(again, path(id), { redirectTo: '/settings/data' })).location).toBe(
      '/settings/data',
    );
    expect(await isSignedIn(again)).toBe(true);
    const [session] = application.sql<{ meta: string }>(
      'SELECT meta FROM Session WHERE userId = ? ORDER BY createdAt DESC',
      user.id,
    );
    expect(JSON.parse(session!.meta)).toMatchObject({
      proof: { by: 'provider', second: null, provider: id === 'acme' ? 'Acme' : 'Beta & Sons' },
    });
  });
});

test('a sign-up clears its pending cookie, which cannot be replayed for a second account', async () => {
  const providerAccount = createProviderAccount(acme);
  const browser = openBrowser(application);
  await visit(browser, path('acme'));
  const cookie = await browser.jar.getCookieString(application.origin);
  await browser.post('/signup/connection', { name: 'Grace', email: providerAccount.email });
  expect(await browser.jar.getCookieString(application.origin)).not.toContain('pending-connection');
  const other = openBrowser(application);
  const again = await other.post(
    '/signup/connection',
    { name: 'Grace', email: providerAccount.email },
    { headers: { Cookie: cookie } },
  );
  expect(again.status).toBe(400);
  expect(await other.sessionToken()).toBeNull();
});

test('"stay signed in" survives the redirect to a provider and back', async () => {
  const providerAccount = await signUpThroughAcme();
  acme.signsIn = providerAccount.subject;
  const browser = openBrowser(application);
  const back = await visit(browser, path('acme'), { remember: 'on' });
  expect(String(back.headers['set-cookie'])).toMatch(/session=[^;]+; Max-Age=2592000/);
});

describe('GitHub', () => {
  const signInAtGitHub = (verified: boolean) => {
    const email = `${randomUUID()}@example.com`;
    github.account = {
      id: Math.floor(Math.random() * 1e9) + 1,
      login: 'grace',
      name: 'Grace Hopper',
      emails: [
        { email: 'other@example.com', primary: false, verified: true },
        { email, primary: true, verified },
      ],
    };
    return email;
  };

  test('a first sign-in through GitHub leads to a sign-up form, the second one signs in', async () => {
    const email = signInAtGitHub(true);
    const browser = openBrowser(application);
    expect((await visit(browser, path('github'))).location).toBe('/signup/connection');
    const page = await browser.get('/signup/connection');
    expect(fieldOnPage(page.text, 'email').value).toBe(email);
    await browser.post('/signup/connection', { name: 'Grace', email });
    expect(await rowOf(String(github.account.id))).toMatchObject({
      issuer: github.url,
      provider: 'github',
      displayName: 'grace',
    });
    // GitHub users can change their login name, but not their id.
    github.account = { ...github.account, login: 'admiral' };
    const again = openBrowser(application);
    expect((await visit(again, path('github'))).location).toBe('/');
    expect(await isSignedIn(again)).toBe(true);
    // Another GitHub user has the login name and the e-mail now.
    github.account = { ...github.account, id: github.account.id + 1 };
    expect((await visit(openBrowser(application), path('github'))).location).toBe(
      '/signup/connection',
    );
  });
});

describe('the e-mail of a first sign-in', () => {
  // For e-mails that the provider has not verified see connected-sign-up.test.ts.
  test('a first sign-in with the e-mail of an existing account is refused with instructions', async () => {
    const user = await signUp(application);
    const providerAccount = createProviderAccount(acme);
    acme.accounts[providerAccount.subject] = {
      ...providerAccount,
      email: user.email.toUpperCase(),
    };
    const browser = openBrowser(application);
    expect((await visit(browser, path('acme'))).location).toBe('/signup/connection');
    const answer = await browser.post('/signup/connection', { name: 'G', email: user.email });
    expect(answer.status).toBe(400);
    expect(fieldOnPage(answer.text, 'email').note).toBe(
      'There is an account with this e-mail already. Sign in to that account first, then connect Acme in your settings.',
    );
    expect(await browser.sessionToken()).toBeNull();
    expect(await rowOf(providerAccount.subject)).toBeNull();
  });
});

test('a user with a second factor is asked for it after the sign-in through a provider', async () => {
  const user = await signUpThroughAcme();
  const { userId } = (await rowOf(user.subject))!;
  await application.database.client.totp.create({
    data: { userId, secret: 'x', createdAt: application.clock.now() },
  });
  acme.signsIn = user.subject;
  const browser = openBrowser(application);
  expect((await visit(browser, path('acme'))).location).toBe('/login/code');
  expect(await browser.sessionToken()).toBeNull();
});

describe('the settings page of connections', () => {
  test('a user can connect a provider account, sign in with it and disconnect it', async () => {
    const user = await signUp(application);
    const providerAccount = createProviderAccount(acme);
    const linked = await visit(user.browser, add('acme'));
    expect(linked.location).toBe(PAGE);
    const page = await user.browser.get(PAGE);
    expect(textOf(page.text)).toContain('Acme is connected. You can sign in with it from now on.');
    expect(textOf(page.text)).toContain(providerAccount.email);
    const { userId } = (await rowOf(providerAccount.subject))!;

    const phone = openBrowser(application);
    application.clock.advance(1000);
    expect((await visit(phone, path('acme'))).location).toBe('/');
    expect(await isSignedIn(phone)).toBe(true);
    expect((await rowOf(providerAccount.subject))!.lastUsedAt).toEqual(application.clock.now());

    const [id] = connectionIds(page.text);
    const disconnectPath = `${PAGE}/${id}/disconnect`;
    expect(textOf((await user.browser.get(disconnectPath)).text)).toContain('Disconnect Acme?');
    expect((await user.browser.post(disconnectPath, {})).location).toBe(PAGE);
    expect(textOf((await user.browser.get(PAGE)).text)).toContain('Acme is disconnected.');
    expect(await rowOf(providerAccount.subject)).toBeNull();
    expect(await activityKindsOf(userId)).toEqual([
      'signed-up',
      'signed-in',
      'connection-added',
      'signed-in',
      'connection-removed',
    ]);
    // The disconnected account leads to a new sign-up.
    const later = openBrowser(application);
    expect((await visit(later, path('acme'))).location).toBe('/signup/connection');
  });

  test('a user can connect two providers, and two accounts of one provider', async () => {
    const user = await signUp(application);
    createProviderAccount(acme);
    await visit(user.browser, add('acme'));
    createProviderAccount(acme);
    await visit(user.browser, add('acme'));
    const providerAccount = createProviderAccount(beta);
    await visit(user.browser, add('beta'));
    const { text } = await user.browser.get(PAGE);
    expect(connectionIds(text)).toHaveLength(3);
    expect(textOf(text)).toContain('Beta & Sons');
    const browser = openBrowser(application);
    beta.signsIn = providerAccount.subject;
    expect((await visit(browser, path('beta'))).location).toBe('/');
  });

  test('the last sign-in method cannot be disconnected, not even by concurrent requests', async () => {
    const user = await signUpThroughAcme();
    const [first] = connectionIds((await user.browser.get(PAGE)).text);
    const disconnectPath = (id: string) => `${PAGE}/${id}/disconnect`;
    expect(textOf((await user.browser.get(disconnectPath(first!))).text)).toContain(
      'is your only way to sign in',
    );
    const refused = await user.browser.post(disconnectPath(first!), {});
    expect(refused.status).toBe(409);
    expect(textOf(refused.text)).toContain('is your only way to sign in');
    expect(await rowOf(user.subject)).not.toBeNull();

    // Two concurrent requests, one for each of two connections: one of them is refused.
    createProviderAccount(beta);
    await visit(user.browser, add('beta'));
    const ids = connectionIds((await user.browser.get(PAGE)).text);
    expect(ids).toHaveLength(2);
    const phone = openBrowser(application);
    acme.signsIn = user.subject;
    await visit(phone, path('acme'));
    const answers = await Promise.all([
      user.browser.post(disconnectPath(ids[0]!), {}),
      phone.post(disconnectPath(ids[1]!), {}),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([302, 409]);
    expect(connectionIds((await user.browser.get(PAGE)).text)).toHaveLength(1);
  });

  test('a provider account that is connected to another user is refused and stays there', async () => {
    const owner = await signUpThroughAcme();
    const before = await rowOf(owner.subject);
    const other = await signUp(application);
    acme.signsIn = owner.subject;
    const answer = await visit(other.browser, add('acme'));
    expect(answer.location).toBe(`${PAGE}?trouble=other-account&provider=acme`);
    expect(textOf((await other.browser.get(answer.location!)).text)).toContain(
      'is connected to another account here, so nothing was done',
    );
    expect(await rowOf(owner.subject)).toEqual(before);
    const mine = await visit(owner.browser, add('acme'));
    expect(mine.location).toBe(`${PAGE}?trouble=already-yours&provider=acme`);
  });

  test('connecting and disconnecting need re-authentication', async () => {
    const user = await signUpThroughAcme();
    const [id] = connectionIds((await user.browser.get(PAGE)).text);
    application.clock.advance(16 * 60_000);
    try {
      expect((await user.browser.post(add('acme'), {})).location).toMatch(/^\/confirm\?/);
      const disconnectPath = `${PAGE}/${id}/disconnect`;
      expect((await user.browser.get(disconnectPath)).location).toMatch(/^\/confirm\?/);
      expect((await user.browser.post(disconnectPath, {})).location).toMatch(/^\/confirm\?/);
      expect((await user.browser.get(PAGE)).status).toBe(200);
    } finally {
      application.clock.advance(-16 * 60_000);
    }
  });
});

describe('signing out everywhere else when connecting and disconnecting', () => {
  /** Signs up a user with two devices and a new, unconnected account at Acme. */
  const signUpOnTwoDevices = async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user);
    createProviderAccount(acme);
    return { ...user, phone, token: (await user.browser.sessionToken())! };
  };
  const expectNewToken = async (browser: BrowserLike, old: string) => {
    expect(await browser.sessionToken()).not.toBe(old);
    expect(await isSignedIn(browser)).toBe(true);
    const copy = openBrowser(application);
    await copy.plantToken(old);
    expect(await isSignedIn(copy)).toBe(false);
  };

  test.each([
    [{ signOutOthers: 'on' }, false, ' 1 other device is signed out.'],
    [{}, true, ''],
  ])(
    'the choice %j is followed, and both changes rotate the token',
    async (choice, staysIn, said) => {
      const { browser, phone, token } = await signUpOnTwoDevices();
      const before = await browser.get(PAGE);
      expect(fieldOnPage(before.text, 'signOutOthers').isChecked).toBe(true);
      await visit(browser, add('acme'), choice);
      const page = await browser.get(PAGE);
      expect(textOf(page.text)).toContain(
        `Acme is connected. You can sign in with it from now on.${said}`,
      );
      expect(textOf(page.text).includes('other device is signed out')).toBe(!staysIn);
      expect(await isSignedIn(phone)).toBe(staysIn);
      await expectNewToken(browser, token);

      const connected = (await browser.sessionToken())!;
      const other = openBrowser(application);
      await visit(other, path('acme'));
      if (staysIn) await phone.post('/logout', {});
      const [id] = connectionIds(page.text);
      const disconnectPath = `${PAGE}/${id}/disconnect`;
      const disconnectPage = await browser.get(disconnectPath);
      expect(fieldOnPage(disconnectPage.text, 'signOutOthers').isChecked).toBe(true);
      await browser.post(disconnectPath, choice);
      const after = textOf((await browser.get(PAGE)).text);
      expect(after).toContain(`Acme is disconnected.${said}`);
      expect(after.includes('other device is signed out')).toBe(!staysIn);
      expect(await isSignedIn(other)).toBe(staysIn);
      await expectNewToken(browser, connected);
    },
  );

  test('a refused connection signs out no device and keeps the token', async () => {
    const owner = await signUpThroughAcme();
    const { browser, phone, token } = await signUpOnTwoDevices();
    acme.signsIn = owner.subject;
    await visit(browser, add('acme'), { signOutOthers: 'on' });
    expect(await isSignedIn(phone)).toBe(true);
    expect(await browser.sessionToken()).toBe(token);
  });

  test('the choice survives re-authentication', async () => {
    const { browser, phone } = await signUpOnTwoDevices();
    application.clock.advance(16 * 60_000);
    try {
      const redirect = await browser.post(add('acme'), { signOutOthers: 'on' }, { from: PAGE });
      const continued = await proveAgain(browser, redirect, { password: PASSWORD });
      const address = providerAddressOn(await browser.get(continued.location!));
      expect((await browser.get(await walkThrough(address))).location).toBe(PAGE);
      expect(await isSignedIn(phone)).toBe(false);
    } finally {
      application.clock.advance(-16 * 60_000);
    }
  });
});

describe('when the provider fails or refuses', () => {
  beforeEach(() => {
    Object.assign(scripted, { says: {}, header: {}, signsWithAnotherKey: false, breaks: null });
  });

  test('denying the request at the provider leads back to the login page with a message', async () => {
    createProviderAccount(acme);
    acme.denies = true;
    const browser = openBrowser(application);
    const answer = await visit(browser, path('acme'), { redirectTo: '/settings/data' });
    acme.denies = false;
    expect(answer.location).toBe(
      '/login?redirectTo=%2Fsettings%2Fdata&trouble=denied&provider=acme',
    );
    const page = await browser.get(answer.location!);
    expect(textOf(page.text)).toContain('You stopped at Acme, so nothing was done.');
    expect(page.text).toContain('name="redirectTo" value="/settings/data"');
  });

  test.each([503, 'hangs'] as const)(
    'a failed discovery (%s) is not cached: the next sign-in asks the provider again',
    async (by) => {
      const fresh = await startScriptedProvider();
      const own = await startApplication({
        env: { OIDC_PROVIDERS: 'fresh', ...fresh.env('fresh') },
      });
      fresh.breaks = { at: '/.well-known/openid-configuration', by };
      const browser = openBrowser(own);
      const answer = await browser.post(path('fresh'), {});
      expect(answer.location).toBe('/login?trouble=unavailable&provider=fresh');
      expect(textOf((await browser.get(answer.location!)).text)).toContain(
        'Fresh does not answer right now. Try again in a few minutes.',
      );
      const warnings = own.logged.filter(({ level }) => level === 40);
      expect(warnings).toEqual([expect.objectContaining({ provider: 'fresh' })]);
      expect(own.logged.filter(({ level }) => level > 40)).toEqual([]);
      fresh.breaks = null;
      expect(await leaveFor(browser, path('fresh'))).toMatch(
        /^http:\/\/127.0.0.1:\d+\/authorize\?/,
      );
      await own.close();
      await fresh.close();
    },
  );

  test.each([503, 500, 'hangs'] as const)(
    'a failing token endpoint (%s) leads to the login page, without a session',
    async (by) => {
      const browser = openBrowser(application);
      const address = await leaveFor(browser, path('scripted'));
      scripted.breaks = { at: '/token', by };
      const back = new URLSearchParams({
        code: scripted.codeFor(address),
        state: new URL(address).searchParams.get('state')!,
      });
      const answer = await browser.get(`${path('scripted')}/callback?${back}`);
      expect(answer.location).toBe('/login?trouble=unavailable&provider=scripted');
      expect(await browser.sessionToken()).toBeNull();
    },
  );

  test('the path of an unknown provider redirects to the login page', async () => {
    const browser = openBrowser(application);
    for (const answer of [
      await browser.post(path('nothing'), {}),
      await browser.get(path('nothing')),
      await browser.get(`${path('nothing')}/callback?code=x&state=y`),
    ]) {
      expect(answer.location).toBe('/login');
    }
  });
});

describe('re-authentication', () => {
  const CONFIRM = '/confirm/provider';
  const reauthenticatedAt = async (userId: string) => {
    const row = await application.database.client.session.findFirstOrThrow({
      where: { userId, revokedAt: null },
      select: { reauthenticatedAt: true },
    });
    return row.reauthenticatedAt;
  };

  /** Returns where the confirm page redirects after `back`, the end of a re-authentication. */
  const locationAfter = async (browser: BrowserLike, back: Answer) => {
    expect(back.location).toMatch(/^\/confirm\?redirectTo=/);
    return (await browser.get(back.location!)).location;
  };

  test('re-authentication at a provider makes the session fresh and rotates its token', async () => {
    const user = await signUpThroughAcme();
    const { userId } = (await rowOf(user.subject))!;
    const token = await user.browser.sessionToken();
    acme.signsIn = user.subject;
    application.clock.advance(1000);
    const address = await leaveFor(user.browser, `${CONFIRM}/acme`, { redirectTo: add('beta') });
    expect(Object.fromEntries(new URL(address).searchParams)).toMatchObject({
      prompt: 'login',
      max_age: '0',
    });
    const answer = await user.browser.get(await walkThrough(address));
    expect(await locationAfter(user.browser, answer)).toBe(add('beta'));
    expect(await user.browser.sessionToken()).not.toBe(token);
    expect(await reauthenticatedAt(userId)).toEqual(application.clock.now());
  });

  test('re-authentication as another user is refused', async () => {
    const user = await signUpThroughAcme();
    const token = await user.browser.sessionToken();
    const other = await signUpThroughAcme();
    acme.signsIn = other.subject;
    const answer = await visit(user.browser, `${CONFIRM}/acme`);
    expect(answer.location).toBe('/confirm?trouble=other-person&provider=acme');
    expect(await user.browser.sessionToken()).toBe(token);
  });

  const confirmAtScripted = async (claims: Record<string, unknown>, withPassword: boolean) => {
    const user = withPassword ? await signUp(application) : await signUpThroughAcme();
    const sub = randomUUID();
    const { browser } = user;
    const visitScripted = async (from: string) => {
      const address = await leaveFor(browser, from);
      const { searchParams } = new URL(address);
      const back = new URLSearchParams({
        code: scripted.codeFor(address),
        state: searchParams.get('state')!,
      });
      return browser.get(`${path('scripted')}/callback?${back}`);
    };
    scripted.says = { sub };
    expect((await visitScripted(add('scripted'))).location).toBe(PAGE);
    scripted.says = { sub, ...claims };
    return { browser, answer: await visitScripted(`${CONFIRM}/scripted`) };
  };
  const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;

  test('re-authentication counts if auth_time is now', async () => {
    const { browser, answer } = await confirmAtScripted({ auth_time: secondsAgo(0) }, true);
    expect(await locationAfter(browser, answer)).toBe('/');
  });
  test('re-authentication does not count if auth_time is two minutes ago', async () => {
    for (const withPassword of [true, false]) {
      const { answer } = await confirmAtScripted({ auth_time: secondsAgo(120) }, withPassword);
      expect(answer.location).toBe('/confirm?trouble=not-again&provider=scripted');
    }
  });
  test('re-authentication without auth_time counts only if the user has no other way', async () => {
    const refused = await confirmAtScripted({}, true);
    expect(refused.answer.location).toBe('/confirm?trouble=not-again&provider=scripted');
    const { browser, answer } = await confirmAtScripted({}, false);
    expect(await locationAfter(browser, answer)).toBe('/');
  });

  test('GitHub cannot re-authenticate a user who has a password or a second factor', async () => {
    const user = await signUp(application);
    github.account = { id: 77_001, login: 'ada', name: null, emails: [] };
    await visit(user.browser, add('github'));
    expect((await user.browser.post(`${CONFIRM}/github`, {})).location).toBe('/confirm');
    const { userId } = (await rowOf('77001'))!;
    await application.database.client.password.delete({ where: { userId } });
    const answer = await visit(user.browser, `${CONFIRM}/github`, { redirectTo: PAGE });
    expect(await locationAfter(user.browser, answer)).toBe(PAGE);
    await application.database.client.totp.create({
      data: { userId, secret: 'x', createdAt: application.clock.now() },
    });
    expect((await user.browser.post(`${CONFIRM}/github`, {})).location).toBe('/confirm');
  });
});

test('the data download lists the connections, without tokens', async () => {
  const user = await signUp(application);
  const providerAccount = createProviderAccount(acme);
  await visit(user.browser, add('acme'));
  const phone = await signIn(application, user);
  const form = { password: user.password };
  await phone.post('/settings/data', form);
  const file = await phone.post('/settings/data/download/json', form, { from: '/settings/data' });
  const { connections } = JSON.parse(file.text) as { connections: unknown[] };
  const now = application.clock.now().toISOString();
  expect(connections).toEqual([
    {
      issuer: acme.issuer,
      subject: providerAccount.subject,
      provider: 'acme',
      displayName: providerAccount.email,
      createdAt: now,
      lastUsedAt: now,
    },
  ]);
});

test.each([
  ['no fields', ''],
  ['an operator', 'email[contains]=a&name[contains]=a'],
  ['a list', 'email[]=a@example.com&name[]=a'],
  ['two of each', 'email=a@example.com&email=b@example.com&name=a&name=b'],
  ['broken percent signs', 'email=%&name=%zz'],
])('a form of a first sign-in with %s creates no account', async (_what, body) => {
  createProviderAccount(acme);
  const browser = openBrowser(application);
  await visit(browser, path('acme'));
  const answer = await browser.post('/signup/connection', {}, { body });
  expect(answer.status).toBe(400);
  expect(await browser.sessionToken()).toBeNull();
});
