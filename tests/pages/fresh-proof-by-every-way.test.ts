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
const KEPT_PASSWORD = 'what was typed before the question';

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

/** What happens in `act` happened sixteen minutes ago. */
const sixteenMinutesAgo = async <Made>(act: () => Promise<Made>): Promise<Made> => {
  application.clock.advance(-16 * MINUTE_MS);
  try {
    return await act();
  } finally {
    application.clock.advance(16 * MINUTE_MS);
  }
};
/** Connects somebody new at Acme, who is the one signed in there now. */
const connectAcme = async (browser: BrowserLike) => {
  const subject = randomUUID();
  acme.accounts[subject] = { email: `${subject}@example.com`, email_verified: true };
  acme.signsIn = subject;
  const answer = await visit(browser, '/settings/connections/add/acme');
  expect(answer.location).toBe('/settings/connections');
  return subject;
};
/** An account that was made with GitHub and has nothing else. */
const gitHubUser = async () => {
  const email = `${randomUUID()}@example.com`;
  const emails = [{ email, primary: true, verified: true }];
  github.account = { ...github.account, id: github.account.id + 1, emails };
  const browser = openBrowser(application);
  await visit(browser, '/login/provider/github');
  const answer = await browser.post('/signup/connection', { name: 'Ada', email });
  expect(answer.location, answer.text).toBe('/');
  return { browser, email, account: github.account };
};
/** Sends a form that is kept, since a proof is due; answers what that was answered with. */
const sendLate = async (browser: BrowserLike) => {
  const asked = await browser.post(PAGE, { newPassword: KEPT_PASSWORD });
  expect(asked.location).toMatch(/^\/confirm\?/);
  return asked;
};
/** The hidden fields of the page's form that goes to this address. */
const fieldsOf = (html: string, action: string): Record<string, string> => {
  const forms = html.match(/<form\b.*?<\/form>/gs) ?? [];
  const form = forms.find((one) => attributeOf(tags(one, 'form')[0]!, 'action') === action);
  if (form === undefined) throw new Error(`The page has no form that goes to ${action}.`);
  const hidden = tags(form, 'input').filter((input) => attributeOf(input, 'type') === 'hidden');
  return Object.fromEntries(
    hidden.map((input) => [attributeOf(input, 'name')!, attributeOf(input, 'value') ?? '']),
  );
};
/** Sends a form, and on as the browser does when told to (RFC 9110 §15.4.8). */
const send = async (browser: BrowserLike, path: string, form: Record<string, string>) => {
  const answer = await browser.post(path, form, { from: '/confirm' });
  return answer.status === 307
    ? browser.post(answer.location!, form, { from: '/confirm' })
    : answer;
};
const isDead = async (token: string) => {
  const copy = openBrowser(application);
  await copy.plantToken(token);
  return (await copy.get('/settings/sessions')).status === 302;
};
const isFresh = async (browser: BrowserLike) => (await browser.get(PAGE)).status === 200;
const plant = (browser: BrowserLike, name: string, value: string) =>
  browser.jar.setCookie(`${name}=${value}; Path=/`, application.origin);

describe('by passkey', () => {
  const withPasskey = () =>
    sixteenMinutesAgo(async () => {
      const user = await signUp(application);
      return { ...user, passkey: await addPasskey(application, user.browser) };
    });
  const sendAssertion = async (browser: BrowserLike, asked: Answer, credential: string) => {
    const fields = fieldsOf((await browser.get(asked.location!)).text, '/confirm/passkey');
    return send(browser, '/confirm/passkey', { ...fields, credential });
  };

  test('what was kept is carried out, under a new token', async () => {
    const { browser, email, passkey } = await withPasskey();
    const old = (await browser.sessionToken())!;
    const asked = await sendLate(browser);
    const credential = passkey.use(await optionsOf(browser, OPTIONS));
    expect((await sendAssertion(browser, asked, credential)).location).toBe(PAGE);
    expect(await canSignIn(application, email, KEPT_PASSWORD)).toBe(true);
    expect(await isDead(old)).toBe(true);
    expect(await isFresh(browser)).toBe(true);
  });

  test.each<
    [
      string,
      (of: { browser: BrowserLike; email: string; passkey: SoftwarePasskey }) => Promise<string>,
    ]
  >([
    [
      'one that answered an earlier challenge',
      async ({ browser, passkey }) => {
        const earlier = passkey.use(await optionsOf(browser, OPTIONS));
        await optionsOf(browser, OPTIONS);
        return earlier;
      },
    ],
    [
      'one that answered a challenge for signing in',
      async ({ browser, passkey }) => {
        const stranger = openBrowser(application);
        const credential = passkey.use(await optionsOf(stranger, SIGN_IN_OPTIONS));
        await optionsOf(browser, OPTIONS);
        return credential;
      },
    ],
    [
      'the same, with the cookie of that challenge in the place of the right one',
      async ({ browser, passkey }) => {
        const stranger = openBrowser(application);
        const credential = passkey.use(await optionsOf(stranger, SIGN_IN_OPTIONS));
        await plant(browser, 'passkey-confirm', (await cookieOf(stranger, 'passkey-sign-in'))!);
        return credential;
      },
    ],
    [
      'somebody else’s',
      async ({ browser }) => {
        const other = await signUp(application);
        const theirs = await addPasskey(application, other.browser);
        return theirs.use(await optionsOf(browser, OPTIONS));
      },
    ],
    [
      'somebody else’s that says it is this one',
      async ({ browser, passkey }) => {
        const other = await signUp(application);
        const theirs = await addPasskey(application, other.browser);
        return theirs.use(await optionsOf(browser, OPTIONS), { id: passkey.id });
      },
    ],
    [
      'one that was asked for in another session of the same person',
      async ({ browser, email, passkey }) => {
        const phone = await signIn(application, { email, password: PASSWORD });
        const credential = passkey.use(await optionsOf(phone, OPTIONS));
        await plant(browser, 'passkey-confirm', (await cookieOf(phone, 'passkey-confirm'))!);
        return credential;
      },
    ],
    [
      'one whose challenge is older than five minutes',
      async ({ browser, passkey }) => {
        const credential = passkey.use(await optionsOf(browser, OPTIONS));
        application.clock.advance(5 * MINUTE_MS);
        return credential;
      },
    ],
    ['nothing', () => Promise.resolve('')],
  ])('%s is refused, and nothing is carried out', async (_what, assertionOf) => {
    const user = await withPasskey();
    const { browser, email } = user;
    const startedAt = application.clock.now().getTime();
    const token = await browser.sessionToken();
    const asked = await sendLate(browser);
    const credential = await assertionOf(user);
    const answer = await sendAssertion(browser, asked, credential);
    expect(answer.location).toMatch(/^\/confirm\?.*passkey=refused/);
    expect(textOf((await browser.get(answer.location!)).text)).toContain(
      'That passkey did not work. Try again.',
    );
    expect(await canSignIn(application, email, KEPT_PASSWORD)).toBe(false);
    expect(await canSignIn(application, email, PASSWORD)).toBe(true);
    expect(await browser.sessionToken()).toBe(token);
    expect(await isFresh(browser)).toBe(false);
    application.clock.advance(startedAt - application.clock.now().getTime());
  });

  test('one that proved it is worth nothing a second time', async () => {
    const { browser, passkey } = await withPasskey();
    const credential = passkey.use(await optionsOf(browser, OPTIONS));
    expect((await browser.post('/confirm/passkey', { credential })).location).toBe('/');
    const token = await browser.sessionToken();
    const again = await browser.post('/confirm/passkey', { credential });
    expect(again.location).toMatch(/passkey=refused/);
    expect(await browser.sessionToken()).toBe(token);
  });
});

describe('by provider', () => {
  test('it is told to ask again, and "Go on" carries out what was kept', async () => {
    const { browser, email } = await sixteenMinutesAgo(async () => {
      const user = await signUp(application);
      await connectAcme(user.browser);
      return user;
    });
    const old = (await browser.sessionToken())!;
    const asked = await sendLate(browser);
    const way = '/confirm/provider/acme';
    const form = fieldsOf((await browser.get(asked.location!)).text, way);
    const address = await leaveFor(browser, way, form);
    expect(new URL(address).searchParams.get('prompt')).toBe('login');
    const back = await browser.get(await walkThrough(address));
    expect(back.location).toBe(`/confirm?${new URLSearchParams({ redirectTo: PAGE })}`);
    expect(await isDead(old)).toBe(true);

    // A link that is followed carries nothing out.
    const page = await browser.get(back.location!);
    expect(textOf(page.text)).toContain('That is you');
    expect(page.text).not.toContain(KEPT_PASSWORD);
    expect(await canSignIn(application, email, KEPT_PASSWORD)).toBe(false);
    const answer = await browser.post(PAGE, fieldsOf(page.text, PAGE), { from: back.location! });
    expect(answer.location).toBe(PAGE);
    expect(await canSignIn(application, email, KEPT_PASSWORD)).toBe(true);
  });

  test('as somebody else there proves nothing, and carries nothing out', async () => {
    const { browser, email } = await sixteenMinutesAgo(async () => {
      const user = await signUp(application);
      await connectAcme(user.browser);
      return user;
    });
    const other = await signUp(application);
    await connectAcme(other.browser);
    const token = await browser.sessionToken();
    const asked = await sendLate(browser);
    const page = await browser.get(asked.location!);
    const form = fieldsOf(page.text, '/confirm/provider/acme');
    const answer = await visit(browser, '/confirm/provider/acme', form);
    expect(answer.location).toContain('trouble=other-person');
    expect(await browser.sessionToken()).toBe(token);
    expect((await browser.post(PAGE, form)).location).toMatch(/^\/confirm\?/);
    expect(await canSignIn(application, email, KEPT_PASSWORD)).toBe(false);
  });

  test('which is GitHub does for somebody who has nothing else', async () => {
    const user = await sixteenMinutesAgo(gitHubUser);
    const { browser } = user;
    const asked = await browser.get('/settings/data/delete');
    const { text } = await browser.get(asked.location!);
    expect(text).not.toContain('name="password"');
    expect(text).not.toContain('name="secondFactor"');
    const way = '/confirm/provider/github';
    const form = fieldsOf(text, way);
    // There is nothing to type, and an empty form proves nothing.
    expect((await browser.post('/confirm', { ...form, password: '' })).location).toBe('/confirm');
    expect(await isFresh(browser)).toBe(false);
    await gitHubUser();
    expect((await visit(browser, way, form)).location).toContain('trouble=other-person');
    expect(await isFresh(browser)).toBe(false);
    github.account = user.account;
    const back = await visit(browser, way, form);
    expect((await browser.get(back.location!)).location).toBe('/settings/data/delete');
    expect((await browser.get('/settings/data/delete')).status).toBe(200);
  });
});

test('somebody with a second factor and no password proves it by that alone', async () => {
  const attacker = await signUp(application);
  const theirs = await turnOnTotp(application, attacker);
  const { browser, app } = await sixteenMinutesAgo(async () => {
    const user = await gitHubUser();
    return { ...user, app: await turnOnTotp(application, user) };
  });
  const asked = await sendLate(browser);
  const { text } = await browser.get(asked.location!);
  expect(text).not.toContain('name="password"');
  expect(text).not.toContain('action="/confirm/provider');
  const form = fieldsOf(text, '/confirm');
  for (const secondFactor of ['', '000000', theirs.nextCode(), theirs.recoveryCodes[0]!]) {
    expect((await send(browser, '/confirm', { ...form, secondFactor })).status).toBe(400);
  }
  expect((await send(browser, '/confirm', { ...form, password: PASSWORD })).status).toBe(400);
  expect(await isFresh(browser)).toBe(false);
  const late = await browser.get((await sendLate(browser)).location!);
  const right = { ...fieldsOf(late.text, '/confirm'), secondFactor: app.nextCode() };
  expect((await send(browser, '/confirm', right)).location).toBe(PAGE);
  expect(await isFresh(browser)).toBe(true);
});

describe('a change is no proof: a quarter of an hour after the last one another is due, whatever was done', () => {
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
      what: 'another password',
      change: (user) => post(user, PAGE, { newPassword: 'another one, typed today' }),
    },
    {
      what: 'another e-mail',
      change: async (user) => {
        const newEmail = `${randomUUID()}@example.com`;
        await post(user, '/settings/email', { newEmail });
        const { code } = await mailboxOf(application).nextMailTo(newEmail, 'email-change-code');
        await post(user, '/settings/email/verify', { code: String(code) });
      },
    },
    { what: 'two-factor sign-in on', change: (user) => turnOnTotp(application, user) },
    {
      what: 'two-factor sign-in off',
      before: (user) => turnOnTotp(application, user),
      change: (user) => post(user, '/settings/two-factor/turn-off'),
    },
    {
      what: 'new recovery codes',
      before: (user) => turnOnTotp(application, user),
      change: (user) => post(user, '/settings/two-factor/new-codes'),
    },
    { what: 'a passkey added', change: ({ browser }) => addPasskey(application, browser) },
    {
      what: 'a passkey removed',
      before: ({ browser }) => addPasskey(application, browser),
      change: async (user) => post(user, `/settings/passkeys/${await passkeyId(user)}/remove`),
    },
    { what: 'a connection added', change: ({ browser }) => connectAcme(browser) },
    {
      what: 'a connection removed',
      before: ({ browser }) => connectAcme(browser),
      change: async (user) =>
        post(user, `/settings/connections/${await connectionId(user)}/disconnect`),
    },
  ])('$what', async ({ before, change }) => {
    const user = await signUp(application);
    await before?.(user);
    application.clock.advance(14 * MINUTE_MS);
    const old = (await user.browser.sessionToken())!;
    await change(user);
    expect(await user.browser.sessionToken()).not.toBe(old);
    expect(await isDead(old)).toBe(true);
    expect(await isFresh(user.browser)).toBe(true);
    application.clock.advance(2 * MINUTE_MS);
    expect((await user.browser.get(PAGE)).location).toMatch(/^\/confirm\?/);
    expect((await user.browser.get('/settings/sessions')).status).toBe(200);
    application.clock.advance(-16 * MINUTE_MS);
  });
});
