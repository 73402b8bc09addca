import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { proofText, type Proof } from '#app/visit/proof.ts';
import { startApplication, TestClock, type TestApplication } from '../fixtures/application.ts';
import { turnOnTotp, type Authenticator } from '../fixtures/authenticator.ts';
import type { Answer, BrowserLike } from '../fixtures/browser-like.ts';
import { cookieOf } from '../fixtures/cookies.ts';
import { startGitHub, type GitHubServer } from '../fixtures/github-server.ts';
import { startOpenIdProvider, type OpenIdProvider } from '../fixtures/openid-provider.ts';
import { addPasskey, signInBy } from '../fixtures/passkeys.ts';
import { isSignedIn } from '../fixtures/signed-in.ts';
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
    // The providers use the real time.
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
 * Every sign-in method that is a single factor. The mailed code is missing here because it asks for
 * the second factor on its own page. `prepare` adds the method to a signed-in user; `begin` passes
 * the first factor in this browser and returns the answer.
 */
const signInMethods: {
  method: string;
  proof: Omit<Proof, 'second'>;
  prepare?: (user: TestUser) => Promise<unknown>;
  begin: (browser: BrowserLike, user: TestUser) => Promise<Answer>;
}[] = [
  {
    method: 'a password',
    proof: { by: 'password', provider: null },
    begin: (browser, { email }) =>
      browser.post('/login', { email, password: PASSWORD, redirectTo: '/settings/profile' }),
  },
  {
    method: 'an OpenID provider',
    proof: { by: 'provider', provider: 'Acme' },
    prepare: (user) => connectAcme(user),
    begin: (browser, { email }) => {
      acme.signsIn = email;
      return visit(browser, '/login/provider/acme', { redirectTo: '/settings/profile' });
    },
  },
  {
    method: 'GitHub',
    proof: { by: 'provider', provider: 'GitHub' },
    prepare: (user) => {
      github.account = { ...github.account, id: github.account.id + 1 };
      return visit(user.browser, '/settings/connections/add/github');
    },
    begin: (browser) =>
      visit(browser, '/login/provider/github', { redirectTo: '/settings/profile' }),
  },
  {
    // The sign-up by provider of an already connected user continues as a sign-in.
    method: 'the sign-up page and a connected provider',
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
/** Connects Acme to the user's account. In this file the subject at Acme is the e-mail. */
const connectAcme = async ({ browser, email }: TestUser) => {
  acme.accounts[email] = { email, email_verified: true };
  acme.signsIn = email;
  const answer = await visit(browser, '/settings/connections/add/acme');
  expect(answer.location).toBe('/settings/connections');
};

interface TwoFactorUser {
  user: TestUser;
  app: Authenticator;
}
const signUpWithTotp = async (): Promise<TwoFactorUser> => {
  const user = await signUp(application);
  return { user, app: await turnOnTotp(application, user) };
};
/** Returns a browser with a pending sign-in: the password was correct, the code is still missing. */
const enterPassword = async ({ email }: Pick<TestUser, 'email'>, remember?: 'on') => {
  const browser = openBrowser(application);
  const fields = { email, password: PASSWORD, ...(remember ? { remember } : {}) };
  expect((await browser.post('/login', fields)).location).toBe('/login/code');
  return browser;
};
const enterCode = (browser: BrowserLike, code: string) => browser.post('/login/code', { code });
const enterRecoveryCode = (browser: BrowserLike, recoveryCode: string) =>
  browser.post('/login/recovery-code', { recoveryCode });

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
/** Expects that the sessions page names this proof for the current session. */
const expectSignedInWith = async (browser: BrowserLike, proof: Proof) => {
  const { text } = await browser.get('/settings/sessions');
  const current = textOf(text).split('This device')[1] ?? '';
  expect(current).toContain(`with ${proofText(proof)}`);
};

describe.each(signInMethods)('with two factors, $method', ({ method, proof, prepare, begin }) => {
  const signUpWithMethod = async (): Promise<TwoFactorUser> => {
    const user = await signUp(application);
    await prepare?.(user);
    return { user, app: await turnOnTotp(application, user) };
  };

  test(`a sign-in with ${method} has no session before the code, and records both proofs`, async () => {
    const { user, app } = await signUpWithMethod();
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

  test(`a recovery code completes a sign-in with ${method}`, async () => {
    const { user, app } = await signUpWithMethod();
    const browser = openBrowser(application);
    await begin(browser, user);
    const second = await enterRecoveryCode(browser, app.recoveryCodes[3]!);
    expect(second.location).toBe('/settings/profile');
    expect(proofsOf(user)).toContainEqual({ ...proof, second: 'recovery-code' });
    await expectSignedInWith(browser, { ...proof, second: 'recovery-code' });
  });

  test(`another user's codes do not complete a sign-in with ${method}`, async () => {
    const attacker = await signUpWithTotp();
    const { user } = await signUpWithMethod();
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

describe('with two factors, a mailed code', () => {
  const NEW = '/reset-password/new';
  const newPassword = 'another horse, another battery';
  /** Requests a reset and enters the mailed code. Returns the browser, at the page for the new password. */
  const enterResetCode = async ({ email }: TestUser) => {
    const browser = openBrowser(application);
    await browser.post('/forgot-password', { email });
    const { code } = await mailboxOf(application).nextMailTo(email, 'password-reset-code');
    expect((await browser.post('/reset-password', { code: String(code) })).location).toBe(NEW);
    return browser;
  };

  test('a password reset gives no session and no new password before the second factor', async () => {
    const { user, app } = await signUpWithTotp();
    const attacker = await signUpWithTotp();
    const browser = await enterResetCode(user);
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
    await enterPassword(user);

    const answer = await browser.post(NEW, { newPassword, secondFactor: app.nextCode() });
    expect(answer.location).toBe('/settings/sessions');
    const proof = { by: 'mailed-code', second: 'totp', provider: null } as const;
    expect(proofsOf(user)).toContainEqual(proof);
    await expectSignedInWith(browser, proof);
  });

  test('a recovery code completes a password reset', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await enterResetCode(user);
    const answer = await browser.post(NEW, { newPassword, secondFactor: app.recoveryCodes[1]! });
    expect(answer.location).toBe('/settings/sessions');
    const proof = { by: 'mailed-code', second: 'recovery-code', provider: null } as const;
    expect(proofsOf(user)).toContainEqual(proof);
    await expectSignedInWith(browser, proof);
  });
});

test('a passkey with user verification skips the second factor and is recorded as the proof', async () => {
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
  // User presence without user verification is not enough.
  const other = openBrowser(application);
  expect((await signInBy(other, passkey, { flags: USER_PRESENT })).status).toBe(400);
  expect(await other.sessionToken()).toBeNull();
});

test('the code page names the account and suits one-time codes', async () => {
  const { user } = await signUpWithTotp();
  const { text } = await (await enterPassword(user)).get('/login/code');
  expect(text).toContain(user.email);
  const tag = /<input[^>]*name="code"[^>]*>/.exec(text)![0];
  expect(tag).toContain('inputMode="numeric"');
  expect(tag).toContain('autoComplete="one-time-code"');
  expect(text).toContain('href="/login/recovery-code"');
});

test('"remember me" is kept through the second step', async () => {
  const { user, app } = await signUpWithTotp();
  const browser = await enterPassword(user, 'on');
  const answer = await enterCode(browser, app.nextCode());
  expect(String(answer.headers['set-cookie'])).toMatch(/session=[^;]*; Max-Age=2592000/);
});

describe('a TOTP code', () => {
  test.each([
    ['with a space in the middle', (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`],
    ['with spaces around', (code: string) => ` ${code}\t`],
    ['with a dash', (code: string) => `${code.slice(0, 3)}–${code.slice(3)}`],
  ])('a code typed %s is accepted', async (_what, typed) => {
    const { user, app } = await signUpWithTotp();
    const browser = await enterPassword(user);
    expect((await enterCode(browser, typed(app.nextCode()))).location).toBe('/');
  });

  test.each([
    ['an empty code', ''],
    ['a code of five digits', '12345'],
    ['a code of seven digits', '1234567'],
    ['a code of letters', 'abcdef'],
    ['a code of Arabic-Indic digits', '١٢٣٤٥٦'],
    ['a code of a thousand digits', '1'.repeat(1000)],
  ])('%s is refused next to the field and is not recorded as an attempt', async (_what, code) => {
    const { user } = await signUpWithTotp();
    const browser = await enterPassword(user);
    const answer = await enterCode(browser, code);
    expect(answer.status).toBe(400);
    expect(fieldOnPage(answer.text, 'code')).toMatchObject({ isInvalid: true, value: null });
    expect(activityOf(user).map(({ kind }) => kind)).not.toContain('sign-in-failed');
  });

  test('a wrong code is refused, not repeated on the page, and recorded in the activity', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await enterPassword(user);
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
  ])('a code %i time steps from now is accepted: %s', async (steps, isAccepted) => {
    const { user, app } = await signUpWithTotp();
    application.clock.advance(10 * STEP_MS);
    const browser = await enterPassword(user);
    const at = new Date(application.clock.now().getTime() + steps * STEP_MS);
    const answer = await enterCode(browser, app.codeAt(at));
    if (isAccepted) expect(answer.location).toBe('/');
    else await expectRefused(browser, answer);
  });

  test('a code works once, even in another browser', async () => {
    const { user, app } = await signUpWithTotp();
    const code = app.nextCode();
    expect((await enterCode(await enterPassword(user), code)).location).toBe('/');
    const again = await enterPassword(user);
    await expectRefused(again, await enterCode(again, code));
  });

  test('the code that turned two-factor sign-in on cannot be used again', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await enterPassword(user);
    await expectRefused(browser, await enterCode(browser, app.codeAt(application.clock.now())));
  });

  test('a code of an older time step is refused after a newer one was used', async () => {
    const { user, app } = await signUpWithTotp();
    application.clock.advance(10 * STEP_MS);
    const now = application.clock.now();
    const newer = app.codeAt(new Date(now.getTime() + STEP_MS));
    expect((await enterCode(await enterPassword(user), newer)).location).toBe('/');
    const browser = await enterPassword(user);
    await expectRefused(browser, await enterCode(browser, app.codeAt(now)));
    application.clock.advance(2 * STEP_MS);
    expect((await enterCode(browser, app.codeAt(application.clock.now()))).location).toBe('/');
  });

  test('of twenty concurrent sign-ins with one code one succeeds', async () => {
    const { user, app } = await signUpWithTotp();
    const before = sessionsOf(user).length;
    const browsers = await Promise.all(Array.from({ length: 20 }, () => enterPassword(user)));
    const code = app.nextCode();
    const answers = await Promise.all(browsers.map((browser) => enterCode(browser, code)));
    expect(answers.map(({ status }) => status).sort()).toEqual(
      [302, ...Array<number>(19).fill(400)].sort(),
    );
    expect(sessionsOf(user)).toHaveLength(before + 1);
  });

  test("another user's code is refused, and their recovery code is not used up", async () => {
    const victim = await signUpWithTotp();
    const attacker = await signUpWithTotp();
    const browser = await enterPassword(victim.user);
    await expectRefused(browser, await enterCode(browser, attacker.app.nextCode()));
    const recovery = await enterRecoveryCode(browser, attacker.app.recoveryCodes[0]!);
    expect(recovery.status).toBe(400);
    // The recovery code still works for its owner.
    expect(
      (await enterRecoveryCode(await enterPassword(attacker.user), attacker.app.recoveryCodes[0]!))
        .location,
    ).toBe('/');
  });

  test("a signed-in user's own code does not complete a sign-in to another account", async () => {
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
  test('a pending sign-in completes once, and a copy of its cookie is refused', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await enterPassword(user);
    const copy = (await cookieOf(browser, PENDING))!;
    expect((await enterCode(browser, app.nextCode())).location).toBe('/');
    const before = sessionsOf(user).length;
    // Base64 has several spellings for the same bytes.
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

  test('a pending sign-in completes once, even with several correct codes at the same time', async () => {
    const { user, app } = await signUpWithTotp();
    const before = sessionsOf(user).length;
    const browser = await enterPassword(user);
    const code = app.nextCode();
    const answers = await Promise.all([
      enterCode(browser, code),
      ...app.recoveryCodes.map((recoveryCode) => enterRecoveryCode(browser, recoveryCode)),
    ]);
    expect(answers.every(({ status }) => status === 302)).toBe(true);
    expect(sessionsOf(user)).toHaveLength(before + 1);
  });

  test('a pending sign-in expires after exactly ten minutes', async () => {
    const { user, app } = await signUpWithTotp();
    const inTime = await enterPassword(user);
    const late = await enterPassword(user);
    application.clock.advance(TEN_MINUTES_MS - 1);
    expect((await enterCode(inTime, app.codeAt(application.clock.now()))).location).toBe('/');
    application.clock.advance(2);
    await expectStartOver(late, await enterRecoveryCode(late, app.recoveryCodes[0]!));
    expect((await late.get('/login/code')).location).toBe('/login');
  });

  test('two cookies of pending sign-ins are refused in any order', async () => {
    const { user, app } = await signUpWithTotp();
    const own = (await cookieOf(await enterPassword(user), PENDING))!;
    const planted = (await cookieOf(await enterPassword(user), PENDING))!;
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

  test('a password change voids a pending sign-in', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await enterPassword(user);
    application.clock.advance(1);
    const change = { newPassword: 'another password' };
    expect((await user.browser.post('/settings/password', change)).status).toBe(302);
    await expectStartOver(browser, await enterCode(browser, app.nextCode()));
  });

  test('turning two-factor sign-in off voids a pending sign-in', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await enterPassword(user);
    await user.browser.post('/settings/two-factor/turn-off', {});
    await expectStartOver(browser, await enterCode(browser, app.nextCode()));
  });

  test('deleting the account voids a pending sign-in', async () => {
    const { user, app } = await signUpWithTotp();
    const browser = await enterPassword(user);
    const { email } = user;
    await user.browser.post('/settings/data/delete', { email });
    await expectStartOver(browser, await enterCode(browser, app.nextCode()));
  });

  test('the cookies of a pending sign-in, a session, a set-up and new codes are not interchangeable', async () => {
    const { user, app } = await signUpWithTotp();
    const other = await signUp(application);
    const pending = (await cookieOf(await enterPassword(user), PENDING))!;
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
    'without a pending sign-in %s redirects to the login page, or home if signed in',
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
  test('a recovery code works once, and the page says how many are left', async () => {
    const { user, app } = await signUpWithTotp();
    const [code] = app.recoveryCodes as [string];
    const browser = await enterPassword(user);
    const page = await browser.follow(await enterRecoveryCode(browser, code));
    expect(textOf(page.text)).toContain('That recovery code is used up; 9 are left.');
    expect(activityOf(user)).toContainEqual({ kind: 'recovery-code-used', detail: '{"left":9}' });

    const again = await enterPassword(user);
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

  test('of twenty concurrent sign-ins with one recovery code one succeeds', async () => {
    const { user, app } = await signUpWithTotp();
    const before = sessionsOf(user).length;
    const browsers = await Promise.all(Array.from({ length: 20 }, () => enterPassword(user)));
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
  ])('a recovery code typed %s is accepted', async (_what, typed) => {
    const { user, app } = await signUpWithTotp();
    const browser = await enterPassword(user);
    expect((await enterRecoveryCode(browser, typed(app.recoveryCodes[9]!))).location).toBe('/');
  });

  test('recovery codes are ten distinct codes of over 50 bits, without look-alike characters', async () => {
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

  test('five wrong codes of either kind lead to 429 with Retry-After', async () => {
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
    // A browser in which the user was signed in has its own attempts.
    await user.browser.post('/login', { email: user.email, password: PASSWORD });
    expect((await enterCode(user.browser, code)).location).toBe('/');
  });

  test('correct codes use up no attempts', async () => {
    const user = await signUp(strict);
    const app = await turnOnTotp(strict, user);
    for (let times = 0; times < 8; times += 1) {
      const browser = openBrowser(strict);
      await browser.post('/login', { email: user.email, password: PASSWORD });
      expect((await enterCode(browser, app.nextCode())).location).toBe('/');
    }
  });
});

test('during a database outage no user can sign in and no code is used up', async () => {
  const { user, app } = await signUpWithTotp();
  const browser = await enterPassword(user);
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

test('an account without a second factor signs in with the password alone', async () => {
  const { email } = await signUp(application);
  const answer = await openBrowser(application).post('/login', { email, password: PASSWORD });
  expect(answer.location).toBe('/');
  application.clock.advance(MINUTE_MS);
});
