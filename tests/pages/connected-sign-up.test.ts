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
afterEach(() => {
  expect(application.logged.filter(({ level }) => level >= LOG_ERROR)).toEqual([]);
});

const newEmail = () => `${randomUUID()}@example.com`;
/** Somebody new at Acme, who is the one signed in there now. */
const newcomer = (isVerified = false) => {
  const subject = randomUUID();
  const account = { email: newEmail(), email_verified: isVerified, name: 'Grace' };
  acme.accounts[subject] = account;
  acme.signsIn = subject;
  return { subject, ...account };
};
/** A browser that was at Acme and is asked whether to make an account. */
const comeFromAcme = async (fields: Record<string, string> = {}) => {
  const browser = openBrowser(application);
  expect((await visit(browser, '/login/provider/acme', fields)).location).toBe(SIGN_UP);
  return browser;
};
/** One that waits for the code, and the code. */
const begin = async (email = newcomer().email, fields: Record<string, string> = {}) => {
  const { name = 'Grace H.', ...visited } = fields;
  const browser = await comeFromAcme(visited);
  const answer = await browser.post(SIGN_UP, { name, email });
  expect(answer.location, answer.text).toBe(VERIFY);
  const { code } = await mailboxOf(application).nextMailTo(email, 'sign-up-code');
  return { browser, email, code: String(code) };
};
const bring = (browser: BrowserLike, code: string) => browser.post(VERIFY, { code });
const userWith = (email: string) =>
  application.database.client.user.findUnique({
    where: { email },
    include: { password: true, connections: true },
  });
const countOf = (subject: string) =>
  application.database.client.connection.count({ where: { subject } });

describe('an address that the provider does not vouch for', () => {
  test('makes an account once its code came back, and the provider signs in to it', async () => {
    const there = newcomer();
    const to = { redirectTo: '/settings/sessions', remember: 'on' };
    const page = await (await comeFromAcme(to)).get(SIGN_UP);
    expect(fieldOnPage(page.text, 'email').note).toContain('We mail you a code');
    const { browser, code } = await begin(there.email, to);
    expect(await userWith(there.email)).toBeNull();
    expect(await countOf(there.subject)).toBe(0);
    expect(await browser.sessionToken()).toBeNull();
    const waiting = await browser.get(VERIFY);
    expect(textOf(waiting.text)).toContain(`We sent a code to ${there.email} .`);
    expect(waiting.text).toContain(`href="${SIGN_UP}"`);

    const answer = await bring(browser, code);
    expect(answer.location).toBe('/settings/sessions');
    expect(String(answer.headers['set-cookie'])).toMatch(/session=[^;]+; Max-Age=2592000/);
    expect(String(answer.headers['set-cookie'])).toMatch(/pending-connection=;/);
    const { text } = await browser.follow(answer);
    expect(textOf(text)).toContain('Welcome. Your account is ready.');
    expect(textOf(text)).toMatch(/Signed in [^·]* with Acme/);

    const now = application.clock.now();
    expect(await userWith(there.email)).toMatchObject({
      name: 'Grace H.',
      password: null,
      emailVerifiedAt: now,
      createdAt: now,
      updatedAt: now,
      connections: [{ issuer: acme.issuer, subject: there.subject, provider: 'acme' }],
    });
    const phone = openBrowser(application);
    expect((await visit(phone, '/login/provider/acme')).location).toBe('/');
    expect((await phone.get('/settings/profile')).status).toBe(200);
  });

  test('as it was typed in place of the one that it does vouch for, does too', async () => {
    const there = newcomer(true);
    const { browser, email, code } = await begin(newEmail());
    expect((await bring(browser, code)).location).toBe('/');
    expect((await userWith(email))?.connections).toMatchObject([{ subject: there.subject }]);
    expect(await userWith(there.email)).toBeNull();
  });

  test('by GitHub does too', async () => {
    const id = Math.floor(Math.random() * 1e9) + 1;
    const email = newEmail();
    const emails = [{ email, primary: true, verified: false }];
    github.account = { id, login: 'grace', name: null, emails };
    const browser = openBrowser(application);
    await visit(browser, '/login/provider/github');
    expect(fieldOnPage((await browser.get(SIGN_UP)).text, 'email').value).toBe('');
    await browser.post(SIGN_UP, { name: 'Grace', email });
    expect(await countOf(String(id))).toBe(0);
    const { code } = await mailboxOf(application).nextMailTo(email, 'sign-up-code');
    await browser.follow(await bring(browser, String(code)));
    expect((await userWith(email))?.connections).toMatchObject([{ subject: String(id) }]);
  });

  test('is answered, and costs, the same whether it has an account or not', async () => {
    const known = (await signUp(application)).email;
    const unknown = newEmail();
    newcomer();
    const seen = [];
    for (const email of [known, unknown]) {
      const browser = await comeFromAcme();
      await mailboxOf(application).unread();
      const before = application.statements.length;
      const answer = await browser.post(SIGN_UP, { name: 'Grace', email });
      const statements = application.statements
        .slice(before)
        .filter((sql) => sql.startsWith('INSERT') || !sql.includes('OutgoingMail'));
      const page = await browser.get(VERIFY);
      const bad = await bring(browser, '00000000');
      seen.push({
        status: answer.status,
        location: answer.location,
        statements,
        cookies: answer.headers['set-cookie']!.map((one) => one.replace(/=[^;]*/, '=').length),
        page: textOf(page.text).replaceAll(email, 'EMAIL'),
        bad: [bad.status, textOf(bad.text).replaceAll(email, 'EMAIL')],
      });
    }
    expect(seen[0]!.location).toBe(VERIFY);
    expect(seen[0]!.statements.length).toBeGreaterThan(1);
    expect(seen[0]).toEqual(seen[1]);
    const mail = await mailboxOf(application).nextMailTo(known, 'sign-up-taken');
    expect(mail.code).toBeNull();
  });

  test('of an account that is there signs nobody in to it, whatever is typed', async () => {
    const user = await signUp(application);
    const there = newcomer();
    const browser = await comeFromAcme();
    await browser.post(SIGN_UP, { name: 'Grace', email: user.email });
    expect((await bring(browser, '12345678')).status).toBe(400);
    expect(await browser.sessionToken()).toBeNull();
    expect(await countOf(there.subject)).toBe(0);
    await signIn(application, user);
  });

  test('leaves nothing of what waits in clear, in no table and no line of the log', async () => {
    const there = newcomer();
    acme.accounts[there.subject] = { ...there, name: 'A name to look for' };
    const { code } = await begin(newEmail(), { name: 'And what was typed' });
    const everything = application.everything() + JSON.stringify(application.logged);
    for (const secret of [
      code,
      'A name to look for',
      'And what was typed',
      there.subject,
      there.email,
    ]) {
      expect(everything).not.toContain(secret);
    }
  });
});

describe('a code that makes a connected account', () => {
  test('works in the browser that was at the provider, and in no other', async () => {
    const one = await begin();
    const other = await begin();
    expect((await bring(openBrowser(application), one.code)).location).toBe('/signup');
    expect((await bring(other.browser, one.code)).status).toBe(400);
    expect(await userWith(one.email)).toBeNull();
    expect(await userWith(other.email)).toBeNull();
  });

  test('signs nobody in when the identity was connected meanwhile, and says where to go', async () => {
    const there = newcomer();
    const first = await begin(there.email);
    const second = await begin(newEmail());
    expect((await bring(first.browser, first.code)).location).toBe('/');
    const answer = await bring(second.browser, second.code);
    expect(answer.location).toBe('/login');
    expect(await second.browser.sessionToken()).toBeNull();
    expect(await userWith(second.email)).toBeNull();
    expect(await countOf(there.subject)).toBe(1);
    expect(textOf((await second.browser.get('/login')).text)).toContain(
      'Who you are at Acme has an account here by now. Sign in with Acme.',
    );
    // Nothing of it waits any more.
    expect((await second.browser.get(SIGN_UP)).location).toBe('/login');
    expect((await bring(second.browser, second.code)).location).toBe('/signup');
  });

  test('makes no second account of an address that got one meanwhile', async () => {
    const email = newEmail();
    newcomer();
    const first = await begin(email);
    const there = newcomer();
    const second = await begin(email);
    expect((await bring(first.browser, first.code)).location).toBe('/');
    const answer = await bring(second.browser, second.code);
    expect(answer.status).toBe(400);
    expect(formErrorOnPage(answer.text)).toContain('has an account by now');
    expect(await second.browser.sessionToken()).toBeNull();
    expect(await countOf(there.subject)).toBe(0);
  });

  test('that twenty bring at the same moment makes one account', async () => {
    const { browser, email, code } = await begin();
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

test('an address gets no more of these mails than of any', async () => {
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
  const ask = (email: string) => browser.post(SIGN_UP, { name: 'Grace', email });
  const wanted = newEmail();
  const answers = [await ask(wanted), await ask(wanted), await ask(wanted), await ask(newEmail())];
  expect(answers.map(({ status }) => status)).toEqual([302, 302, 429, 302]);
  expect(Number(answers[2]!.headers['retry-after'])).toBeGreaterThan(0);
  expect(fieldOnPage(answers[2]!.text, 'email').value).toBe(wanted);
  const sent = (await mailboxOf(limited).unread()).filter(({ to }) => to === wanted);
  expect(sent).toHaveLength(2);
  await limited.close();
  await provider.close();
});

test('where there is no mail it is refused, known or not, with words', async () => {
  const provider = await startOpenIdProvider();
  const silent = await startApplication({
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
  provider.admit(silent.origin, 'acme');
  const known = (await signUp(silent)).email;
  const email = newEmail();
  provider.accounts.grace = { email, email_verified: false };
  provider.signsIn = 'grace';
  const browser = openBrowser(silent);
  await visit(browser, '/login/provider/acme');
  expect(fieldOnPage((await browser.get(SIGN_UP)).text, 'email').note).toBeNull();
  const answers = [];
  for (const wanted of [email, known, newEmail()]) {
    const answer = await browser.post(SIGN_UP, { name: 'Grace', email: wanted });
    const { value, note } = fieldOnPage(answer.text, 'email');
    expect(value).toBe(wanted);
    answers.push({ status: answer.status, cookies: answer.headers['set-cookie'], note });
  }
  expect(answers[0]!.status).toBe(400);
  expect(answers[0]!.note).toContain('Acme has not confirmed that this address is yours');
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
  expect(await browser.sessionToken()).toBeNull();
  await silent.close();
  await provider.close();
});
