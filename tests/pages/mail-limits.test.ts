import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import type { BrowserLike } from '../fixtures/browser-like.ts';
import { mailboxOf, openBrowser, PASSWORD, signUp } from '../fixtures/users.ts';
import { wrongCodeFor } from '../fixtures/wrong-code.ts';
import { textOf } from './form-on-page.ts';

const MAILS = 3;
const ATTEMPTS = 3;

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication({
    env: {
      TRUSTED_PROXIES: '1',
      MAILS_PER_ADDRESS: String(MAILS),
      CODE_TRIES_PER_ACCOUNT: String(ATTEMPTS),
    },
  });
});
afterAll(() => application.close());

let addresses = 0;
const newAddress = () => `limited${(addresses += 1)}@example.com`;
/** Returns a function that opens browsers, all in one new network. */
const newNetwork = () => {
  addresses += 1;
  const headers = { 'X-Forwarded-For': `10.0.0.${addresses}` };
  return () => openBrowser(application, { headers });
};
const openInNewNetwork = () => newNetwork()();
const mailsTo = async (email: string) => {
  const mails = await mailboxOf(application).unread();
  return mails.filter(({ to }) => to === email).length;
};
const codeFor = async (email: string) =>
  String((await mailboxOf(application).nextMailTo(email)).code);

describe('MAILS_PER_ADDRESS', () => {
  test.each(['/signup', '/forgot-password'])(
    'POST %s mails an address only as often as allowed, counted per network',
    async (path) => {
      const { email } = path === '/signup' ? { email: newAddress() } : await signUp(application);
      const ask = (browser: BrowserLike, to = email) =>
        browser.post(path, { email: to, name: 'Ada', password: PASSWORD });
      const open = newNetwork();
      for (let times = 0; times < MAILS; times += 1) {
        expect((await ask(open())).status).toBe(302);
      }
      const refused = await ask(open());
      expect(refused.status).toBe(429);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(refused.headers['set-cookie']).toBeUndefined();
      expect(await mailsTo(email)).toBe(MAILS);
      expect((await ask(open(), newAddress())).status).toBe(302);
      expect((await ask(openInNewNetwork())).status).toBe(302);
    },
  );

  test('requests for another code are limited too, and the last code stays valid', async () => {
    const email = newAddress();
    const browser = openInNewNetwork();
    await browser.post('/signup', { email, name: 'Ada', password: PASSWORD });
    await codeFor(email);
    for (let mails = 2; mails < MAILS; mails += 1) {
      await browser.post('/signup/verify/again', {});
      await codeFor(email);
    }
    await browser.post('/signup/verify/again', {});
    const last = await codeFor(email);
    const page = await browser.follow(await browser.post('/signup/verify/again', {}));
    expect(textOf(page.text)).not.toContain('Another code is on its way.');
    expect(await mailsTo(email)).toBe(0);
    expect((await browser.post('/signup/verify', { code: last })).status).toBe(302);
  });

  test('the codes of an e-mail change are limited across accounts', async () => {
    const [first, second] = [await signUp(application), await signUp(application)];
    const to = newAddress();
    for (let mails = 0; mails < MAILS; mails += 1) {
      const { browser } = mails % 2 === 0 ? first : second;
      expect((await browser.post('/settings/email', { newEmail: to })).status).toBe(302);
    }
    const refused = await first.browser.post('/settings/email', { newEmail: to });
    expect(refused.status).toBe(429);
    expect(await mailsTo(to)).toBe(MAILS);
  });

  test('the limit does not keep an old address from undoing a change of e-mail', async () => {
    const user = await signUp(application);
    const to = newAddress();
    await user.browser.post('/settings/email', { newEmail: to });
    await user.browser.post('/settings/email/verify', { code: await codeFor(to) });
    const mail = await mailboxOf(application).nextMailTo(user.email, 'email-changed');
    const key = new URL(mail.links.find((link) => link.includes('#'))!).hash.slice(1);
    const open = newNetwork();
    const ask = () => open().post('/forgot-password', { email: user.email });
    for (let times = 0; times < MAILS; times += 1) await ask();
    expect((await ask()).status).toBe(429);
    const before = await mailsTo(user.email);
    const answer = await open().post('/email-change/undo', { key });
    expect(answer.location).toBe('/forgot-password');
    expect(await mailsTo(user.email)).toBe(before);
    const rows = application.sql('SELECT id FROM User WHERE email = ?', user.email);
    expect(rows).toHaveLength(1);
  });
});

describe('guessing codes and keys', () => {
  test('attempts at the codes of one account are limited together, for all its codes', async () => {
    const { email } = await signUp(application);
    const headers = { 'X-Forwarded-For': '10.1.1.1' };
    const browsers = [openBrowser(application, { headers }), openBrowser(application, { headers })];
    const codes: string[] = [];
    for (const browser of browsers) {
      await browser.post('/forgot-password', { email });
      codes.push(await codeFor(email));
    }
    for (let attempts = 0; attempts < ATTEMPTS; attempts += 1) {
      const at = attempts % 2;
      const code = wrongCodeFor(codes[at]!);
      expect((await browsers[at]!.post('/reset-password', { code })).status).toBe(400);
    }
    for (const [at, browser] of browsers.entries()) {
      const answer = await browser.post('/reset-password', { code: codes[at]! });
      expect(answer.status).toBe(429);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
  });

  test('attempts at an undo key are limited per network, so its owner can still use it', async () => {
    const key = (id: string) => ({ key: `${id}.${'A'.repeat(43)}` });
    const guesser = openInNewNetwork();
    const id = 'A'.repeat(16);
    for (let attempts = 0; attempts < ATTEMPTS; attempts += 1) {
      expect((await guesser.post('/email-change/undo', key(id))).status).toBe(400);
    }
    expect((await guesser.post('/email-change/undo', key(id))).status).toBe(429);
    expect((await openInNewNetwork().post('/email-change/undo', key(id))).status).toBe(400);
  });
});
