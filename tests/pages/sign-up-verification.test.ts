import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import type { BrowserLike } from '../fixtures/browser-like.ts';
import { mailboxOf, openBrowser, PASSWORD, signIn, signUp } from '../fixtures/users.ts';
import { wrongCodeFor } from '../fixtures/wrong-code.ts';
import { fieldOnPage, formErrorOnPage, textOf } from './form-on-page.ts';

const VERIFY = '/signup/verify';
const MINUTE_MS = 60_000;

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

let users = 0;
const details = (given: Record<string, string> = {}) => {
  users += 1;
  return { name: 'Ada', email: `new${users}@example.com`, password: PASSWORD, ...given };
};
const codeFor = async (email: string) =>
  String((await mailboxOf(application).nextMailTo(email, 'sign-up-code')).code);
const usersWith = (email: string) =>
  application.sql<{ emailVerifiedAt: number | null }>(
    'SELECT emailVerifiedAt FROM User WHERE email = ?',
    email,
  );
const enterCode = (browser: BrowserLike, code: string) => browser.post(VERIFY, { code });
/** Submits the sign-up form. Returns the browser, the e-mail and the mailed code. */
const startSignUp = async (given = details()) => {
  const browser = openBrowser(application);
  const answer = await browser.post('/signup', given);
  expect(answer.location).toBe(VERIFY);
  return { browser, email: given.email, code: await codeFor(given.email) };
};

test('a sign-up creates no account and no session before the code is entered', async () => {
  const { browser, email, code } = await startSignUp();
  expect(usersWith(email)).toEqual([]);
  expect(await browser.sessionToken()).toBeNull();
  expect((await browser.get('/settings/sessions')).location).toContain('/login');
  const page = await browser.get(VERIFY);
  expect(textOf(page.text)).toContain(`We sent a code to ${email} .`);
  expect(page.text).not.toContain(code);

  const answer = await enterCode(browser, code);
  expect(answer.status).toBe(302);
  expect(usersWith(email)).toEqual([{ emailVerifiedAt: application.clock.now().getTime() }]);
  expect(textOf((await browser.follow(answer)).text)).toContain('Welcome. Your account is ready.');
  expect((await browser.get(VERIFY)).location).toBe('/');
});

test('a sign-up code is accepted with spaces and dashes', async () => {
  const { browser, code } = await startSignUp();
  const answer = await enterCode(browser, ` ${code.slice(0, 4)} - ${code.slice(4)} `);
  expect(answer.status).toBe(302);
});

test('the link in the mail has the code in its fragment, and opening it does not use it up', async () => {
  const given = details();
  const browser = openBrowser(application);
  await browser.post('/signup', given);
  const mail = await mailboxOf(application).nextMailTo(given.email);
  const link = new URL(mail.links.find((one) => one.includes(VERIFY))!);
  expect(link.origin).toBe(application.origin);
  expect(link.hash).toBe(`#${mail.code}`);
  expect(link.pathname + link.search).toBe(VERIFY);
  for (let scans = 0; scans < 10; scans += 1) {
    expect((await openBrowser(application).get(VERIFY)).status).toBe(200);
    expect((await browser.get(VERIFY)).status).toBe(200);
  }
  expect((await enterCode(browser, String(mail.code))).status).toBe(302);
});

describe('a sign-up code', () => {
  test('a sign-up code works only in the browser that requested it', async () => {
    const { code, email } = await startSignUp();
    const other = await startSignUp();
    expect((await enterCode(openBrowser(application), code)).location).toBe('/signup');
    expect((await enterCode(other.browser, code)).status).toBe(400);
    expect(usersWith(email)).toEqual([]);
  });

  test('of twenty concurrent entries of a sign-up code one succeeds, and a later one fails', async () => {
    const { browser, code, email } = await startSignUp();
    const cookie = await browser.jar.getCookieString(application.origin);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        openBrowser(application).post(VERIFY, { code }, { headers: { Cookie: cookie } }),
      ),
    );
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(1);
    expect(usersWith(email)).toHaveLength(1);
    const late = await openBrowser(application).post(
      VERIFY,
      { code },
      { headers: { Cookie: cookie } },
    );
    expect(late.status).toBe(400);
  });

  test('a sign-up code is void after five wrong attempts', async () => {
    const { browser, code, email } = await startSignUp();
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      const answer = await enterCode(browser, wrongCodeFor(code));
      expect(answer.status).toBe(400);
      const field = fieldOnPage(answer.text, 'code');
      expect(field).toMatchObject({ isInvalid: true, hasFocus: true, value: null });
      expect(field.note).toContain(attempt === 5 ? 'it was the last try' : 'This is not the code.');
    }
    expect(fieldOnPage((await enterCode(browser, code)).text, 'code').note).toContain(
      'used or too old',
    );
    expect(usersWith(email)).toEqual([]);
  });

  test('of thirty concurrent wrong attempts only five are checked', async () => {
    const { browser, code } = await startSignUp();
    const cookie = await browser.jar.getCookieString(application.origin);
    const answers = await Promise.all(
      Array.from({ length: 30 }, () =>
        openBrowser(application).post(
          VERIFY,
          { code: wrongCodeFor(code) },
          { headers: { Cookie: cookie } },
        ),
      ),
    );
    const checked = answers.filter(({ text }) => text.includes('This is not the code'));
    expect(checked).toHaveLength(5);
  });

  test('a sign-up code expires after exactly ten minutes', async () => {
    const early = await startSignUp();
    const late = await startSignUp();
    application.clock.advance(10 * MINUTE_MS - 1);
    expect((await enterCode(early.browser, early.code)).status).toBe(302);
    application.clock.advance(1);
    expect(fieldOnPage((await enterCode(late.browser, late.code)).text, 'code').note).toContain(
      'too old',
    );
  });

  test('requesting another sign-up code voids the previous one', async () => {
    const { browser, code, email } = await startSignUp();
    application.clock.advance(11 * MINUTE_MS);
    const sent = await browser.post(`${VERIFY}/again`, {}, { from: VERIFY });
    const page = await browser.follow(sent);
    expect(textOf(page.text)).toContain('Another code is on its way.');
    const another = await codeFor(email);
    if (another !== code) expect((await enterCode(browser, code)).status).toBe(400);
    expect((await enterCode(browser, another)).status).toBe(302);
  });

  test.each(['', '1234567', '123456789', 'abcdefgh', '12345678\u0000', '١٢٣٤٥٦٧٨'])(
    'the malformed sign-up code %j is refused next to the field and uses up no attempt',
    async (typed) => {
      const { browser, code } = await startSignUp();
      for (let times = 0; times < 7; times += 1) {
        const answer = await enterCode(browser, typed);
        expect(answer.status).toBe(400);
        expect(fieldOnPage(answer.text, 'code').isInvalid).toBe(true);
      }
      expect((await enterCode(browser, code)).status).toBe(302);
    },
  );

  test('the code and the sign-up form are in plain text in no table, cookie or log line', async () => {
    const { browser, code, email } = await startSignUp(details({ name: 'A name to look for' }));
    const everything = application.everything();
    for (const secret of [code, PASSWORD, 'A name to look for']) {
      expect(everything).not.toContain(secret);
      expect(JSON.stringify(application.logged)).not.toContain(secret);
    }
    expect(JSON.stringify(application.logged)).not.toContain(email);
    const cookies = await browser.jar.getCookieString(application.origin);
    expect(decodeURIComponent(cookies)).not.toContain(code);
    expect(cookies).not.toContain(email);
  });
});

describe('an e-mail that has an account', () => {
  /** Removes the nonces and sealed values, which differ in every answer. */
  const withoutNonces = (text: string) =>
    text.replace(/nonce="[^"]*"/g, '').replaceAll(/[A-Za-z0-9+/]{20,}={0,2}/g, '');

  test('a sign-up with a taken e-mail is answered like any other, and its owner gets a mail', async () => {
    const user = await signUp(application);
    const unknown = details({ email: `${'x'.repeat(user.email.indexOf('@'))}@example.com` });
    const known = { ...unknown, email: user.email };
    const pages = [];
    for (const given of [known, unknown]) {
      const browser = openBrowser(application);
      const answer = await browser.post('/signup', given);
      const page = await browser.follow(answer);
      const bad = await enterCode(browser, '00000000');
      pages.push({
        status: answer.status,
        location: answer.location,
        length: answer.text.length,
        cookies: answer.headers['set-cookie']!.map((one) => one.replace(/=[^;]*/, '=').length),
        page: withoutNonces(page.text.replaceAll(given.email, 'EMAIL')),
        bad: withoutNonces(bad.text.replaceAll(given.email, 'EMAIL')),
      });
    }
    expect(pages[0]).toEqual(pages[1]);
    const mail = await mailboxOf(application).nextMailTo(user.email, 'sign-up-taken');
    expect(mail.code).toBeNull();
    expect(mail.links).toContain(`${application.origin}/login`);
    expect(mail.links).toContain(`${application.origin}/forgot-password`);
  });

  test('a sign-up runs the same statements for a taken and for a new e-mail', async () => {
    const user = await signUp(application);
    const shapes = [];
    for (const given of [details({ email: user.email }), details()]) {
      const browser = openBrowser(application);
      await mailboxOf(application).unread();
      const before = application.statements.length;
      await browser.post('/signup', given);
      // The mail worker runs later, for both, and no request waits for it.
      shapes.push(application.statements.slice(before).filter((sql) => !/OutgoingMail/.test(sql)));
      await mailboxOf(application).unread();
    }
    expect(shapes[0]!.length).toBeGreaterThan(1);
    expect(shapes[0]).toEqual(shapes[1]);
  });

  test('a sign-up with a taken e-mail cannot take over its account', async () => {
    const user = await signUp(application, { name: 'The first' });
    const attacker = openBrowser(application);
    await attacker.post('/signup', details({ email: user.email, password: 'another password' }));
    expect((await enterCode(attacker, '12345678')).status).toBe(400);
    await signIn(application, user);
    expect(application.sql('SELECT name FROM User WHERE email = ?', user.email)).toEqual([
      { name: 'The first' },
    ]);
  });

  test('of ten concurrent sign-ups with one e-mail at most one succeeds', async () => {
    const { email } = details();
    const browsers = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const browser = openBrowser(application);
        await browser.post('/signup', details({ email }));
        return browser;
      }),
    );
    const codes: string[] = [];
    for (let mails = 0; mails < 10; mails += 1) codes.push(await codeFor(email));
    const answers = await Promise.all(
      browsers.map(async (browser) => {
        for (const code of codes) {
          const answer = await enterCode(browser, code);
          const isTaken = formErrorOnPage(answer.text)?.includes('has an account by now');
          if (answer.status === 302 || isTaken) return answer.status;
          // The right code is one of ten, and a code allows five attempts: request a new code.
          if (answer.text.includes('last try')) await browser.post(`${VERIFY}/again`, {});
        }
        return 0;
      }),
    );
    expect(answers.filter((status) => status === 302).length).toBeLessThanOrEqual(1);
    expect(usersWith(email).length).toBeLessThanOrEqual(1);
  });
});

describe('without mail', () => {
  let withoutMail: TestApplication;
  beforeAll(async () => {
    withoutMail = await startApplication({
      env: {
        ORIGIN: 'https://latchkey.example',
        PASSWORD_PEPPER: 'p'.repeat(40),
        BCRYPT_COST: '10',
        ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      },
    });
  });
  afterAll(() => withoutMail.close());

  test('without SMTP_URL the start logs a warning, and accounts are created without a code', async () => {
    const warning = withoutMail.logged.find(({ msg }) => msg.includes('SMTP_URL'));
    expect(warning?.level).toBe(40);
    const { email } = await signUp(withoutMail, details());
    expect(withoutMail.sql('SELECT emailVerifiedAt FROM User WHERE email = ?', email)).toEqual([
      { emailVerifiedAt: null },
    ]);
  });

  test('without SMTP_URL a taken e-mail is refused next to its field and keeps its account', async () => {
    const user = await signUp(withoutMail, details({ name: 'The first' }));
    const typed = { email: user.email, name: 'The second', password: 'another password' };
    const answer = await openBrowser(withoutMail).post('/signup', typed);
    expect(answer.status).toBe(400);
    expect(answer.headers['set-cookie']).toBeUndefined();
    const field = fieldOnPage(answer.text, 'email');
    expect(field).toMatchObject({ isInvalid: true, hasFocus: true, value: user.email });
    expect(field.note).toContain('cannot be used for a new account');
    expect(fieldOnPage(answer.text, 'name').value).toBe('The second');
    await signIn(withoutMail, user);
  });

  test('without SMTP_URL pages that need mail say that this Latchkey cannot send any', async () => {
    const user = await signUp(withoutMail, details());
    for (const page of ['/forgot-password', '/settings/email']) {
      const answer = await user.browser.get(page);
      expect(textOf(answer.text)).toContain('This Latchkey cannot send mail');
      expect(answer.text).not.toContain('<input type="email" name');
    }
    expect((await user.browser.get('/outbox')).status).toBe(404);
  });
});
