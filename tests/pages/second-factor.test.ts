import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { proofText, type Proof } from '#app/visit/proof.ts';
import { startApplication, TestClock, type TestApplication } from '../fixtures/application.ts';
import { turnOnTotp, type Authenticator } from '../fixtures/authenticator.ts';
import type { Answer, BrowserLike } from '../fixtures/browser-like.ts';
import { startGitHub, type GitHubServer } from '../fixtures/github-server.ts';
import { startOpenIdProvider, type OpenIdProvider } from '../fixtures/openid-provider.ts';
import { addPasskey, signInBy } from '../fixtures/passkeys.ts';
import { mailboxOf, openBrowser, PASSWORD, signUp, type TestUser } from '../fixtures/users.ts';
import { leaveFor, visit, walkThrough } from '../fixtures/provider-visits.ts';
import { USER_PRESENT } from '../fixtures/software-authenticator.ts';
import { fieldOnPage, formErrorOnPage, textOf } from './form-on-page.ts';

const STEP_MS = 30_000;
const MINUTE_MS = 60_000;
const TEN_MINUTES_MS = 600_000;
const PENDING = 'pending-sign-in';
const WRONG_CODE = 'That code is wrong or was used before. Enter the one shown now.';

let application: TestApplication;
let acme: OpenIdProvider;
let github: GitHubServer;
beforeAll(async () => {
  acme = await startOpenIdProvider();
  github = await startGitHub({ id: 1, login: 'ada', name: null, emails: [] });
  application = await startApplication({
    // The providers tell the time of the day.
    clock: new TestClock(new Date()),
    env: { OIDC_PROVIDERS: 'acme', ...acme.env('acme'), ...github.env },
  });
  acme.admit(application.origin, 'acme');
});
afterAll(async () => {
  await application.close();
  await Promise.all([acme.close(), github.close()]);
});

/**
 * Every way in that does not stand for two factors by itself, but for the mailed code, which asks for
 * the second one on a page of its own. `prepare` gives it to somebody who is signed in; `begin` takes
 * the first step in this browser and answers what came of it.
 */
const waysIn: {
  way: string;
  proof: Omit<Proof, 'second'>;
  prepare?: (user: TestUser) => Promise<unknown>;
  begin: (browser: BrowserLike, user: TestUser) => Promise<Answer>;
}[] = [
  {
    way: 'password',
    proof: { by: 'password', provider: null },
    begin: (browser, { email }) =>
      browser.post('/login', { email, password: PASSWORD, redirectTo: '/settings/profile' }),
  },
  {
    way: 'a provider',
    proof: { by: 'provider', provider: 'Acme' },
    prepare: (user) => connectAcme(user),
    begin: (browser, { email }) => {
      acme.signsIn = email;
      return visit(browser, '/login/provider/acme', { redirectTo: '/settings/profile' });
    },
  },
  {
    way: 'GitHub',
    proof: { by: 'provider', provider: 'GitHub' },
    prepare: (user) => {
      github.account = { ...github.account, id: github.account.id + 1 };
      return visit(user.browser, '/settings/connections/add/github');
    },
    begin: (browser) =>
      visit(browser, '/login/provider/github', { redirectTo: '/settings/profile' }),
  },
  {
    // What makes an account for a newcomer finds one that is there, and begins as any sign-in does.
    way: 'the sign-up page, with a connection that has an account',
    proof: { by: 'provider', provider: 'Acme' },
    prepare: (user) => connectAcme(user),
    begin: async (browser, { email }) => {
      acme.signsIn = email;
      expect((await browser.get('/signup')).text).toContain('/login/provider/acme');
      const from = { redirectTo: '/settings/profile' };
      const back = await walkThrough(await leaveFor(browser, '/login/provider/acme', from));
      const answer = await browser.get(back);
      expect((await browser.get('/signup/connection')).location).toBe('/login');
      return answer;
    },
  },
];
/** Who somebody is at Acme goes by their e-mail here. */
const connectAcme = async ({ browser, email }: TestUser) => {
  acme.accounts[email] = { email, email_verified: true };
  acme.signsIn = email;
  const answer = await visit(browser, '/settings/connections/add/acme');
  expect(answer.location).toBe('/settings/connections');
};

interface Protected {
  user: TestUser;
  app: Authenticator;
}
const signUpWithTotp = async (): Promise<Protected> => {
  const user = await signUp(application);
  return { user, app: await turnOnTotp(application, user) };
};
/** A browser that has taken the first step, by the password. */
const halfSignedIn = async ({ email }: Pick<TestUser, 'email'>, remember?: 'on') => {
  const browser = openBrowser(application);
  const fields = { email, password: PASSWORD, ...(remember ? { remember } : {}) };
  expect((await browser.post('/login', fields)).location).toBe('/login/code');
  return browser;
};
const enterCode = (browser: BrowserLike, code: string) => browser.post('/login/code', { code });
const enterRecoveryCode = (browser: BrowserLike, recoveryCode: string) =>
  browser.post('/login/recovery-code', { recoveryCode });

const cookieOf = async (browser: BrowserLike, name: string): Promise<string | null> => {
  const cookies = await browser.jar.getCookies(application.origin);
  return cookies.find(({ key }) => key === name)?.value ?? null;
};
const sessionsOf = ({ email }: Pick<TestUser, 'email'>) =>
  application.sql<{ meta: string; revokedAt: number | null }>(
    'SELECT meta, revokedAt FROM Session WHERE userId = (SELECT id FROM User WHERE email = ?)',
    email,
  );
const activityOf = ({ email }: Pick<TestUser, 'email'>) =>
  application.sql<{ kind: string; detail: string | null }>(
    'SELECT kind, detail FROM "Activity" WHERE userId = (SELECT id FROM User WHERE email = ?)',
    email,
  );
const isSignedIn = async (browser: BrowserLike) =>
  (await browser.get('/settings/profile')).status === 200;
const expectRefused = async (browser: BrowserLike, answer: Answer) => {
  expect(answer.status).toBe(400);
  expect(fieldOnPage(answer.text, 'code')).toMatchObject({
    isInvalid: true,
    hasFocus: true,
    value: null,
    note: WRONG_CODE,
  });
  expect(await browser.sessionToken()).toBeNull();
};
const expectStartOver = async (browser: BrowserLike, answer: Answer) => {
  expect(answer.location).toBe('/login');
  expect(await browser.sessionToken()).toBeNull();
  const { text } = await browser.follow(answer);
  expect(textOf(text)).toContain('That took too long, or was finished already.');
};

const proofsOf = (user: Pick<TestUser, 'email'>) =>
  sessionsOf(user).map(({ meta }) => (JSON.parse(meta) as { proof: Proof }).proof);
/** How the sessions page says that its own session was proven. */
const expectSignedInWith = async (browser: BrowserLike, proof: Proof) => {
  const { text } = await browser.get('/settings/sessions');
  const current = textOf(text).split('This device')[1] ?? '';
  expect(current).toContain(`with ${proofText(proof)}`);
};

describe.each(waysIn)('by $way, with two factors', ({ proof, prepare, begin }) => {
  const signUpForIt = async (): Promise<Protected> => {
    const user = await signUp(application);
    await prepare?.(user);
    return { user, app: await turnOnTotp(application, user) };
  };

  test('there is no session before the code, and one that says how it was proven after it', async () => {
    const { user, app } = await signUpForIt();
    const before = sessionsOf(user).length;
    const browser = openBrowser(application);
    const first = await begin(browser, user);
    expect(first.location).toBe('/login/code');
    expect(await browser.sessionToken()).toBeNull();
    expect(sessionsOf(user)).toHaveLength(before);
    expect(await isSignedIn(browser)).toBe(false);

    const second = await enterCode(browser, app.nextCode());
    expect(second.location).toBe('/settings/profile');
    expect(await isSignedIn(browser)).toBe(true);
    expect(proofsOf(user)).toContainEqual({ ...proof, second: 'totp' });
    await expectSignedInWith(browser, { ...proof, second: 'totp' });
    expect(await cookieOf(browser, PENDING)).toBeNull();
  });

  test('a recovery code does in place of the code', async () => {
    const { user, app } = await signUpForIt();
    const browser = openBrowser(application);
    await begin(browser, user);
    const second = await enterRecoveryCode(browser, app.recoveryCodes[3]!);
    expect(second.location).toBe('/settings/profile');
    expect(proofsOf(user)).toContainEqual({ ...proof, second: 'recovery-code' });
    await expectSignedInWith(browser, { ...proof, second: 'recovery-code' });
  });

  test('the code of somebody else finishes nothing, nor does their recovery code', async () => {
    const attacker = await signUpWithTotp();
    const { user } = await signUpForIt();
    const before = sessionsOf(user).length;
    const browser = openBrowser(application);
    expect((await begin(browser, user)).location).toBe('/login/code');
    await expectRefused(browser, await enterCode(browser, attacker.app.nextCode()));
    const recovery = await enterRecoveryCode(browser, attacker.app.recoveryCodes[0]!);
    expect(recovery.status).toBe(400);
    expect(await browser.sessionToken()).toBeNull();
    expect(sessionsOf(user)).toHaveLength(before);
  });
});

describe('by a mailed code, with two factors', () => {
  const NEW = '/reset-password/new';
  const newPassword = 'another horse, another battery';
  /** Brings the code back, and stands where the new password is chosen. */
  const bringResetCode = async ({ email }: TestUser) => {
    const browser = openBrowser(application);
    await browser.post('/forgot-password', { email });
    const { code } = await mailboxOf(application).nextMailTo(email, 'password-reset-code');
    expect((await browser.post('/reset-password', { code: String(code) })).location).toBe(NEW);
    return browser;
  };

  test('there is no session and no new password before the second one', async () => {
    const { user, app } = await signUpWithTotp();
    const attacker = await signUpWithTotp();
    const browser = await bringResetCode(user);
    const before = sessionsOf(user);
    expect(fieldOnPage((await browser.get(NEW)).text, 'secondFactor').value).toBeNull();
    for (const secondFactor of ['', attacker.app.nextCode(), attacker.app.recoveryCodes[0]!]) {
      const answer = await browser.post(NEW, { newPassword, secondFactor });
      expect(answer.status).toBe(400);
      expect(fieldOnPage(answer.text, 'secondFactor').isInvalid).toBe(true);
    }
    expect(await browser.sessionToken()).toBeNull();
    expect((await browser.get('/login/code')).location).toBe('/login');
    expect(sessionsOf(user)).toEqual(before);
    await halfSignedIn(user);

    const answer = await browser.post(NEW, { newPassword, secondFactor: app.nextCode() });
    expect(answer.location).toBe('/settings/sessions');
    const proof = { by: 'mailed-code', second: 'totp', provider: null } as const;
    expect(proofsOf(user)).toContainEqual(proof);
    await expectSignedInWith(browser, proof);
  });

  test('a recovery code does in place of the code', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await bringResetCode(user);
    const answer = await browser.post(NEW, { newPassword, secondFactor: app.recoveryCodes[1]! });
    expect(answer.location).toBe('/settings/sessions');
    const proof = { by: 'mailed-code', second: 'recovery-code', provider: null } as const;
    expect(proofsOf(user)).toContainEqual(proof);
    await expectSignedInWith(browser, proof);
  });
});

test('a passkey that knew its owner stands for two factors, goes straight in, and says so', async () => {
  const user = await signUp(application);
  const passkey = await addPasskey(application, user.browser);
  await turnOnTotp(application, user);
  const browser = openBrowser(application);
  const answer = await signInBy(browser, passkey, {}, { redirectTo: '/settings/profile' });
  expect(answer.location).toBe('/settings/profile');
  expect(await isSignedIn(browser)).toBe(true);
  const proof = { by: 'passkey', second: null, provider: null } as const;
  expect(proofsOf(user)).toContainEqual(proof);
  await expectSignedInWith(browser, proof);
  // One that only saw somebody there does not count at all.
  const other = openBrowser(application);
  expect((await signInBy(other, passkey, { flags: USER_PRESENT })).status).toBe(400);
  expect(await other.sessionToken()).toBeNull();
});

test('the page says whose code it asks for, and how to type it', async () => {
  const { user } = await signUpWithTotp();
  const { text } = await (await halfSignedIn(user)).get('/login/code');
  expect(text).toContain(user.email);
  const tag = /<input[^>]*name="code"[^>]*>/.exec(text)![0];
  expect(tag).toContain('inputMode="numeric"');
  expect(tag).toContain('autoComplete="one-time-code"');
  expect(text).toContain('href="/login/recovery-code"');
});

test('"remember me" outlasts the second step', async () => {
  const { user, app } = await signUpWithTotp();
  const browser = await halfSignedIn(user, 'on');
  const answer = await enterCode(browser, app.nextCode());
  expect(String(answer.headers['set-cookie'])).toMatch(/session=[^;]*; Max-Age=2592000/);
});

describe('a code', () => {
  test.each([
    ['with a space in the middle', (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`],
    ['with spaces around', (code: string) => ` ${code}\t`],
    ['with a dash', (code: string) => `${code.slice(0, 3)}–${code.slice(3)}`],
  ])('%s is as good', async (_what, typed) => {
    const { user, app } = await signUpWithTotp();
    const browser = await halfSignedIn(user);
    expect((await enterCode(browser, typed(app.nextCode()))).location).toBe('/');
  });

  test.each([
    ['nothing', ''],
    ['five digits', '12345'],
    ['seven digits', '1234567'],
    ['letters', 'abcdef'],
    ['digits of another script', '١٢٣٤٥٦'],
    ['a thousand digits', '1'.repeat(1000)],
  ])('that is %s is refused next to the field, and is no try', async (_what, code) => {
    const { user } = await signUpWithTotp();
    const browser = await halfSignedIn(user);
    const answer = await enterCode(browser, code);
    expect(answer.status).toBe(400);
    expect(fieldOnPage(answer.text, 'code')).toMatchObject({ isInvalid: true, value: null });
    expect(activityOf(user).map(({ kind }) => kind)).not.toContain('sign-in-failed');
  });

  test('that is wrong is refused, kept nowhere, and told in the activity', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await halfSignedIn(user);
    const right = app.nextCode();
    const wrong = String((Number(right) + 1) % 1_000_000).padStart(6, '0');
    const answer = await enterCode(browser, wrong);
    await expectRefused(browser, answer);
    expect(answer.text).not.toContain(wrong);
    expect(activityOf(user)).toContainEqual({
      kind: 'sign-in-failed',
      detail: '{"what":"second-factor","count":1}',
    });
    expect((await enterCode(browser, right)).location).toBe('/');
  });

  test.each([
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ])('of %i steps from now is taken: %s', async (steps, isTaken) => {
    const { user, app } = await signUpWithTotp();
    application.clock.advance(10 * STEP_MS);
    const browser = await halfSignedIn(user);
    const at = new Date(application.clock.now().getTime() + steps * STEP_MS);
    const answer = await enterCode(browser, app.codeAt(at));
    if (isTaken) expect(answer.location).toBe('/');
    else await expectRefused(browser, answer);
  });

  test('works once, in whatever browser', async () => {
    const { user, app } = await signUpWithTotp();
    const code = app.nextCode();
    expect((await enterCode(await halfSignedIn(user), code)).location).toBe('/');
    const again = await halfSignedIn(user);
    await expectRefused(again, await enterCode(again, code));
  });

  test('that turned two-factor sign-in on is spent by that', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await halfSignedIn(user);
    await expectRefused(browser, await enterCode(browser, app.codeAt(application.clock.now())));
  });

  test('of an older step is refused after one of a newer', async () => {
    const { user, app } = await signUpWithTotp();
    application.clock.advance(10 * STEP_MS);
    const now = application.clock.now();
    const newer = app.codeAt(new Date(now.getTime() + STEP_MS));
    expect((await enterCode(await halfSignedIn(user), newer)).location).toBe('/');
    const browser = await halfSignedIn(user);
    await expectRefused(browser, await enterCode(browser, app.codeAt(now)));
    application.clock.advance(2 * STEP_MS);
    expect((await enterCode(browser, app.codeAt(application.clock.now()))).location).toBe('/');
  });

  test('that twenty submit at once signs in one of them', async () => {
    const { user, app } = await signUpWithTotp();
    const before = sessionsOf(user).length;
    const browsers = await Promise.all(Array.from({ length: 20 }, () => halfSignedIn(user)));
    const code = app.nextCode();
    const answers = await Promise.all(browsers.map((browser) => enterCode(browser, code)));
    expect(answers.map(({ status }) => status).sort()).toEqual(
      [302, ...Array<number>(19).fill(400)].sort(),
    );
    expect(sessionsOf(user)).toHaveLength(before + 1);
  });

  test('of one person finishes nobody else’s sign-in', async () => {
    const victim = await signUpWithTotp();
    const attacker = await signUpWithTotp();
    const browser = await halfSignedIn(victim.user);
    await expectRefused(browser, await enterCode(browser, attacker.app.nextCode()));
    const recovery = await enterRecoveryCode(browser, attacker.app.recoveryCodes[0]!);
    expect(recovery.status).toBe(400);
    // It was not used up by that either.
    expect(
      (await enterRecoveryCode(await halfSignedIn(attacker.user), attacker.app.recoveryCodes[0]!))
        .location,
    ).toBe('/');
  });

  test('of one person does nothing for another who is signed in beside', async () => {
    const victim = await signUpWithTotp();
    const attacker = await signUpWithTotp();
    const { browser } = attacker.user;
    await browser.post('/login', { email: victim.user.email, password: PASSWORD });
    const before = sessionsOf(victim.user).length;
    expect((await enterCode(browser, attacker.app.nextCode())).status).toBe(400);
    expect(sessionsOf(victim.user)).toHaveLength(before);
  });
});

describe('the cookie of a pending sign-in', () => {
  test('finishes once: a copy of it is worth nothing after', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await halfSignedIn(user);
    const copy = (await cookieOf(browser, PENDING))!;
    expect((await enterCode(browser, app.nextCode())).location).toBe('/');
    const before = sessionsOf(user).length;
    // In another spelling, too: base64 has several for the same bytes.
    for (const value of [copy, `${copy}=`, `${copy}==`]) {
      for (const enter of [
        (thief: BrowserLike) => enterCode(thief, app.nextCode()),
        (thief: BrowserLike) => enterRecoveryCode(thief, app.recoveryCodes.pop()!),
      ]) {
        const thief = openBrowser(application);
        await thief.plantToken(value, PENDING);
        await expectStartOver(thief, await enter(thief));
      }
    }
    expect(sessionsOf(user)).toHaveLength(before);
  });

  test('finishes once, also when two right codes come at once', async () => {
    const { user, app } = await signUpWithTotp();
    const before = sessionsOf(user).length;
    const browser = await halfSignedIn(user);
    const code = app.nextCode();
    const answers = await Promise.all([
      enterCode(browser, code),
      ...app.recoveryCodes.map((recoveryCode) => enterRecoveryCode(browser, recoveryCode)),
    ]);
    expect(answers.every(({ status }) => status === 302)).toBe(true);
    expect(sessionsOf(user)).toHaveLength(before + 1);
  });

  test('lasts ten minutes, and not a millisecond longer', async () => {
    const { user, app } = await signUpWithTotp();
    const inTime = await halfSignedIn(user);
    const late = await halfSignedIn(user);
    application.clock.advance(TEN_MINUTES_MS - 1);
    expect((await enterCode(inTime, app.codeAt(application.clock.now()))).location).toBe('/');
    application.clock.advance(2);
    await expectStartOver(late, await enterRecoveryCode(late, app.recoveryCodes[0]!));
    expect((await late.get('/login/code')).location).toBe('/login');
  });

  test('is none when there are two of them, whichever comes first', async () => {
    const { user, app } = await signUpWithTotp();
    const own = (await cookieOf(await halfSignedIn(user), PENDING))!;
    const planted = (await cookieOf(await halfSignedIn(user), PENDING))!;
    for (const both of [
      [own, planted],
      [planted, own],
      [own, own],
      [own, ''],
      ['', own],
    ]) {
      const browser = openBrowser(application);
      const Cookie = both.map((value) => `${PENDING}=${value}`).join('; ');
      const form = { code: app.codeAt(application.clock.now()) };
      const answer = await browser.post('/login/code', form, { headers: { Cookie } });
      expect(answer.location).toBe('/login');
      expect(await browser.sessionToken()).toBeNull();
    }
    const alone = openBrowser(application);
    await alone.plantToken(own, PENDING);
    expect((await enterCode(alone, app.nextCode())).location).toBe('/');
  });

  test('is void when the password has changed since', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await halfSignedIn(user);
    application.clock.advance(1);
    const change = { newPassword: 'another password' };
    expect((await user.browser.post('/settings/password', change)).status).toBe(302);
    await expectStartOver(browser, await enterCode(browser, app.nextCode()));
  });

  test('is void when two-factor sign-in was turned off since', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await halfSignedIn(user);
    await user.browser.post('/settings/two-factor/turn-off', {});
    await expectStartOver(browser, await enterCode(browser, app.nextCode()));
  });

  test('is void when the account is gone', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await halfSignedIn(user);
    const { email } = user;
    await user.browser.post('/settings/data/delete', { email });
    await expectStartOver(browser, await enterCode(browser, app.nextCode()));
  });

  test('is no session, no set-up and no page of codes, nor is one of those a pending sign-in', async () => {
    const { user, app } = await signUpWithTotp();
    const other = await signUp(application);
    const pending = (await cookieOf(await halfSignedIn(user), PENDING))!;
    await other.browser.get('/settings/two-factor/set-up');
    const setUp = (await cookieOf(other.browser, 'totp-set-up'))!;
    const token = (await user.browser.sessionToken())!;

    const asSession = openBrowser(application);
    await asSession.plantToken(pending);
    expect(await isSignedIn(asSession)).toBe(false);
    await asSession.plantToken(setUp);
    expect(await isSignedIn(asSession)).toBe(false);

    for (const value of [pending, token]) {
      await other.browser.plantToken(value, 'totp-set-up');
      const { text } = await other.browser.post('/settings/two-factor/set-up', { code: '123456' });
      expect(formErrorOnPage(text)).toBe('That took too long. Scan the new QR code below.');
      await other.browser.plantToken(value, 'new-recovery-codes');
      const page = await other.browser.get('/settings/two-factor/recovery-codes');
      expect(textOf(page.text)).toContain('They are shown once');
    }
    for (const value of [setUp, token]) {
      const browser = openBrowser(application);
      await browser.plantToken(value, PENDING);
      await expectStartOver(browser, await enterCode(browser, app.nextCode()));
    }
  });

  test.each(['/login/code', '/login/recovery-code'])(
    'is missed at %s with a word why; who is signed in goes home',
    async (path) => {
      const visitor = openBrowser(application);
      await expectStartOver(visitor, await visitor.get(path));
      await expectStartOver(visitor, await visitor.post(path, { code: '123456' }));
      const { browser } = await signUp(application);
      expect((await browser.get(path)).location).toBe('/');
    },
  );
});

describe('a recovery code', () => {
  test('works once, and says how many are left', async () => {
    const { user, app } = await signUpWithTotp();
    const [code] = app.recoveryCodes as [string];
    const browser = await halfSignedIn(user);
    const page = await browser.follow(await enterRecoveryCode(browser, code));
    expect(textOf(page.text)).toContain('That recovery code is used up; 9 are left.');
    expect(activityOf(user)).toContainEqual({ kind: 'recovery-code-used', detail: '{"left":9}' });

    const again = await halfSignedIn(user);
    const answer = await enterRecoveryCode(again, code);
    expect(answer.status).toBe(400);
    expect(fieldOnPage(answer.text, 'recoveryCode')).toMatchObject({
      isInvalid: true,
      value: null,
      note: 'That recovery code is wrong or was used before.',
    });
    expect(answer.text).not.toContain(code);
    expect(await again.sessionToken()).toBeNull();
  });

  test('that twenty submit at once signs in one of them', async () => {
    const { user, app } = await signUpWithTotp();
    const before = sessionsOf(user).length;
    const browsers = await Promise.all(Array.from({ length: 20 }, () => halfSignedIn(user)));
    const answers = await Promise.all(
      browsers.map((browser) => enterRecoveryCode(browser, app.recoveryCodes[0]!)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual(
      [302, ...Array<number>(19).fill(400)].sort(),
    );
    expect(sessionsOf(user)).toHaveLength(before + 1);
  });

  test.each([
    ['in capitals', (code: string) => code.toUpperCase()],
    ['without dashes', (code: string) => code.replaceAll('-', '')],
    ['with spaces', (code: string) => ` ${code.replaceAll('-', ' ')} `],
  ])('%s is as good', async (_what, typed) => {
    const { user, app } = await signUpWithTotp();
    const browser = await halfSignedIn(user);
    expect((await enterRecoveryCode(browser, typed(app.recoveryCodes[9]!))).location).toBe('/');
  });

  test('is ten codes of at least 50 bits, all different, without what looks alike', async () => {
    const { app } = await signUpWithTotp();
    expect(new Set(app.recoveryCodes).size).toBe(10);
    for (const code of app.recoveryCodes) {
      expect(code).toMatch(/^([a-hjkmnp-tv-z2-9]{4}-){2}[a-hjkmnp-tv-z2-9]{4}$/);
    }
    expect(12 * Math.log2(30)).toBeGreaterThan(50);
  });
});

describe('guessing', () => {
  let strict: TestApplication;
  beforeAll(async () => {
    strict = await startApplication({ env: { CODE_TRIES_PER_ACCOUNT: '5' } });
  });
  afterAll(() => strict.close());

  test('is stopped after a few wrong codes of either kind, with word of when to come back', async () => {
    const user = await signUp(strict);
    const app = await turnOnTotp(strict, user);
    const browser = openBrowser(strict);
    await browser.post('/login', { email: user.email, password: PASSWORD });
    for (let times = 0; times < 5; times += 1) {
      const answer =
        times % 2 === 0
          ? await enterCode(browser, '000000')
          : await enterRecoveryCode(browser, 'aaaa-aaaa-aaaa');
      expect(answer.status).toBe(400);
    }
    const code = app.nextCode();
    for (const answer of [
      await enterCode(browser, code),
      await enterRecoveryCode(browser, app.recoveryCodes[0]!),
    ]) {
      expect(answer.status).toBe(429);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      expect(answer.text).toContain('That was tried too often.');
    }
    expect(await browser.sessionToken()).toBeNull();
    // Another browser, in which they were signed in, still has tries.
    await user.browser.post('/login', { email: user.email, password: PASSWORD });
    expect((await enterCode(user.browser, code)).location).toBe('/');
  });

  test('right codes take no tries', async () => {
    const user = await signUp(strict);
    const app = await turnOnTotp(strict, user);
    for (let times = 0; times < 8; times += 1) {
      const browser = openBrowser(strict);
      await browser.post('/login', { email: user.email, password: PASSWORD });
      expect((await enterCode(browser, app.nextCode())).location).toBe('/');
    }
  });
});

test('while the database is gone nobody gets in, and nothing is used up', async () => {
  const { user, app } = await signUpWithTotp();
  const browser = await halfSignedIn(user);
  const code = app.nextCode();
  application.sql('ALTER TABLE "Totp" RENAME TO "Away"');
  try {
    expect((await enterCode(browser, code)).status).toBe(503);
    expect((await enterRecoveryCode(browser, app.recoveryCodes[0]!)).status).toBe(503);
    expect(
      (await openBrowser(application).post('/login', { email: user.email, password: PASSWORD }))
        .status,
    ).toBe(503);
  } finally {
    application.sql('ALTER TABLE "Away" RENAME TO "Totp"');
  }
  expect((await enterCode(browser, code)).location).toBe('/');
});

test('an account without two factors signs in as before', async () => {
  const { email } = await signUp(application);
  const answer = await openBrowser(application).post('/login', { email, password: PASSWORD });
  expect(answer.location).toBe('/');
  application.clock.advance(MINUTE_MS);
});
