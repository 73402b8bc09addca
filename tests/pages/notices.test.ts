import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { turnOnTotp } from '../fixtures/authenticator.ts';
import { FIREFOX_ON_MAC, SAFARI_ON_IPHONE } from '../fixtures/browser-like.ts';
import { mailbox, type ReceivedMail } from '../fixtures/mailbox.ts';
import { openBrowser, PASSWORD, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { entriesOf } from './activity-entries.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const VIENNA = '131.130.1.1';
const MOUNTAIN_VIEW = '8.8.8.8';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication({ env: { TRUSTED_PROXIES: '1' } });
});
afterAll(() => application.close());

const from = (address: string, userAgent = FIREFOX_ON_MAC) => ({
  userAgent,
  headers: { 'X-Forwarded-For': address },
});
const NEWER_FIREFOX = FIREFOX_ON_MAC.replaceAll('145.0', '151.0');

/** The notices that went to this person, in the order in which they came. */
const noticesTo = async ({ email }: Pick<TestUser, 'email'>): Promise<ReceivedMail[]> => {
  const mails = await mailbox(application).unread();
  return mails.filter(({ to, kind }) => to === email && kind === 'notice');
};
/** What the person is told of while something is done. */
const noticesOf = async (user: TestUser, act: () => Promise<unknown>) => {
  const before = (await noticesTo(user)).length;
  await act();
  return (await noticesTo(user)).slice(before);
};
const titlesOf = (notices: ReceivedMail[]) => notices.map(({ subject }) => subject);
const sessionsOf = ({ email }: Pick<TestUser, 'email'>) =>
  application.sql(
    'SELECT s.id FROM Session s JOIN User u ON u.id = s.userId WHERE u.email = ?',
    email,
  );
const NEW_SIGN_IN = 'New sign-in to your Latchkey account';

describe('a sign-in is mailed about when it comes from a new device', () => {
  test('and not the first of an account, nor one from a known device, of whatever version', async () => {
    const user = await signUp(application, from(VIENNA));
    const again = () => signIn(application, user, from(VIENNA));
    const newer = () => signIn(application, user, from('131.130.99.9', NEWER_FIREFOX));
    expect(await noticesOf(user, again)).toEqual([]);
    expect(await noticesOf(user, newer)).toEqual([]);
    expect(await noticesTo(user)).toEqual([]);
  });

  test.each([
    ['another browser', from(VIENNA, SAFARI_ON_IPHONE), /Safari 18 on iPhone/, /Austria/],
    ['another country', from(MOUNTAIN_VIEW), /Firefox 145 on Mac/, /United States/],
    ['a place that is not known', from('192.168.1.2'), /Firefox 145 on Mac/, /Local network/],
  ])('which %s makes it', async (_what, device, name, place) => {
    const user = await signUp(application, from(VIENNA));
    const enter = () => signIn(application, user, device);
    const [notice, ...more] = await noticesOf(user, enter);
    expect(more).toEqual([]);
    expect(notice!.subject).toBe(NEW_SIGN_IN);
    expect(notice!.text).toMatch(name);
    expect(notice!.text).toMatch(place);
    expect(notice!.text).not.toContain(PASSWORD);
    // It is known from now on.
    expect(await noticesOf(user, enter)).toEqual([]);
  });

  test('at least once, however many come from it at the same moment', async () => {
    const user = await signUp(application, from(VIENNA));
    const enter = () => signIn(application, user, from(MOUNTAIN_VIEW, SAFARI_ON_IPHONE));
    const notices = await noticesOf(user, () => Promise.all([enter(), enter(), enter()]));
    expect(notices.length).toBeGreaterThanOrEqual(1);
    expect(notices.length).toBeLessThanOrEqual(3);
    expect(await noticesOf(user, enter)).toEqual([]);
  });

  test('what is new to one person is so whoever else has used it', async () => {
    const ada = await signUp(application, from(VIENNA));
    await signUp(application, from(MOUNTAIN_VIEW));
    const notices = await noticesOf(ada, () => signIn(application, ada, from(MOUNTAIN_VIEW)));
    expect(titlesOf(notices)).toEqual([NEW_SIGN_IN]);
  });

  test('a known browser gets no new-device mail after its sessions were pruned', async () => {
    const user = await signUp(application, from(VIENNA));
    application.clock.advance(100 * DAY_MS);
    await application.application.sessions.prune(application.clock.now());
    expect(sessionsOf(user)).toEqual([]);
    expect(await noticesOf(user, () => signIn(application, user, from(VIENNA)))).toEqual([]);
  });

  test('a known browser gets a new-device mail again after its activity was pruned', async () => {
    const user = await signUp(application, from(VIENNA));
    application.clock.advance(181 * DAY_MS);
    await application.application.activityLog.prune(application.clock.now());
    expect(entriesOf(application, user.email)).toEqual([]);
    const notices = await noticesOf(user, () => signIn(application, user, from(VIENNA)));
    expect(titlesOf(notices)).toEqual([NEW_SIGN_IN]);
  });
});

test('a changed password and a download are mailed about, signed-out devices are not', async () => {
  const user = await signUp(application);
  await signIn(application, user);
  const signOut = () => user.browser.post('/settings/sessions/others/sign-out', {});
  expect(await noticesOf(user, signOut)).toEqual([]);
  const download = () => user.browser.post('/settings/data/download', {});
  expect(titlesOf(await noticesOf(user, download))).toHaveLength(1);
  const form = { currentPassword: PASSWORD, newPassword: 'another good password' };
  const change = () => user.browser.post('/settings/password', form);
  expect(titlesOf(await noticesOf(user, change))).toEqual(['Your Latchkey password was changed']);
});

describe('failed attempts', () => {
  const fail = (user: TestUser) =>
    openBrowser(application).post('/login', { email: user.email, password: 'not this one' });
  const prune = () => application.application.replayGuard.prune(application.clock.now());

  test('are mailed about once they are many, and then not again for a day', async () => {
    const user = await signUp(application);
    const many = async (times: number) => {
      for (let count = 0; count < times; count += 1) await fail(user);
    };
    expect(await noticesOf(user, () => many(4))).toEqual([]);
    const [notice, ...more] = await noticesOf(user, () => many(1));
    expect(more).toEqual([]);
    expect(notice!.subject).toMatch(/attempt|sign in/i);
    // There is nothing to sign out: nobody got in.
    expect(notice!.links.join()).not.toContain('/not-me');
    expect(await noticesOf(user, () => many(20))).toEqual([]);
    application.clock.advance(DAY_MS - MINUTE_MS);
    await prune();
    expect(await noticesOf(user, () => many(20))).toEqual([]);
    application.clock.advance(2 * MINUTE_MS);
    await prune();
    expect(await noticesOf(user, () => many(5))).toHaveLength(1);
  });

  test('are mailed about once when many come at the same moment', async () => {
    const user = await signUp(application);
    const many = () => Promise.all(Array.from({ length: 15 }, () => fail(user)));
    expect(await noticesOf(user, many)).toHaveLength(1);
  });

  test('of long ago do not count', async () => {
    const user = await signUp(application);
    for (let count = 0; count < 4; count += 1) await fail(user);
    application.clock.advance(DAY_MS);
    expect(await noticesOf(user, () => fail(user))).toEqual([]);
  });

  test('at the second factor are fewer, and come with a way to sign everything out', async () => {
    const user = await signUp(application);
    await turnOnTotp(application, user);
    const { email, password } = user;
    const browser = openBrowser(application);
    const begun = await browser.post('/login', { email, password });
    expect(begun.location).toBe('/login/code');
    const wrong = () => browser.post('/login/code', { code: '000000', secondFactor: '000000' });
    expect(await noticesOf(user, wrong)).toEqual([]);
    expect(await noticesOf(user, wrong)).toEqual([]);
    const notices = await noticesOf(user, wrong);
    expect(notices).toHaveLength(1);
    expect(notices[0]!.links.join()).toContain('/not-me#');
    const [entry] = entriesOf(application, email);
    expect(JSON.parse(entry!.detail!)).toEqual({ what: 'second-factor', count: 3 });
  });
});

test('where no mail can be sent, everything is written down all the same', async () => {
  const silent = await startApplication({
    env: {
      ORIGIN: 'https://latchkey.example',
      BCRYPT_COST: '10',
      PASSWORD_PEPPER: 'x'.repeat(32),
      ENCRYPTION_KEYS: `1:${Buffer.alloc(32, 7).toString('base64')}`,
    },
  });
  try {
    expect(silent.application.mailer.isOn).toBe(false);
    const user = await signUp(silent);
    await signIn(silent, user, { userAgent: SAFARI_ON_IPHONE });
    for (let count = 0; count < 5; count += 1) {
      await openBrowser(silent).post('/login', { email: user.email, password: 'x' });
    }
    const kinds = entriesOf(silent, user.email).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['sign-in-failed', 'signed-in', 'signed-in', 'signed-up']);
    expect(silent.sql('SELECT id FROM "OutgoingMail"')).toEqual([]);
    expect(silent.sql('SELECT id FROM "MailedCode"')).toEqual([]);
  } finally {
    await silent.close();
  }
});
