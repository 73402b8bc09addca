import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import type { BrowserLike } from '../fixtures/browser-like.ts';
import { mailboxOf, openBrowser, PASSWORD, signIn, signUp } from '../fixtures/users.ts';
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
const bring = (browser: BrowserLike, code: string) => browser.post(VERIFY, { code });
/** Sends the form; answers who waits, and the code that was mailed. */
const begin = async (given = details()) => {
  const browser = openBrowser(application);
  const answer = await browser.post('/signup', given);
  expect(answer.location).toBe(VERIFY);
  return { browser, email: given.email, code: await codeFor(given.email) };
};
const wrong = (code: string) => (code === '00000000' ? '00000001' : '00000000');

test('there is no account and no session before the code comes back', async () => {
  const { browser, email, code } = await begin();
  expect(usersWith(email)).toEqual([]);
  expect(await browser.sessionToken()).toBeNull();
  expect((await browser.get('/settings/sessions')).location).toContain('/login');
  const page = await browser.get(VERIFY);
  expect(textOf(page.text)).toContain(`We sent a code to ${email} .`);
  expect(page.text).not.toContain(code);

  const answer = await bring(browser, code);
  expect(answer.status).toBe(302);
  expect(usersWith(email)).toEqual([{ emailVerifiedAt: application.clock.now().getTime() }]);
  expect(textOf((await browser.follow(answer)).text)).toContain('Welcome. Your account is ready.');
  expect((await browser.get(VERIFY)).location).toBe('/');
});

test('a code is taken however its digits are grouped', async () => {
  const { browser, code } = await begin();
  const answer = await bring(browser, ` ${code.slice(0, 4)} - ${code.slice(4)} `);
  expect(answer.status).toBe(302);
});

test('the link in the mail carries the code where no server sees it, and following it uses nothing up', async () => {
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
  expect((await bring(browser, String(mail.code))).status).toBe(302);
});

describe('a code', () => {
  test('works in the browser that asked for it, and in no other', async () => {
    const { code, email } = await begin();
    const other = await begin();
    expect((await bring(openBrowser(application), code)).location).toBe('/signup');
    expect((await bring(other.browser, code)).status).toBe(400);
    expect(usersWith(email)).toEqual([]);
  });

  test('works once, also when twenty bring it at the same moment', async () => {
    const { browser, code, email } = await begin();
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

  test('has five tries; the sixth finds the right one worthless', async () => {
    const { browser, code, email } = await begin();
    for (let tries = 1; tries <= 5; tries += 1) {
      const answer = await bring(browser, wrong(code));
      expect(answer.status).toBe(400);
      const field = fieldOnPage(answer.text, 'code');
      expect(field).toMatchObject({ isInvalid: true, hasFocus: true, value: null });
      expect(field.note).toContain(tries === 5 ? 'it was the last try' : 'This is not the code.');
    }
    expect(fieldOnPage((await bring(browser, code)).text, 'code').note).toContain(
      'used or too old',
    );
    expect(usersWith(email)).toEqual([]);
  });

  test('gets no sixth try when many are sent at once', async () => {
    const { browser, code } = await begin();
    const cookie = await browser.jar.getCookieString(application.origin);
    const answers = await Promise.all(
      Array.from({ length: 30 }, () =>
        openBrowser(application).post(
          VERIFY,
          { code: wrong(code) },
          { headers: { Cookie: cookie } },
        ),
      ),
    );
    const looked = answers.filter(({ text }) => text.includes('This is not the code'));
    expect(looked).toHaveLength(5);
  });

  test('lasts ten minutes, to the millisecond', async () => {
    const early = await begin();
    const late = await begin();
    application.clock.advance(10 * MINUTE_MS - 1);
    expect((await bring(early.browser, early.code)).status).toBe(302);
    application.clock.advance(1);
    expect(fieldOnPage((await bring(late.browser, late.code)).text, 'code').note).toContain(
      'too old',
    );
  });

  test('that did not come is sent again, and the one before it is dead', async () => {
    const { browser, code, email } = await begin();
    application.clock.advance(11 * MINUTE_MS);
    const sent = await browser.post(`${VERIFY}/again`, {}, { from: VERIFY });
    const page = await browser.follow(sent);
    expect(textOf(page.text)).toContain('Another code is on its way.');
    const another = await codeFor(email);
    if (another !== code) expect((await bring(browser, code)).status).toBe(400);
    expect((await bring(browser, another)).status).toBe(302);
  });

  test.each(['', '1234567', '123456789', 'abcdefgh', '12345678\u0000', '١٢٣٤٥٦٧٨'])(
    'that is none, %j, is refused next to the field and takes no try',
    async (typed) => {
      const { browser, code } = await begin();
      for (let tries = 0; tries < 7; tries += 1) {
        const answer = await bring(browser, typed);
        expect(answer.status).toBe(400);
        expect(fieldOnPage(answer.text, 'code').isInvalid).toBe(true);
      }
      expect((await bring(browser, code)).status).toBe(302);
    },
  );

  test('and what was typed with it stand in clear in no table and no line of the log', async () => {
    const { browser, code, email } = await begin(details({ name: 'A name to look for' }));
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
  /** What differs from one answer to the next by itself. */
  const withoutNonces = (text: string) =>
    text.replace(/nonce="[^"]*"/g, '').replaceAll(/[A-Za-z0-9+/]{20,}={0,2}/g, '');

  test('is answered like one that has none, to the last byte, and is told by mail', async () => {
    const user = await signUp(application);
    const unknown = details({ email: `${'x'.repeat(user.email.indexOf('@'))}@example.com` });
    const known = { ...unknown, email: user.email };
    const pages = [];
    for (const given of [known, unknown]) {
      const browser = openBrowser(application);
      const answer = await browser.post('/signup', given);
      const page = await browser.follow(answer);
      const bad = await bring(browser, '00000000');
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

  test('costs the same statements', async () => {
    const user = await signUp(application);
    const shapes = [];
    for (const given of [details({ email: user.email }), details()]) {
      const browser = openBrowser(application);
      await mailboxOf(application).unread();
      const before = application.statements.length;
      await browser.post('/signup', given);
      // What the worker that sends does afterwards, it does for both, and nobody waits for it.
      const said = application.statements.slice(before).filter((sql) => !/OutgoingMail/.test(sql));
      shapes.push(said);
      await mailboxOf(application).unread();
    }
    expect(shapes[0]!.length).toBeGreaterThan(1);
    expect(shapes[0]).toEqual(shapes[1]);
  });

  test('cannot be taken over: no code is right', async () => {
    const user = await signUp(application, { name: 'The first' });
    const taker = openBrowser(application);
    await taker.post('/signup', details({ email: user.email, password: 'another password' }));
    expect((await bring(taker, '12345678')).status).toBe(400);
    await signIn(application, user);
    expect(application.sql('SELECT name FROM User WHERE email = ?', user.email)).toEqual([
      { name: 'The first' },
    ]);
  });

  test('of ten people who want it at the same moment, one gets it', async () => {
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
          const answer = await bring(browser, code);
          const isOver = formErrorOnPage(answer.text)?.includes('has an account by now');
          if (answer.status === 302 || isOver) return answer.status;
          // A right code among ten, with five tries each: the rest is asked for again.
          if (answer.text.includes('last try')) await browser.post(`${VERIFY}/again`, {});
        }
        return 0;
      }),
    );
    expect(answers.filter((status) => status === 302).length).toBeLessThanOrEqual(1);
    expect(usersWith(email).length).toBeLessThanOrEqual(1);
  });
});

describe('where there is no mail', () => {
  let silent: TestApplication;
  beforeAll(async () => {
    silent = await startApplication({
      env: {
        ORIGIN: 'https://latchkey.example',
        PASSWORD_PEPPER: 'p'.repeat(40),
        BCRYPT_COST: '10',
        ENCRYPTION_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
      },
    });
  });
  afterAll(() => silent.close());

  test('the start-up says so, and accounts are made at once', async () => {
    const warning = silent.logged.find(({ msg }) => msg.includes('SMTP_URL'));
    expect(warning?.level).toBe(40);
    const { email } = await signUp(silent, details());
    expect(silent.sql('SELECT emailVerifiedAt FROM User WHERE email = ?', email)).toEqual([
      { emailVerifiedAt: null },
    ]);
  });

  test('a taken e-mail is refused next to its field, and whose it is keeps everything', async () => {
    const user = await signUp(silent, details({ name: 'The first' }));
    const typed = { email: user.email, name: 'The second', password: 'another password' };
    const answer = await openBrowser(silent).post('/signup', typed);
    expect(answer.status).toBe(400);
    expect(answer.headers['set-cookie']).toBeUndefined();
    const field = fieldOnPage(answer.text, 'email');
    expect(field).toMatchObject({ isInvalid: true, hasFocus: true, value: user.email });
    expect(field.note).toContain('cannot be used for a new account');
    expect(fieldOnPage(answer.text, 'name').value).toBe('The second');
    await signIn(silent, user);
  });

  test('what needs mail says that it is off', async () => {
    const user = await signUp(silent, details());
    for (const page of ['/forgot-password', '/settings/email']) {
      const answer = await user.browser.get(page);
      expect(textOf(answer.text)).toContain('This Latchkey cannot send mail');
      expect(answer.text).not.toContain('<input type="email" name');
    }
    expect((await user.browser.get('/outbox')).status).toBe(404);
  });
});
