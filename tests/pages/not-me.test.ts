import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { SAFARI_ON_IPHONE } from '../fixtures/browser-like.ts';
import { mailbox } from '../fixtures/mailbox.ts';
import { isSignedIn } from '../fixtures/signed-in.ts';
import { openBrowser, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { entriesOf, entriesOnPage } from './activity-entries.ts';
import { fieldOnPage, formErrorOnPage, textOf } from './form-on-page.ts';

const PAGE = '/settings/activity';
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication({ env: { LOG_LEVEL: 'trace' } });
});
afterAll(() => application.close());

const liveSessionsOf = ({ email }: TestUser) =>
  application.sql(
    `SELECT s.id FROM Session s JOIN User u ON u.id = s.userId
     WHERE u.email = ? AND s.revokedAt IS NULL`,
    email,
  );
const notMePathOf = async ({ browser }: TestUser) =>
  entriesOnPage((await browser.get(PAGE)).text)[0]!.notMePath!;

/** Signs up a user, signs in from a new device, and returns the link and key of the mail about it. */
async function signUpWithNewDevice() {
  const user = await signUp(application);
  const stranger = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
  const mail = await mailbox(application).nextMailTo(user.email, 'notice');
  const link = mail.links.find((url) => url.includes('/not-me'))!;
  const key = link.slice(link.indexOf('#') + 1);
  return { user, stranger, link, key };
}
const rowOf = (key: string) =>
  application.sql('SELECT * FROM "MailedCode" WHERE id = ?', key.split('.')[0])[0]!;
const INVALID_LINK = /^This link works no more/;

describe('"This wasn’t me" on the activity page', () => {
  test('the "This wasn’t me" page names the device and the effect, and GET changes nothing', async () => {
    const user = await signUp(application);
    await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
    const path = await notMePathOf(user);
    const { status, text } = await user.browser.get(path);
    expect(status).toBe(200);
    const words = textOf(text);
    expect(words).toContain('Safari 18 on iPhone');
    expect(words).toContain('Every device is signed out at once, this one too.');
    expect(words).toContain(user.email);
    expect(liveSessionsOf(user)).toHaveLength(2);
  });

  test('"This wasn’t me" signs out every device, also this one, and redirects to the reset', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
    const path = await notMePathOf(user);
    const answer = await user.browser.post(path, {});
    expect(answer.location).toBe('/reset-password');
    expect(answer.headers['clear-site-data']).toBe('"cache"');
    expect(liveSessionsOf(user)).toEqual([]);
    expect(await isSignedIn(user.browser)).toBe(false);
    expect(await isSignedIn(phone)).toBe(false);
    expect(textOf((await phone.get('/login')).text)).toContain('You were signed out');
    const page = textOf((await user.browser.follow(answer)).text);
    expect(page).toContain('Every device is signed out.');
    expect(entriesOf(application, user.email)[0]!.kind).toBe('not-me');
    const { code } = await mailbox(application).nextMailTo(user.email, 'password-reset-code');
    const typed = await user.browser.post('/reset-password', { code: String(code) });
    expect(typed.location).toBe('/reset-password/new');
  });

  test('"This wasn’t me" needs no re-authentication: it is urgent, and gives no access', async () => {
    const user = await signUp(application);
    const path = await notMePathOf(user);
    application.clock.advance(30 * MINUTE_MS);
    expect((await user.browser.post(path, {})).location).toBe('/reset-password');
  });

  test('the entry of another user is answered like an unknown entry', async () => {
    const [ada, grace] = [await signUp(application), await signUp(application)];
    // Shows the pending message, so that it is not in the answers below.
    await grace.browser.get('/');
    const path = await notMePathOf(ada);
    const missing = `${PAGE}/nothing/not-me`;
    for (const act of ['get', 'post'] as const) {
      const ask = (address: string) =>
        act === 'get' ? grace.browser.get(address) : grace.browser.post(address, {});
      const [other, none] = [await ask(path), await ask(missing)];
      expect([other.status, none.status]).toEqual([404, 404]);
      expect(textOf(other.text)).toBe(textOf(none.text));
    }
    expect(await isSignedIn(ada.browser)).toBe(true);
    expect(await isSignedIn(grace.browser)).toBe(true);
  });

  test('the "This wasn’t me" page links back to the page of the log it was opened from', async () => {
    const { browser } = await signUp(application);
    const older = `?after=${application.clock.now().getTime() + 1}.zz`;
    const [entry] = entriesOnPage((await browser.get(PAGE + older)).text);
    expect(entry!.notMePath).toMatch(/\/not-me\?after=\d+\.zz$/);
    const { text } = await browser.get(entry!.notMePath!);
    expect(text).toContain(`href="${PAGE}${older}"`);
  });
});

describe('"This wasn’t me" in a mail', () => {
  test('opening the link of the mail changes nothing', async () => {
    const { user, link } = await signUpWithNewDevice();
    expect(link).toMatch(/^http:\/\/localhost:\d+\/not-me#[\w-]+\.[\w-]{43}$/);
    // A browser does not send the part after the "#".
    const { status, text } = await openBrowser(application).get('/not-me');
    expect(status).toBe(200);
    expect(fieldOnPage(text, 'key').value).toBeNull();
    expect(textOf(text)).toContain('Every device is signed out at once');
    expect(liveSessionsOf(user)).toHaveLength(2);
  });

  test('the key of the mail signs out every device, from any browser, and only once', async () => {
    const { user, stranger, key } = await signUpWithNewDevice();
    const otherBrowser = openBrowser(application);
    const answer = await otherBrowser.post('/not-me', { key });
    expect(answer.location).toBe('/reset-password');
    expect(liveSessionsOf(user)).toEqual([]);
    expect(await isSignedIn(user.browser)).toBe(false);
    expect(await isSignedIn(stranger)).toBe(false);
    expect(entriesOf(application, user.email)[0]!.kind).toBe('not-me');
    const { code } = await mailbox(application).nextMailTo(user.email, 'password-reset-code');
    const typed = await otherBrowser.post('/reset-password', { code: String(code) });
    expect(typed.location).toBe('/reset-password/new');

    const back = await signIn(application, user);
    const again = await otherBrowser.post('/not-me', { key });
    expect(again.status).toBe(400);
    expect(formErrorOnPage(again.text)).toMatch(INVALID_LINK);
    expect(await isSignedIn(back)).toBe(true);
  });

  test('a user without scripts can paste the whole link in place of the key', async () => {
    const { user, link } = await signUpWithNewDevice();
    const answer = await openBrowser(application).post('/not-me', { key: ` ${link} ` });
    expect(answer.location).toBe('/reset-password');
    expect(liveSessionsOf(user)).toEqual([]);
  });

  test('12 concurrent submissions of the key work once', async () => {
    const { user, key } = await signUpWithNewDevice();
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => openBrowser(application).post('/not-me', { key })),
    );
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(11);
    const entries = entriesOf(application, user.email).filter(({ kind }) => kind === 'not-me');
    expect(entries).toHaveLength(1);
  });

  test('the key of the mail expires after exactly a week', async () => {
    const [early, late] = [await signUpWithNewDevice(), await signUpWithNewDevice()];
    application.clock.advance(7 * DAY_MS - 1);
    const inTime = await openBrowser(application).post('/not-me', { key: early.key });
    expect(inTime.status).toBe(302);
    application.clock.advance(1);
    const tooLate = await openBrowser(application).post('/not-me', { key: late.key });
    expect(tooLate.status).toBe(400);
    expect(formErrorOnPage(tooLate.text)).toMatch(INVALID_LINK);
  });

  test('a wrong key, a malformed key and a key for another purpose get the same answer', async () => {
    const { user, key } = await signUpWithNewDevice();
    const [id, secret] = key.split('.') as [string, string];
    const flipped = secret.startsWith('A') ? `B${secret.slice(1)}` : `A${secret.slice(1)}`;
    const wrong = [`${id}.${flipped}`, `${id}.`, `.${secret}`, id, secret, `${key}.x`, 'x', '#'];
    application.sql(
      'UPDATE "MailedCode" SET purpose = ? WHERE id = ?',
      ...['email-change-undo', id],
    );
    const pages = new Set<string>();
    for (const typed of [key, ...wrong]) {
      const { status, text } = await openBrowser(application).post('/not-me', { key: typed });
      expect(status, typed).toBe(400);
      expect(fieldOnPage(text, 'key').value).toBeNull();
      pages.add(formErrorOnPage(text) ?? textOf(text));
    }
    expect(pages.size).toBe(1);
    expect(liveSessionsOf(user)).toHaveLength(2);
    application.sql('UPDATE "MailedCode" SET purpose = ? WHERE id = ?', 'not-me', id);
    expect((await openBrowser(application).post('/not-me', { key })).status).toBe(302);
  });

  test('the key of the mail is in no log line, page, URL or database column', async () => {
    const { key } = await signUpWithNewDevice();
    const secret = key.split('.')[1]!;
    const row = rowOf(key);
    expect(row.purpose).toBe('not-me');
    expect(row.browserHash).toBeNull();
    // The mail itself has been sent, so its row is deleted.
    expect(application.everything()).not.toContain(secret);
    const answer = await openBrowser(application).post('/not-me', { key });
    expect(answer.location).not.toContain(secret);
    expect(JSON.stringify(answer.headers)).not.toContain(secret);
    const again = await openBrowser(application).post('/not-me', { key });
    expect(again.text).not.toContain(secret);
    expect(JSON.stringify(application.logged)).not.toContain(secret);
    expect(application.everything()).not.toContain(secret);
  });

  test('a cross-site form cannot use the key', async () => {
    const { user, key } = await signUpWithNewDevice();
    const { status } = await openBrowser(application).post(
      ...(['/not-me', { key }, { headers: { Origin: 'https://evil.example' } }] as const),
    );
    expect(status).toBe(403);
    expect(liveSessionsOf(user)).toHaveLength(2);
  });

  test('attempts with wrong keys are limited per network', async () => {
    const strict = await startApplication({
      env: { TRUSTED_PROXIES: '1', CODE_TRIES_PER_ACCOUNT: '3' },
    });
    try {
      const tryFrom = (address: string) =>
        openBrowser(strict, { headers: { 'X-Forwarded-For': address } }).post('/not-me', {
          key: `${'A'.repeat(16)}.${'A'.repeat(43)}`,
        });
      for (let count = 0; count < 3; count += 1) {
        expect((await tryFrom('9.9.9.9')).status).toBe(400);
      }
      const refused = await tryFrom('9.9.9.9');
      expect(refused.status).toBe(429);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect((await tryFrom('7.7.7.7')).status).toBe(400);
    } finally {
      await strict.close();
    }
  });
});
