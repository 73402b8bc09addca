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
/** It says what a test wants it to say. */
let scripted: ScriptedProvider;
beforeAll(async () => {
  acme = await startOpenIdProvider();
  beta = await startOpenIdProvider({ keepsClaimsApart: true });
  github = await startGitHub({ id: 1, login: 'x', name: null, emails: [] });
  scripted = await startScriptedProvider();
  application = await startApplication({
    // The providers tell the time of the day.
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
  await Promise.all([acme, beta, github, scripted].map((one) => one.close()));
});

const path = (id: string) => `/login/provider/${id}`;
const add = (id: string) => `${PAGE}/add/${id}`;

/** Somebody new at a provider, who is the one signed in there now. */
const newcomer = (provider: OpenIdProvider, isVerified = true) => {
  const subject = randomUUID();
  const account = { email: `${subject}@example.com`, email_verified: isVerified, name: 'Grace' };
  provider.accounts[subject] = account;
  provider.signsIn = subject;
  return { subject, ...account };
};
/** An account that was made with a provider. */
const connectedUser = async () => {
  const there = newcomer(acme);
  const browser = openBrowser(application);
  await visit(browser, path('acme'));
  const answer = await browser.post('/signup/connection', { name: 'Grace', email: there.email });
  expect(answer.status, answer.text).toBe(302);
  await browser.get('/');
  return { ...there, browser };
};
const connectionIds = (text: string) =>
  [...text.matchAll(/\/settings\/connections\/(\w+)\/disconnect"/g)].map(([, id]) => id!);
const kindsOf = (userId: string) =>
  application.database.client.activity
    .findMany({ where: { userId }, select: { kind: true }, orderBy: { at: 'asc' } })
    .then((rows) => rows.map(({ kind }) => kind));
const rowOf = (subject: string) =>
  application.database.client.connection.findFirst({ where: { subject } });

test.each(['/login', '/signup'])('%s offers every provider', async (page) => {
  const { text } = await openBrowser(application).get(page);
  const offers = [...text.matchAll(/formaction="([^"]+)"[^>]*><span[^>]*>(.*?)<\/span>/gi)];
  expect(offers.map(([, to, words]) => [to, words!.replace(/<!-- -->/g, '')])).toEqual([
    ['/login/provider/acme', 'Continue with Acme'],
    ['/login/provider/beta', 'Continue with Beta &amp; Sons'],
    ['/login/provider/scripted', 'Continue with Scripted'],
    ['/login/provider/github', 'Continue with GitHub'],
  ]);
});

describe.each([
  ['acme', () => acme],
  ['beta, which tells who it is only when asked', () => beta],
])('%s', (what, provider) => {
  const id = what.split(',')[0]!;

  test('a first sign-in asks, makes an account, and the second one goes straight in', async () => {
    const there = newcomer(provider());
    const browser = openBrowser(application);
    const asked = await visit(browser, path(id), { redirectTo: '/settings/profile' });
    expect(asked.location).toBe('/signup/connection');
    expect(await browser.sessionToken()).toBeNull();
    expect(await rowOf(there.subject)).toBeNull();

    const page = await browser.get(asked.location!);
    expect(textOf(page.text)).toContain(`${id === 'acme' ? 'Acme' : 'Beta & Sons'} knows you as`);
    expect(fieldOnPage(page.text, 'name').value).toBe('Grace');
    expect(fieldOnPage(page.text, 'email').value).toBe(there.email);
    const made = await browser.post('/signup/connection', { name: 'Grace H.', email: there.email });
    expect(made.location).toBe('/settings/profile');
    expect(await isSignedIn(browser)).toBe(true);

    const row = (await rowOf(there.subject))!;
    expect(row).toMatchObject({ issuer: provider().issuer, provider: id });
    const user = await application.database.client.user.findUniqueOrThrow({
      where: { id: row.userId },
      include: { password: true },
    });
    expect(user).toMatchObject({ email: there.email, name: 'Grace H.', password: null });
    expect(user.emailVerifiedAt).toEqual(application.clock.now());
    expect(await kindsOf(user.id)).toEqual(['signed-up', 'signed-in']);

    const again = openBrowser(application);
    provider().signsIn = there.subject;
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

test('the cookie of an account that was made is gone, and makes no second one', async () => {
  const there = newcomer(acme);
  const browser = openBrowser(application);
  await visit(browser, path('acme'));
  const cookie = await browser.jar.getCookieString(application.origin);
  await browser.post('/signup/connection', { name: 'Grace', email: there.email });
  expect(await browser.jar.getCookieString(application.origin)).not.toContain('pending-connection');
  const other = openBrowser(application);
  const again = await other.post(
    '/signup/connection',
    { name: 'Grace', email: there.email },
    { headers: { Cookie: cookie } },
  );
  expect(again.status).toBe(400);
  expect(await other.sessionToken()).toBeNull();
});

test('"stay signed in" goes all the way there and back', async () => {
  const there = await connectedUser();
  acme.signsIn = there.subject;
  const browser = openBrowser(application);
  const back = await visit(browser, path('acme'), { remember: 'on' });
  expect(String(back.headers['set-cookie'])).toMatch(/session=[^;]+; Max-Age=2592000/);
});

describe('GitHub', () => {
  const somebody = (verified: boolean) => {
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

  test('a first sign-in asks, makes an account, and the second one goes straight in', async () => {
    const email = somebody(true);
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
    // A login name can be changed; a number cannot.
    github.account = { ...github.account, login: 'admiral' };
    const again = openBrowser(application);
    expect((await visit(again, path('github'))).location).toBe('/');
    expect(await isSignedIn(again)).toBe(true);
    // Somebody else took the login name, and even the e-mail.
    github.account = { ...github.account, id: github.account.id + 1 };
    expect((await visit(openBrowser(application), path('github'))).location).toBe(
      '/signup/connection',
    );
  });
});

describe('the e-mail of a first sign-in', () => {
  // What the provider does not vouch for: see connected-sign-up.test.ts.
  test('of an account that is there signs nobody in to it, and says what to do', async () => {
    const user = await signUp(application);
    const there = newcomer(acme);
    acme.accounts[there.subject] = { ...there, email: user.email.toUpperCase() };
    const browser = openBrowser(application);
    expect((await visit(browser, path('acme'))).location).toBe('/signup/connection');
    const answer = await browser.post('/signup/connection', { name: 'G', email: user.email });
    expect(answer.status).toBe(400);
    expect(fieldOnPage(answer.text, 'email').note).toBe(
      'There is an account with this e-mail already. Sign in to that account first, then connect Acme in your settings.',
    );
    expect(await browser.sessionToken()).toBeNull();
    expect(await rowOf(there.subject)).toBeNull();
  });
});

test('with a second factor on, the provider alone opens nothing', async () => {
  const user = await connectedUser();
  const { userId } = (await rowOf(user.subject))!;
  await application.database.client.totp.create({
    data: { userId, secret: 'x', createdAt: application.clock.now() },
  });
  acme.signsIn = user.subject;
  const browser = openBrowser(application);
  expect((await visit(browser, path('acme'))).location).toBe('/login/code');
  expect(await browser.sessionToken()).toBeNull();
});

describe('in the settings', () => {
  test('an account is connected, shown, used, and disconnected', async () => {
    const user = await signUp(application);
    const there = newcomer(acme);
    const linked = await visit(user.browser, add('acme'));
    expect(linked.location).toBe(PAGE);
    const page = await user.browser.get(PAGE);
    expect(textOf(page.text)).toContain('Acme is connected. You can sign in with it from now on.');
    expect(textOf(page.text)).toContain(there.email);
    const { userId } = (await rowOf(there.subject))!;

    const phone = openBrowser(application);
    application.clock.advance(1000);
    expect((await visit(phone, path('acme'))).location).toBe('/');
    expect(await isSignedIn(phone)).toBe(true);
    expect((await rowOf(there.subject))!.lastUsedAt).toEqual(application.clock.now());

    const [id] = connectionIds(page.text);
    const question = `${PAGE}/${id}/disconnect`;
    expect(textOf((await user.browser.get(question)).text)).toContain('Disconnect Acme?');
    expect((await user.browser.post(question, {})).location).toBe(PAGE);
    expect(textOf((await user.browser.get(PAGE)).text)).toContain('Acme is disconnected.');
    expect(await rowOf(there.subject)).toBeNull();
    expect(await kindsOf(userId)).toEqual([
      'signed-up',
      'signed-in',
      'connection-added',
      'signed-in',
      'connection-removed',
    ]);
    // It opens nothing any more.
    const later = openBrowser(application);
    expect((await visit(later, path('acme'))).location).toBe('/signup/connection');
  });

  test('two providers at once, and two accounts at one of them', async () => {
    const user = await signUp(application);
    newcomer(acme);
    await visit(user.browser, add('acme'));
    newcomer(acme);
    await visit(user.browser, add('acme'));
    const there = newcomer(beta);
    await visit(user.browser, add('beta'));
    const { text } = await user.browser.get(PAGE);
    expect(connectionIds(text)).toHaveLength(3);
    expect(textOf(text)).toContain('Beta & Sons');
    const browser = openBrowser(application);
    beta.signsIn = there.subject;
    expect((await visit(browser, path('beta'))).location).toBe('/');
  });

  test('the last way in stays, whoever asks and however', async () => {
    const user = await connectedUser();
    const [first] = connectionIds((await user.browser.get(PAGE)).text);
    const question = (id: string) => `${PAGE}/${id}/disconnect`;
    expect(textOf((await user.browser.get(question(first!))).text)).toContain(
      'is your only way to sign in',
    );
    const refused = await user.browser.post(question(first!), {});
    expect(refused.status).toBe(409);
    expect(textOf(refused.text)).toContain('is your only way to sign in');
    expect(await rowOf(user.subject)).not.toBeNull();

    // Of two that go at the same time one stays.
    newcomer(beta);
    await visit(user.browser, add('beta'));
    const ids = connectionIds((await user.browser.get(PAGE)).text);
    expect(ids).toHaveLength(2);
    const phone = openBrowser(application);
    acme.signsIn = user.subject;
    await visit(phone, path('acme'));
    const answers = await Promise.all([
      user.browser.post(question(ids[0]!), {}),
      phone.post(question(ids[1]!), {}),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([302, 409]);
    expect(connectionIds((await user.browser.get(PAGE)).text)).toHaveLength(1);
  });

  test('who is connected to another account is refused, and nothing moves', async () => {
    const owner = await connectedUser();
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

  test('connecting and disconnecting need a fresh proof', async () => {
    const user = await connectedUser();
    const [id] = connectionIds((await user.browser.get(PAGE)).text);
    application.clock.advance(16 * 60_000);
    try {
      expect((await user.browser.post(add('acme'), {})).location).toMatch(/^\/confirm\?/);
      const question = `${PAGE}/${id}/disconnect`;
      expect((await user.browser.get(question)).location).toMatch(/^\/confirm\?/);
      expect((await user.browser.post(question, {})).location).toMatch(/^\/confirm\?/);
      expect((await user.browser.get(PAGE)).status).toBe(200);
    } finally {
      application.clock.advance(-16 * 60_000);
    }
  });
});

describe('connecting and disconnecting offers to sign out everywhere else, and gives a new token', () => {
  /** Somebody who is signed in on two devices, and has somebody new at Acme. */
  const onTwoDevices = async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user);
    newcomer(acme);
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
  ])('with %j', async (choice, staysIn, said) => {
    const { browser, phone, token } = await onTwoDevices();
    const offer = await browser.get(PAGE);
    expect(fieldOnPage(offer.text, 'signOutOthers').isChecked).toBe(true);
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
    const question = `${PAGE}/${id}/disconnect`;
    const asked = await browser.get(question);
    expect(fieldOnPage(asked.text, 'signOutOthers').isChecked).toBe(true);
    await browser.post(question, choice);
    const after = textOf((await browser.get(PAGE)).text);
    expect(after).toContain(`Acme is disconnected.${said}`);
    expect(after.includes('other device is signed out')).toBe(!staysIn);
    expect(await isSignedIn(other)).toBe(staysIn);
    await expectNewToken(browser, connected);
  });

  test('nobody is signed out by a visit that connects nothing', async () => {
    const owner = await connectedUser();
    const { browser, phone, token } = await onTwoDevices();
    acme.signsIn = owner.subject;
    await visit(browser, add('acme'), { signOutOthers: 'on' });
    expect(await isSignedIn(phone)).toBe(true);
    expect(await browser.sessionToken()).toBe(token);
  });

  test('the choice outlasts the question for a fresh proof', async () => {
    const { browser, phone } = await onTwoDevices();
    application.clock.advance(16 * 60_000);
    try {
      const asked = await browser.post(add('acme'), { signOutOthers: 'on' }, { from: PAGE });
      const left = await proveAgain(browser, asked, { password: PASSWORD });
      const address = providerAddressOn(await browser.get(left.location!));
      expect((await browser.get(await walkThrough(address))).location).toBe(PAGE);
      expect(await isSignedIn(phone)).toBe(false);
    } finally {
      application.clock.advance(-16 * 60_000);
    }
  });
});

describe('when the provider does not go along', () => {
  beforeEach(() => {
    Object.assign(scripted, { says: {}, header: {}, signsWithAnotherKey: false, breaks: null });
  });

  test('who says no there is back on the login page, with words', async () => {
    newcomer(acme);
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
    'a provider whose discovery fails (%s) is asked again by the next person',
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
      const warned = own.logged.filter(({ level }) => level === 40);
      expect(warned).toEqual([expect.objectContaining({ provider: 'fresh' })]);
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
    'a provider whose token endpoint fails (%s) signs nobody in',
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

  test('of an id that is not configured leads to the login page', async () => {
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

describe('proving again', () => {
  const CONFIRM = '/confirm/provider';
  const reauthenticatedAt = async (userId: string) => {
    const row = await application.database.client.session.findFirstOrThrow({
      where: { userId, revokedAt: null },
      select: { reauthenticatedAt: true },
    });
    return row.reauthenticatedAt;
  };

  /** Where the page leads that asked for the proof. */
  const ledOn = async (browser: BrowserLike, back: Answer) => {
    expect(back.location).toMatch(/^\/confirm\?redirectTo=/);
    return (await browser.get(back.location!)).location;
  };

  test('a provider asks again who it is, and the session is fresh and has a new token', async () => {
    const user = await connectedUser();
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
    expect(await ledOn(user.browser, answer)).toBe(add('beta'));
    expect(await user.browser.sessionToken()).not.toBe(token);
    expect(await reauthenticatedAt(userId)).toEqual(application.clock.now());
  });

  test('as somebody else proves nothing', async () => {
    const user = await connectedUser();
    const token = await user.browser.sessionToken();
    const other = await connectedUser();
    acme.signsIn = other.subject;
    const answer = await visit(user.browser, `${CONFIRM}/acme`);
    expect(answer.location).toBe('/confirm?trouble=other-person&provider=acme');
    expect(await user.browser.sessionToken()).toBe(token);
  });

  const confirmAtScripted = async (claims: Record<string, unknown>, withPassword: boolean) => {
    const user = withPassword ? await signUp(application) : await connectedUser();
    const sub = randomUUID();
    const { browser } = user;
    const goThere = async (way: string) => {
      const address = await leaveFor(browser, way);
      const { searchParams } = new URL(address);
      const back = new URLSearchParams({
        code: scripted.codeFor(address),
        state: searchParams.get('state')!,
      });
      return browser.get(`${path('scripted')}/callback?${back}`);
    };
    scripted.says = { sub };
    expect((await goThere(add('scripted'))).location).toBe(PAGE);
    scripted.says = { sub, ...claims };
    return { browser, answer: await goThere(`${CONFIRM}/scripted`) };
  };
  const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1000) - seconds;

  test('counts when the provider says that it was just now', async () => {
    const { browser, answer } = await confirmAtScripted({ auth_time: secondsAgo(0) }, true);
    expect(await ledOn(browser, answer)).toBe('/');
  });
  test('does not count when the provider asked long ago', async () => {
    for (const withPassword of [true, false]) {
      const { answer } = await confirmAtScripted({ auth_time: secondsAgo(120) }, withPassword);
      expect(answer.location).toBe('/confirm?trouble=not-again&provider=scripted');
    }
  });
  test('counts without a time only where there is no other way', async () => {
    const refused = await confirmAtScripted({}, true);
    expect(refused.answer.location).toBe('/confirm?trouble=not-again&provider=scripted');
    const { browser, answer } = await confirmAtScripted({}, false);
    expect(await ledOn(browser, answer)).toBe('/');
  });

  test('is not offered by GitHub where there is another way, nor beside a second factor', async () => {
    const user = await signUp(application);
    github.account = { id: 77_001, login: 'ada', name: null, emails: [] };
    await visit(user.browser, add('github'));
    expect((await user.browser.post(`${CONFIRM}/github`, {})).location).toBe('/confirm');
    const { userId } = (await rowOf('77001'))!;
    await application.database.client.password.delete({ where: { userId } });
    const answer = await visit(user.browser, `${CONFIRM}/github`, { redirectTo: PAGE });
    expect(await ledOn(user.browser, answer)).toBe(PAGE);
    await application.database.client.totp.create({
      data: { userId, secret: 'x', createdAt: application.clock.now() },
    });
    expect((await user.browser.post(`${CONFIRM}/github`, {})).location).toBe('/confirm');
  });
});

test('the download has the connections, and none of the tokens', async () => {
  const user = await signUp(application);
  const there = newcomer(acme);
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
      subject: there.subject,
      provider: 'acme',
      displayName: there.email,
      createdAt: now,
      lastUsedAt: now,
    },
  ]);
});

test.each([
  ['nothing', ''],
  ['an operator', 'email[contains]=a&name[contains]=a'],
  ['a list', 'email[]=a@example.com&name[]=a'],
  ['two of each', 'email=a@example.com&email=b@example.com&name=a&name=b'],
  ['broken percent signs', 'email=%&name=%zz'],
])('the form of a first sign-in with %s makes no account', async (_what, body) => {
  newcomer(acme);
  const browser = openBrowser(application);
  await visit(browser, path('acme'));
  const answer = await browser.post('/signup/connection', {}, { body });
  expect(answer.status).toBe(400);
  expect(await browser.sessionToken()).toBeNull();
});
