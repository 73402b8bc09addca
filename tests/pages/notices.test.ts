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

/** Returns the notices that were mailed to the user, oldest first. */
const noticesTo = async ({ email }: Pick<TestUser, 'email'>): Promise<ReceivedMail[]> => {
  const mails = await mailbox(application).unread();
  return mails.filter(({ to, kind }) => to === email && kind === 'notice');
};
/** Runs `act` and returns the notices that were mailed to the user meanwhile. */
const noticesDuring = async (user: TestUser, act: () => Promise<unknown>) => {
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

describe('new-device mails', () => {
  test('no mail is sent for the first sign-in, a known device or a newer browser version', async () => {
    const user = await signUp(application, from(VIENNA));
    const again = () => signIn(application, user, from(VIENNA));
    const newer = () => signIn(application, user, from('131.130.99.9', NEWER_FIREFOX));
    expect(await noticesDuring(user, again)).toEqual([]);
    expect(await noticesDuring(user, newer)).toEqual([]);
    expect(await noticesTo(user)).toEqual([]);
  });

  test.each([
    ['another browser', from(VIENNA, SAFARI_ON_IPHONE), /Safari 18 on iPhone/, /Austria/],
    ['another country', from(MOUNTAIN_VIEW), /Firefox 145 on Mac/, /United States/],
    ['a local network', from('192.168.1.2'), /Firefox 145 on Mac/, /Local network/],
  ])(
    'the first sign-in from %s is mailed, and the next one is not',
    async (_what, device, name, place) => {
      const user = await signUp(application, from(VIENNA));
      const signInFromDevice = () => signIn(application, user, device);
      const [notice, ...more] = await noticesDuring(user, signInFromDevice);
      expect(more).toEqual([]);
      expect(notice!.subject).toBe(NEW_SIGN_IN);
      expect(notice!.text).toMatch(name);
      expect(notice!.text).toMatch(place);
      expect(notice!.text).not.toContain(PASSWORD);
      // The device is known from now on.
      expect(await noticesDuring(user, signInFromDevice)).toEqual([]);
    },
  );

  test('concurrent sign-ins from a new device are mailed at least once', async () => {
    const user = await signUp(application, from(VIENNA));
    const signInFromDevice = () => signIn(application, user, from(MOUNTAIN_VIEW, SAFARI_ON_IPHONE));
    const notices = await noticesDuring(user, () =>
      Promise.all([signInFromDevice(), signInFromDevice(), signInFromDevice()]),
    );
    expect(notices.length).toBeGreaterThanOrEqual(1);
    expect(notices.length).toBeLessThanOrEqual(3);
    expect(await noticesDuring(user, signInFromDevice)).toEqual([]);
  });

  test('a device is new for a user even if another user has used it', async () => {
    const ada = await signUp(application, from(VIENNA));
    await signUp(application, from(MOUNTAIN_VIEW));
    const notices = await noticesDuring(ada, () => signIn(application, ada, from(MOUNTAIN_VIEW)));
    expect(titlesOf(notices)).toEqual([NEW_SIGN_IN]);
  });

  test('a known browser gets no new-device mail after its sessions were pruned', async () => {
    const user = await signUp(application, from(VIENNA));
    application.clock.advance(100 * DAY_MS);
    await application.application.sessions.prune(application.clock.now());
    expect(sessionsOf(user)).toEqual([]);
    expect(await noticesDuring(user, () => signIn(application, user, from(VIENNA)))).toEqual([]);
  });

  test('a known browser gets a new-device mail again after its activity was pruned', async () => {
    const user = await signUp(application, from(VIENNA));
    application.clock.advance(181 * DAY_MS);
    await application.application.activityLog.prune(application.clock.now());
    expect(entriesOf(application, user.email)).toEqual([]);
    const notices = await noticesDuring(user, () => signIn(application, user, from(VIENNA)));
    expect(titlesOf(notices)).toEqual([NEW_SIGN_IN]);
  });
});

test('a password change and a download are mailed, and signing out devices is not', async () => {
  const user = await signUp(application);
  await signIn(application, user);
  const signOut = () => user.browser.post('/settings/sessions/others/sign-out', {});
  expect(await noticesDuring(user, signOut)).toEqual([]);
  const download = () => user.browser.post('/settings/data/download', {});
  expect(titlesOf(await noticesDuring(user, download))).toHaveLength(1);
  const form = { currentPassword: PASSWORD, newPassword: 'another good password' };
  const change = () => user.browser.post('/settings/password', form);
  expect(titlesOf(await noticesDuring(user, change))).toEqual([
    'Your Latchkey password was changed',
  ]);
});

describe('mails about failed attempts', () => {
  const failSignIn = (user: TestUser) =>
    openBrowser(application).post('/login', { email: user.email, password: 'not this one' });
  const prune = () => application.application.replayGuard.prune(application.clock.now());

  test('the fifth failed sign-in is mailed, and no other mail is sent for a day', async () => {
    const user = await signUp(application);
    const failTimes = async (times: number) => {
      for (let count = 0; count < times; count += 1) await failSignIn(user);
    };
    expect(await noticesDuring(user, () => failTimes(4))).toEqual([]);
    const [notice, ...more] = await noticesDuring(user, () => failTimes(1));
    expect(more).toEqual([]);
    expect(notice!.subject).toMatch(/attempt|sign in/i);
    // No attempt succeeded, so there is no session to sign out.
    expect(notice!.links.join()).not.toContain('/not-me');
    expect(await noticesDuring(user, () => failTimes(20))).toEqual([]);
    application.clock.advance(DAY_MS - MINUTE_MS);
    await prune();
    expect(await noticesDuring(user, () => failTimes(20))).toEqual([]);
    application.clock.advance(2 * MINUTE_MS);
    await prune();
    expect(await noticesDuring(user, () => failTimes(5))).toHaveLength(1);
  });

  test('concurrent failed sign-ins are mailed once', async () => {
    const user = await signUp(application);
    const failConcurrently = () => Promise.all(Array.from({ length: 15 }, () => failSignIn(user)));
    expect(await noticesDuring(user, failConcurrently)).toHaveLength(1);
  });

  test('failed sign-ins of the day before do not count', async () => {
    const user = await signUp(application);
    for (let count = 0; count < 4; count += 1) await failSignIn(user);
    application.clock.advance(DAY_MS);
    expect(await noticesDuring(user, () => failSignIn(user))).toEqual([]);
  });

  test('the third wrong second factor is mailed, with a link to sign out every device', async () => {
    const user = await signUp(application);
    await turnOnTotp(application, user);
    const { email, password } = user;
    const browser = openBrowser(application);
    const firstStep = await browser.post('/login', { email, password });
    expect(firstStep.location).toBe('/login/code');
    const enterWrongCode = () =>
      browser.post('/login/code', { code: '000000', secondFactor: '000000' });
    expect(await noticesDuring(user, enterWrongCode)).toEqual([]);
    expect(await noticesDuring(user, enterWrongCode)).toEqual([]);
    const notices = await noticesDuring(user, enterWrongCode);
    expect(notices).toHaveLength(1);
    expect(notices[0]!.links.join()).toContain('/not-me#');
    const [entry] = entriesOf(application, email);
    expect(JSON.parse(entry!.detail!)).toEqual({ what: 'second-factor', count: 3 });
  });
});

test('an application without mail still logs all activity', async () => {
  const withoutMail = await startApplication({
    env: {
      ORIGIN: 'https://latchkey.example',
      BCRYPT_COST: '10',
      PASSWORD_PEPPER: 'x'.repeat(32),
      ENCRYPTION_KEYS: `1:${Buffer.alloc(32, 7).toString('base64')}`,
    },
  });
  try {
    expect(withoutMail.application.mailer.isOn).toBe(false);
    const user = await signUp(withoutMail);
    await signIn(withoutMail, user, { userAgent: SAFARI_ON_IPHONE });
    for (let count = 0; count < 5; count += 1) {
      await openBrowser(withoutMail).post('/login', { email: user.email, password: 'x' });
    }
    const kinds = entriesOf(withoutMail, user.email).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['sign-in-failed', 'signed-in', 'signed-in', 'signed-up']);
    expect(withoutMail.sql('SELECT id FROM "OutgoingMail"')).toEqual([]);
    expect(withoutMail.sql('SELECT id FROM "MailedCode"')).toEqual([]);
  } finally {
    await withoutMail.close();
  }
});
