import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, TestClock, type TestApplication } from '../fixtures/application.ts';
import { turnOnTotp } from '../fixtures/authenticator.ts';
import type { Answer, BrowserLike } from '../fixtures/browser-like.ts';
import { cookieOf } from '../fixtures/cookies.ts';
import { startGitHub, type GitHubServer } from '../fixtures/github-server.ts';
import { startOpenIdProvider, type OpenIdProvider } from '../fixtures/openid-provider.ts';
import { addPasskey, optionsOf, SIGN_IN_OPTIONS } from '../fixtures/passkeys.ts';
import { canSignIn } from '../fixtures/signed-in.ts';
import { mailboxOf, openBrowser, PASSWORD, signIn, signUp } from '../fixtures/users.ts';
import { leaveFor, visit, walkThrough } from '../fixtures/provider-visits.ts';
import type { SoftwarePasskey } from '../fixtures/software-authenticator.ts';
import { attributeOf, tags, textOf } from './form-on-page.ts';

const MINUTE_MS = 60_000;
const PAGE = '/settings/password';
const OPTIONS = '/confirm/passkey/options';
const SAVED_PASSWORD = 'what was typed before the question';

let application: TestApplication;
let acme: OpenIdProvider;
let github: GitHubServer;
beforeAll(async () => {
  acme = await startOpenIdProvider();
  github = await startGitHub({ id: 1, login: 'ada', name: null, emails: [] });
  application = await startApplication({
    // The providers use the real time in their ID tokens.
    clock: new TestClock(new Date()),
    env: { OIDC_PROVIDERS: 'acme', ...acme.env('acme'), ...github.env },
  });
  acme.admit(application.origin, 'acme');
});
afterAll(async () => {
  await application.close();
  await Promise.all([acme.close(), github.close()]);
});

/** Runs `act` with the clock set back by 16 minutes, so that its sessions are no longer fresh. */
const sixteenMinutesAgo = async <Made>(act: () => Promise<Made>): Promise<Made> => {
  application.clock.advance(-16 * MINUTE_MS);
  try {
    return await act();
  } finally {
    application.clock.advance(16 * MINUTE_MS);
  }
};
/** Creates a new account at Acme, signs in to it there and connects it. Returns its subject. */
const connectAcme = async (browser: BrowserLike) => {
  const subject = randomUUID();
  acme.accounts[subject] = { email: `${subject}@example.com`, email_verified: true };
  acme.signsIn = subject;
  const answer = await visit(browser, '/settings/connections/add/acme');
  expect(answer.location).toBe('/settings/connections');
  return subject;
};
/** Signs up a user through GitHub, without any other way to sign in. */
const signUpThroughGitHub = async () => {
  const email = `${randomUUID()}@example.com`;
  const emails = [{ email, primary: true, verified: true }];
  github.account = { ...github.account, id: github.account.id + 1, emails };
  const browser = openBrowser(application);
  await visit(browser, '/login/provider/github');
  const answer = await browser.post('/signup/connection', { name: 'Ada', email });
  expect(answer.location, answer.text).toBe('/');
  return { browser, email, account: github.account };
};
/** Submits a form that needs re-authentication and is saved. Returns the redirect to `/confirm`. */
const submitStaleForm = async (browser: BrowserLike) => {
  const redirect = await browser.post(PAGE, { newPassword: SAVED_PASSWORD });
  expect(redirect.location).toMatch(/^\/confirm\?/);
  return redirect;
};
/** Returns the hidden fields of the form with this action. */
const fieldsOf = (html: string, action: string): Record<string, string> => {
  const forms = html.match(/<form\b.*?<\/form>/gs) ?? [];
  const form = forms.find((element) => attributeOf(tags(element, 'form')[0]!, 'action') === action);
  if (form === undefined) throw new Error(`The page has no form with the action ${action}.`);
  const hidden = tags(form, 'input').filter((input) => attributeOf(input, 'type') === 'hidden');
  return Object.fromEntries(
    hidden.map((input) => [attributeOf(input, 'name')!, attributeOf(input, 'value') ?? '']),
  );
};
/** Submits a form. Submits it again to the new location after a 307 (RFC 9110 §15.4.8). */
const submitFollowing307 = async (
  browser: BrowserLike,
  path: string,
  form: Record<string, string>,
) => {
  const answer = await browser.post(path, form, { from: '/confirm' });
  return answer.status === 307
    ? browser.post(answer.location!, form, { from: '/confirm' })
    : answer;
};
const isRevoked = async (token: string) => {
  const copy = openBrowser(application);
  await copy.plantToken(token);
  return (await copy.get('/settings/sessions')).status === 302;
};
const isFresh = async (browser: BrowserLike) => (await browser.get(PAGE)).status === 200;
const plant = (browser: BrowserLike, name: string, value: string) =>
  browser.jar.setCookie(`${name}=${value}; Path=/`, application.origin);

describe('re-authentication by passkey', () => {
  const withPasskey = () =>
    sixteenMinutesAgo(async () => {
      const user = await signUp(application);
      return { ...user, passkey: await addPasskey(application, user.browser) };
    });
  const sendAssertion = async (browser: BrowserLike, redirect: Answer, credential: string) => {
    const fields = fieldsOf((await browser.get(redirect.location!)).text, '/confirm/passkey');
    return submitFollowing307(browser, '/confirm/passkey', { ...fields, credential });
  };

  test('re-authentication by passkey submits the saved form and rotates the token', async () => {
    const { browser, email, passkey } = await withPasskey();
    const old = (await browser.sessionToken())!;
    const redirect = await submitStaleForm(browser);
    const credential = passkey.use(await optionsOf(browser, OPTIONS));
    expect((await sendAssertion(browser, redirect, credential)).location).toBe(PAGE);
    expect(await canSignIn(application, email, SAVED_PASSWORD)).toBe(true);
    expect(await isRevoked(old)).toBe(true);
    expect(await isFresh(browser)).toBe(true);
  });

  test.each<
    [
      string,
      (of: { browser: BrowserLike; email: string; passkey: SoftwarePasskey }) => Promise<string>,
    ]
  >([
    [
      'an answer to an earlier challenge',
      async ({ browser, passkey }) => {
        const earlier = passkey.use(await optionsOf(browser, OPTIONS));
        await optionsOf(browser, OPTIONS);
        return earlier;
      },
    ],
    [
      'an answer to a sign-in challenge',
      async ({ browser, passkey }) => {
        const stranger = openBrowser(application);
        const credential = passkey.use(await optionsOf(stranger, SIGN_IN_OPTIONS));
        await optionsOf(browser, OPTIONS);
        return credential;
      },
    ],
    [
      'an answer to a sign-in challenge, with the cookie of that challenge,',
      async ({ browser, passkey }) => {
        const stranger = openBrowser(application);
        const credential = passkey.use(await optionsOf(stranger, SIGN_IN_OPTIONS));
        await plant(browser, 'passkey-confirm', (await cookieOf(stranger, 'passkey-sign-in'))!);
        return credential;
      },
    ],
    [
      'a passkey of another user',
      async ({ browser }) => {
        const other = await signUp(application);
        const foreign = await addPasskey(application, other.browser);
        return foreign.use(await optionsOf(browser, OPTIONS));
      },
    ],
    [
      'a passkey of another user under the id of this one',
      async ({ browser, passkey }) => {
        const other = await signUp(application);
        const foreign = await addPasskey(application, other.browser);
        return foreign.use(await optionsOf(browser, OPTIONS), { id: passkey.id });
      },
    ],
    [
      'an answer to a challenge of another session of the same user',
      async ({ browser, email, passkey }) => {
        const phone = await signIn(application, { email, password: PASSWORD });
        const credential = passkey.use(await optionsOf(phone, OPTIONS));
        await plant(browser, 'passkey-confirm', (await cookieOf(phone, 'passkey-confirm'))!);
        return credential;
      },
    ],
    [
      'an answer to a challenge that is five minutes old',
      async ({ browser, passkey }) => {
        const credential = passkey.use(await optionsOf(browser, OPTIONS));
        application.clock.advance(5 * MINUTE_MS);
        return credential;
      },
    ],
    ['an empty credential', () => Promise.resolve('')],
  ])('%s is refused, and the saved form is not submitted', async (_what, assertionOf) => {
    const user = await withPasskey();
    const { browser, email } = user;
    const startedAt = application.clock.now().getTime();
    const token = await browser.sessionToken();
    const redirect = await submitStaleForm(browser);
    const credential = await assertionOf(user);
    const answer = await sendAssertion(browser, redirect, credential);
    expect(answer.location).toMatch(/^\/confirm\?.*passkey=refused/);
    expect(textOf((await browser.get(answer.location!)).text)).toContain(
      'That passkey did not work. Try again.',
    );
    expect(await canSignIn(application, email, SAVED_PASSWORD)).toBe(false);
    expect(await canSignIn(application, email, PASSWORD)).toBe(true);
    expect(await browser.sessionToken()).toBe(token);
    expect(await isFresh(browser)).toBe(false);
    application.clock.advance(startedAt - application.clock.now().getTime());
  });

  test('a passkey answer cannot be replayed', async () => {
    const { browser, passkey } = await withPasskey();
    const credential = passkey.use(await optionsOf(browser, OPTIONS));
    expect((await browser.post('/confirm/passkey', { credential })).location).toBe('/');
    const token = await browser.sessionToken();
    const again = await browser.post('/confirm/passkey', { credential });
    expect(again.location).toMatch(/passkey=refused/);
    expect(await browser.sessionToken()).toBe(token);
  });
});

describe('re-authentication at a provider', () => {
  test('re-authentication at a provider has prompt=login, and "Go on" submits the form', async () => {
    const { browser, email } = await sixteenMinutesAgo(async () => {
      const user = await signUp(application);
      await connectAcme(user.browser);
      return user;
    });
    const old = (await browser.sessionToken())!;
    const redirect = await submitStaleForm(browser);
    const path = '/confirm/provider/acme';
    const form = fieldsOf((await browser.get(redirect.location!)).text, path);
    const address = await leaveFor(browser, path, form);
    expect(new URL(address).searchParams.get('prompt')).toBe('login');
    const back = await browser.get(await walkThrough(address));
    expect(back.location).toBe(`/confirm?${new URLSearchParams({ redirectTo: PAGE })}`);
    expect(await isRevoked(old)).toBe(true);

    // A GET alone must not submit the saved form.
    const page = await browser.get(back.location!);
    expect(textOf(page.text)).toContain('That is you');
    expect(page.text).not.toContain(SAVED_PASSWORD);
    expect(await canSignIn(application, email, SAVED_PASSWORD)).toBe(false);
    const answer = await browser.post(PAGE, fieldsOf(page.text, PAGE), { from: back.location! });
    expect(answer.location).toBe(PAGE);
    expect(await canSignIn(application, email, SAVED_PASSWORD)).toBe(true);
  });

  test('re-authentication as another provider account is refused and submits no saved form', async () => {
    const { browser, email } = await sixteenMinutesAgo(async () => {
      const user = await signUp(application);
      await connectAcme(user.browser);
      return user;
    });
    const other = await signUp(application);
    await connectAcme(other.browser);
    const token = await browser.sessionToken();
    const redirect = await submitStaleForm(browser);
    const page = await browser.get(redirect.location!);
    const form = fieldsOf(page.text, '/confirm/provider/acme');
    const answer = await visit(browser, '/confirm/provider/acme', form);
    expect(answer.location).toContain('trouble=other-person');
    expect(await browser.sessionToken()).toBe(token);
    expect((await browser.post(PAGE, form)).location).toMatch(/^\/confirm\?/);
    expect(await canSignIn(application, email, SAVED_PASSWORD)).toBe(false);
  });

  test('GitHub can re-authenticate a user who has no other way to sign in', async () => {
    const user = await sixteenMinutesAgo(signUpThroughGitHub);
    const { browser } = user;
    const redirect = await browser.get('/settings/data/delete');
    const { text } = await browser.get(redirect.location!);
    expect(text).not.toContain('name="password"');
    expect(text).not.toContain('name="secondFactor"');
    const path = '/confirm/provider/github';
    const form = fieldsOf(text, path);
    // There is no field to fill in, and an empty form is refused.
    expect((await browser.post('/confirm', { ...form, password: '' })).location).toBe('/confirm');
    expect(await isFresh(browser)).toBe(false);
    await signUpThroughGitHub();
    expect((await visit(browser, path, form)).location).toContain('trouble=other-person');
    expect(await isFresh(browser)).toBe(false);
    github.account = user.account;
    const back = await visit(browser, path, form);
    expect((await browser.get(back.location!)).location).toBe('/settings/data/delete');
    expect((await browser.get('/settings/data/delete')).status).toBe(200);
  });
});

test('a user with a second factor and no password re-authenticates with the second factor', async () => {
  const attacker = await signUp(application);
  const otherTotp = await turnOnTotp(application, attacker);
  const { browser, app } = await sixteenMinutesAgo(async () => {
    const user = await signUpThroughGitHub();
    return { ...user, app: await turnOnTotp(application, user) };
  });
  const redirect = await submitStaleForm(browser);
  const { text } = await browser.get(redirect.location!);
  expect(text).not.toContain('name="password"');
  expect(text).not.toContain('action="/confirm/provider');
  const form = fieldsOf(text, '/confirm');
  for (const secondFactor of ['', '000000', otherTotp.nextCode(), otherTotp.recoveryCodes[0]!]) {
    expect((await submitFollowing307(browser, '/confirm', { ...form, secondFactor })).status).toBe(
      400,
    );
  }
  expect(
    (await submitFollowing307(browser, '/confirm', { ...form, password: PASSWORD })).status,
  ).toBe(400);
  expect(await isFresh(browser)).toBe(false);
  const confirmPage = await browser.get((await submitStaleForm(browser)).location!);
  const fields = { ...fieldsOf(confirmPage.text, '/confirm'), secondFactor: app.nextCode() };
  expect((await submitFollowing307(browser, '/confirm', fields)).location).toBe(PAGE);
  expect(await isFresh(browser)).toBe(true);
});

describe('a change of the account does not count as re-authentication', () => {
  type User = Awaited<ReturnType<typeof signUp>>;
  const post = async (user: User, path: string, form: Record<string, string> = {}) => {
    const answer = await user.browser.post(path, form);
    expect(answer.status, answer.text).toBe(302);
    expect(answer.location).not.toMatch(/^\/(confirm|login)/);
    return answer;
  };
  const connectionId = async ({ browser }: User) =>
    /connections\/(\w+)\/disconnect"/.exec((await browser.get('/settings/connections')).text)![1]!;
  const passkeyId = async ({ browser }: User) =>
    /passkeys\/([\w-]+)\/remove"/.exec((await browser.get('/settings/passkeys')).text)![1]!;

  test.each<{
    what: string;
    before?: (user: User) => Promise<unknown>;
    change: (user: User) => Promise<unknown>;
  }>([
    {
      what: 'a new password',
      change: (user) => post(user, PAGE, { newPassword: 'another one, typed today' }),
    },
    {
      what: 'a new e-mail',
      change: async (user) => {
        const newEmail = `${randomUUID()}@example.com`;
        await post(user, '/settings/email', { newEmail });
        const { code } = await mailboxOf(application).nextMailTo(newEmail, 'email-change-code');
        await post(user, '/settings/email/verify', { code: String(code) });
      },
    },
    { what: 'turning two-factor sign-in on', change: (user) => turnOnTotp(application, user) },
    {
      what: 'turning two-factor sign-in off',
      before: (user) => turnOnTotp(application, user),
      change: (user) => post(user, '/settings/two-factor/turn-off'),
    },
    {
      what: 'new recovery codes',
      before: (user) => turnOnTotp(application, user),
      change: (user) => post(user, '/settings/two-factor/new-codes'),
    },
    { what: 'adding a passkey', change: ({ browser }) => addPasskey(application, browser) },
    {
      what: 'removing a passkey',
      before: ({ browser }) => addPasskey(application, browser),
      change: async (user) => post(user, `/settings/passkeys/${await passkeyId(user)}/remove`),
    },
    { what: 'adding a connection', change: ({ browser }) => connectAcme(browser) },
    {
      what: 'removing a connection',
      before: ({ browser }) => connectAcme(browser),
      change: async (user) =>
        post(user, `/settings/connections/${await connectionId(user)}/disconnect`),
    },
  ])('$what rotates the token, but does not extend the 15 minutes', async ({ before, change }) => {
    const user = await signUp(application);
    await before?.(user);
    application.clock.advance(14 * MINUTE_MS);
    const old = (await user.browser.sessionToken())!;
    await change(user);
    expect(await user.browser.sessionToken()).not.toBe(old);
    expect(await isRevoked(old)).toBe(true);
    expect(await isFresh(user.browser)).toBe(true);
    application.clock.advance(2 * MINUTE_MS);
    expect((await user.browser.get(PAGE)).location).toMatch(/^\/confirm\?/);
    expect((await user.browser.get('/settings/sessions')).status).toBe(200);
    application.clock.advance(-16 * MINUTE_MS);
  });
});
