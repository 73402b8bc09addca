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

/** A person whom a mail told of a new device, and the key that stood in it. */
async function toldOfNewDevice() {
  const user = await signUp(application);
  const stranger = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
  const mail = await mailbox(application).nextMailTo(user.email, 'notice');
  const link = mail.links.find((one) => one.includes('/not-me'))!;
  const key = link.slice(link.indexOf('#') + 1);
  return { user, stranger, link, key };
}
const rowOf = (key: string) =>
  application.sql('SELECT * FROM "MailedCode" WHERE id = ?', key.split('.')[0])[0]!;
const GONE = /^This link works no more/;

describe('from the page', () => {
  test('the question names what it is about and what will happen, and asking does nothing', async () => {
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

  test('it signs out everything, this device too, and leads to the reset', async () => {
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

  test('it needs no fresh proof: who needs it is in a hurry, and it gives nothing away', async () => {
    const user = await signUp(application);
    const path = await notMePathOf(user);
    application.clock.advance(30 * MINUTE_MS);
    expect((await user.browser.post(path, {})).location).toBe('/reset-password');
  });

  test('keeps to its own: an entry of somebody else is as one that never was', async () => {
    const [ada, grace] = [await signUp(application), await signUp(application)];
    // Whatever waited to be said is said.
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

  test('comes back to the page of the log that it stood on', async () => {
    const { browser } = await signUp(application);
    const older = `?after=${application.clock.now().getTime() + 1}.zz`;
    const [entry] = entriesOnPage((await browser.get(PAGE + older)).text);
    expect(entry!.notMePath).toMatch(/\/not-me\?after=\d+\.zz$/);
    const { text } = await browser.get(entry!.notMePath!);
    expect(text).toContain(`href="${PAGE}${older}"`);
  });
});

describe('from the mail', () => {
  test('following the link does nothing, whoever does it', async () => {
    const { user, link } = await toldOfNewDevice();
    expect(link).toMatch(/^http:\/\/localhost:\d+\/not-me#[\w-]+\.[\w-]{43}$/);
    // What stands behind the "#" is sent to no server.
    const { status, text } = await openBrowser(application).get('/not-me');
    expect(status).toBe(200);
    expect(fieldOnPage(text, 'key').value).toBeNull();
    expect(textOf(text)).toContain('Every device is signed out at once');
    expect(liveSessionsOf(user)).toHaveLength(2);
  });

  test('the key signs out everything, in whatever browser, and once', async () => {
    const { user, stranger, key } = await toldOfNewDevice();
    const elsewhere = openBrowser(application);
    const answer = await elsewhere.post('/not-me', { key });
    expect(answer.location).toBe('/reset-password');
    expect(liveSessionsOf(user)).toEqual([]);
    expect(await isSignedIn(user.browser)).toBe(false);
    expect(await isSignedIn(stranger)).toBe(false);
    expect(entriesOf(application, user.email)[0]!.kind).toBe('not-me');
    const { code } = await mailbox(application).nextMailTo(user.email, 'password-reset-code');
    const typed = await elsewhere.post('/reset-password', { code: String(code) });
    expect(typed.location).toBe('/reset-password/new');

    const back = await signIn(application, user);
    const again = await elsewhere.post('/not-me', { key });
    expect(again.status).toBe(400);
    expect(formErrorOnPage(again.text)).toMatch(GONE);
    expect(await isSignedIn(back)).toBe(true);
  });

  test('the whole link will do, as somebody without scripts would copy it', async () => {
    const { user, link } = await toldOfNewDevice();
    const answer = await openBrowser(application).post('/not-me', { key: ` ${link} ` });
    expect(answer.location).toBe('/reset-password');
    expect(liveSessionsOf(user)).toEqual([]);
  });

  test('works once when many bring it at the same moment', async () => {
    const { user, key } = await toldOfNewDevice();
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => openBrowser(application).post('/not-me', { key })),
    );
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(11);
    const said = entriesOf(application, user.email).filter(({ kind }) => kind === 'not-me');
    expect(said).toHaveLength(1);
  });

  test('lasts a week', async () => {
    const [early, late] = [await toldOfNewDevice(), await toldOfNewDevice()];
    application.clock.advance(7 * DAY_MS - 1);
    const inTime = await openBrowser(application).post('/not-me', { key: early.key });
    expect(inTime.status).toBe(302);
    application.clock.advance(1);
    const tooLate = await openBrowser(application).post('/not-me', { key: late.key });
    expect(tooLate.status).toBe(400);
    expect(formErrorOnPage(tooLate.text)).toMatch(GONE);
  });

  test('one answer for a key that is wrong, for something else, or none at all', async () => {
    const { user, key } = await toldOfNewDevice();
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

  test('stands in no log, no page, no address and no column', async () => {
    const { key } = await toldOfNewDevice();
    const secret = key.split('.')[1]!;
    const row = rowOf(key);
    expect(row.purpose).toBe('not-me');
    expect(row.browserHash).toBeNull();
    // The mail itself has left by now.
    expect(application.everything()).not.toContain(secret);
    const answer = await openBrowser(application).post('/not-me', { key });
    expect(answer.location).not.toContain(secret);
    expect(JSON.stringify(answer.headers)).not.toContain(secret);
    const again = await openBrowser(application).post('/not-me', { key });
    expect(again.text).not.toContain(secret);
    expect(JSON.stringify(application.logged)).not.toContain(secret);
    expect(application.everything()).not.toContain(secret);
  });

  test('is left alone by a form from elsewhere', async () => {
    const { user, key } = await toldOfNewDevice();
    const { status } = await openBrowser(application).post(
      ...(['/not-me', { key }, { headers: { Origin: 'https://evil.example' } }] as const),
    );
    expect(status).toBe(403);
    expect(liveSessionsOf(user)).toHaveLength(2);
  });

  test('tries are limited by network, and right ones do not count', async () => {
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
