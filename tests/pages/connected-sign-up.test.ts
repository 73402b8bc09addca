import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  LOG_ERROR,
  startApplication,
  TestClock,
  type TestApplication,
} from '../fixtures/application.ts';
import type { BrowserLike } from '../fixtures/browser-like.ts';
import { startGitHub, type GitHubServer } from '../fixtures/github-server.ts';
import { startOpenIdProvider, type OpenIdProvider } from '../fixtures/openid-provider.ts';
import { mailboxOf, openBrowser, signIn, signUp } from '../fixtures/users.ts';
import { visit } from '../fixtures/provider-visits.ts';
import { fieldOnPage, formErrorOnPage, textOf } from './form-on-page.ts';

const SIGN_UP = '/signup/connection';
const VERIFY = '/signup/verify';

let application: TestApplication;
let acme: OpenIdProvider;
let github: GitHubServer;
beforeAll(async () => {
  acme = await startOpenIdProvider();
  github = await startGitHub({ id: 1, login: 'x', name: null, emails: [] });
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
afterEach(() => {
  expect(application.logged.filter(({ level }) => level >= LOG_ERROR)).toEqual([]);
});

const newEmail = () => `${randomUUID()}@example.com`;
/** Creates a new account at Acme, and signs in to it there. */
const createAcmeAccount = (isVerified = false) => {
  const subject = randomUUID();
  const account = { email: newEmail(), email_verified: isVerified, name: 'Grace' };
  acme.accounts[subject] = account;
  acme.signsIn = subject;
  return { subject, ...account };
};
/** Returns a browser that signed in at Acme and was redirected to the sign-up page. */
const returnFromAcme = async (fields: Record<string, string> = {}) => {
  const browser = openBrowser(application);
  expect((await visit(browser, '/login/provider/acme', fields)).location).toBe(SIGN_UP);
  return browser;
};
/** Submits the sign-up form. Returns the browser, the e-mail and the mailed code. */
const startSignUp = async (
  email = createAcmeAccount().email,
  fields: Record<string, string> = {},
) => {
  const { name = 'Grace H.', ...visited } = fields;
  const browser = await returnFromAcme(visited);
  const answer = await browser.post(SIGN_UP, { name, email });
  expect(answer.location, answer.text).toBe(VERIFY);
  const { code } = await mailboxOf(application).nextMailTo(email, 'sign-up-code');
  return { browser, email, code: String(code) };
};
const submitCode = (browser: BrowserLike, code: string) => browser.post(VERIFY, { code });
const userWith = (email: string) =>
  application.database.client.user.findUnique({
    where: { email },
    include: { password: true, connections: true },
  });
const countConnections = (subject: string) =>
  application.database.client.connection.count({ where: { subject } });

describe('an e-mail that the provider has not verified', () => {
  test('the mailed code creates the account, and the provider signs in to it afterwards', async () => {
    const account = createAcmeAccount();
    const to = { redirectTo: '/settings/sessions', remember: 'on' };
    const page = await (await returnFromAcme(to)).get(SIGN_UP);
    expect(fieldOnPage(page.text, 'email').note).toContain('We mail you a code');
    const { browser, code } = await startSignUp(account.email, to);
    expect(await userWith(account.email)).toBeNull();
    expect(await countConnections(account.subject)).toBe(0);
    expect(await browser.sessionToken()).toBeNull();
    const waiting = await browser.get(VERIFY);
    expect(textOf(waiting.text)).toContain(`We sent a code to ${account.email} .`);
    expect(waiting.text).toContain(`href="${SIGN_UP}"`);

    const answer = await submitCode(browser, code);
    expect(answer.location).toBe('/settings/sessions');
    expect(String(answer.headers['set-cookie'])).toMatch(/session=[^;]+; Max-Age=2592000/);
    expect(String(answer.headers['set-cookie'])).toMatch(/pending-connection=;/);
    const { text } = await browser.follow(answer);
    expect(textOf(text)).toContain('Welcome. Your account is ready.');
    expect(textOf(text)).toMatch(/Signed in [^·]* with Acme/);

    const now = application.clock.now();
    expect(await userWith(account.email)).toMatchObject({
      name: 'Grace H.',
      password: null,
      emailVerifiedAt: now,
      createdAt: now,
      updatedAt: now,
      connections: [{ issuer: acme.issuer, subject: account.subject, provider: 'acme' }],
    });
    const phone = openBrowser(application);
    expect((await visit(phone, '/login/provider/acme')).location).toBe('/');
    expect((await phone.get('/settings/profile')).status).toBe(200);
  });

  test('an e-mail typed instead of the verified one also needs the mailed code', async () => {
    const account = createAcmeAccount(true);
    const { browser, email, code } = await startSignUp(newEmail());
    expect((await submitCode(browser, code)).location).toBe('/');
    expect((await userWith(email))?.connections).toMatchObject([{ subject: account.subject }]);
    expect(await userWith(account.email)).toBeNull();
  });

  test('an unverified e-mail of a GitHub account also needs the mailed code', async () => {
    const id = Math.floor(Math.random() * 1e9) + 1;
    const email = newEmail();
    const emails = [{ email, primary: true, verified: false }];
    github.account = { id, login: 'grace', name: null, emails };
    const browser = openBrowser(application);
    await visit(browser, '/login/provider/github');
    expect(fieldOnPage((await browser.get(SIGN_UP)).text, 'email').value).toBe('');
    await browser.post(SIGN_UP, { name: 'Grace', email });
    expect(await countConnections(String(id))).toBe(0);
    const { code } = await mailboxOf(application).nextMailTo(email, 'sign-up-code');
    await browser.follow(await submitCode(browser, String(code)));
    expect((await userWith(email))?.connections).toMatchObject([{ subject: String(id) }]);
  });

  test('a sign-up answers and runs the same statements whether the e-mail is taken or not', async () => {
    const known = (await signUp(application)).email;
    const unknown = newEmail();
    createAcmeAccount();
    const observed = [];
    for (const email of [known, unknown]) {
      const browser = await returnFromAcme();
      await mailboxOf(application).unread();
      const before = application.statements.length;
      const answer = await browser.post(SIGN_UP, { name: 'Grace', email });
      const statements = application.statements
        .slice(before)
        .filter((sql) => sql.startsWith('INSERT') || !sql.includes('OutgoingMail'));
      const page = await browser.get(VERIFY);
      const bad = await submitCode(browser, '00000000');
      observed.push({
        status: answer.status,
        location: answer.location,
        statements,
        cookies: answer.headers['set-cookie']!.map((line) => line.replace(/=[^;]*/, '=').length),
        page: textOf(page.text).replaceAll(email, 'EMAIL'),
        bad: [bad.status, textOf(bad.text).replaceAll(email, 'EMAIL')],
      });
    }
    expect(observed[0]!.location).toBe(VERIFY);
    expect(observed[0]!.statements.length).toBeGreaterThan(1);
    expect(observed[0]).toEqual(observed[1]);
    const mail = await mailboxOf(application).nextMailTo(known, 'sign-up-taken');
    expect(mail.code).toBeNull();
  });

  test('a sign-up with the e-mail of an existing account never signs in to that account', async () => {
    const user = await signUp(application);
    const account = createAcmeAccount();
    const browser = await returnFromAcme();
    await browser.post(SIGN_UP, { name: 'Grace', email: user.email });
    expect((await submitCode(browser, '12345678')).status).toBe(400);
    expect(await browser.sessionToken()).toBeNull();
    expect(await countConnections(account.subject)).toBe(0);
    await signIn(application, user);
  });

  test('a pending sign-up leaves no plain text in the database or the log', async () => {
    const account = createAcmeAccount();
    acme.accounts[account.subject] = { ...account, name: 'A name to look for' };
    const { code } = await startSignUp(newEmail(), { name: 'And what was typed' });
    const everything = application.everything() + JSON.stringify(application.logged);
    for (const secret of [
      code,
      'A name to look for',
      'And what was typed',
      account.subject,
      account.email,
    ]) {
      expect(everything).not.toContain(secret);
    }
  });
});

describe('the code of a sign-up through a provider', () => {
  test('the code works only in the browser that returned from the provider', async () => {
    const first = await startSignUp();
    const other = await startSignUp();
    expect((await submitCode(openBrowser(application), first.code)).location).toBe('/signup');
    expect((await submitCode(other.browser, first.code)).status).toBe(400);
    expect(await userWith(first.email)).toBeNull();
    expect(await userWith(other.email)).toBeNull();
  });

  test('the code is refused if the identity was connected meanwhile, and the page says so', async () => {
    const account = createAcmeAccount();
    const first = await startSignUp(account.email);
    const second = await startSignUp(newEmail());
    expect((await submitCode(first.browser, first.code)).location).toBe('/');
    const answer = await submitCode(second.browser, second.code);
    expect(answer.location).toBe('/login');
    expect(await second.browser.sessionToken()).toBeNull();
    expect(await userWith(second.email)).toBeNull();
    expect(await countConnections(account.subject)).toBe(1);
    expect(textOf((await second.browser.get('/login')).text)).toContain(
      'Who you are at Acme has an account here by now. Sign in with Acme.',
    );
    // Neither the connection nor the code is pending any longer.
    expect((await second.browser.get(SIGN_UP)).location).toBe('/login');
    expect((await submitCode(second.browser, second.code)).location).toBe('/signup');
  });

  test('the code creates no second account if the e-mail got one meanwhile', async () => {
    const email = newEmail();
    createAcmeAccount();
    const first = await startSignUp(email);
    const account = createAcmeAccount();
    const second = await startSignUp(email);
    expect((await submitCode(first.browser, first.code)).location).toBe('/');
    const answer = await submitCode(second.browser, second.code);
    expect(answer.status).toBe(400);
    expect(formErrorOnPage(answer.text)).toContain('has an account by now');
    expect(await second.browser.sessionToken()).toBeNull();
    expect(await countConnections(account.subject)).toBe(0);
  });

  test('20 concurrent submissions of the code create one account', async () => {
    const { browser, email, code } = await startSignUp();
    const cookie = await browser.jar.getCookieString(application.origin);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        openBrowser(application).post(VERIFY, { code }, { headers: { Cookie: cookie } }),
      ),
    );
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(1);
    expect((await userWith(email))?.connections).toHaveLength(1);
  });
});

test('MAILS_PER_ADDRESS also limits the codes of a sign-up through a provider', async () => {
  const provider = await startOpenIdProvider();
  const limited = await startApplication({
    clock: new TestClock(new Date()),
    env: { OIDC_PROVIDERS: 'acme', ...provider.env('acme'), MAILS_PER_ADDRESS: '2' },
  });
  provider.admit(limited.origin, 'acme');
  provider.accounts.grace = {};
  provider.signsIn = 'grace';
  const browser = openBrowser(limited);
  await visit(browser, '/login/provider/acme');
  const submitEmail = (email: string) => browser.post(SIGN_UP, { name: 'Grace', email });
  const email = newEmail();
  const answers = [
    await submitEmail(email),
    await submitEmail(email),
    await submitEmail(email),
    await submitEmail(newEmail()),
  ];
  expect(answers.map(({ status }) => status)).toEqual([302, 302, 429, 302]);
  expect(Number(answers[2]!.headers['retry-after'])).toBeGreaterThan(0);
  expect(fieldOnPage(answers[2]!.text, 'email').value).toBe(email);
  const sent = (await mailboxOf(limited).unread()).filter(({ to }) => to === email);
  expect(sent).toHaveLength(2);
  await limited.close();
  await provider.close();
});

test('without mail, an unverified e-mail is refused the same whether it is taken or not', async () => {
  const provider = await startOpenIdProvider();
  const withoutMail = await startApplication({
    clock: new TestClock(new Date()),
    env: {
      ORIGIN: 'https://latchkey.example',
      PASSWORD_PEPPER: 'p'.repeat(40),
      BCRYPT_COST: '10',
      ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      OIDC_PROVIDERS: 'acme',
      ...provider.env('acme'),
    },
  });
  provider.admit(withoutMail.origin, 'acme');
  const known = (await signUp(withoutMail)).email;
  const email = newEmail();
  provider.accounts.grace = { email, email_verified: false };
  provider.signsIn = 'grace';
  const browser = openBrowser(withoutMail);
  await visit(browser, '/login/provider/acme');
  expect(fieldOnPage((await browser.get(SIGN_UP)).text, 'email').note).toBeNull();
  const answers = [];
  for (const typed of [email, known, newEmail()]) {
    const answer = await browser.post(SIGN_UP, { name: 'Grace', email: typed });
    const { value, note } = fieldOnPage(answer.text, 'email');
    expect(value).toBe(typed);
    answers.push({ status: answer.status, cookies: answer.headers['set-cookie'], note });
  }
  expect(answers[0]!.status).toBe(400);
  expect(answers[0]!.note).toContain('Acme has not confirmed that this address is yours');
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
  expect(await browser.sessionToken()).toBeNull();
  await withoutMail.close();
  await provider.close();
});
