import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, TestClock, type TestApplication } from '../fixtures/application.ts';
import type { BrowserLike } from '../fixtures/browser-like.ts';
import { openBrowser, PASSWORD, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { textOf } from './form-on-page.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

let application: TestApplication;
let user: TestUser;
beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application);
});
afterAll(() => application.close());

const isSignedIn = async (browser: BrowserLike) => {
  const { status, location } = await browser.get('/settings/profile');
  expect([200, 302]).toContain(status);
  if (status === 302) expect(location).toBe('/login?redirectTo=%2Fsettings%2Fprofile');
  return status === 200;
};
const idOf = (token: string | null) => token!.split('.')[0]!;
const timesOf = async (browser: BrowserLike) => {
  const [row] = application.sql<Record<'createdAt' | 'lastSeenAt' | 'expiresAt', number>>(
    'SELECT createdAt, lastSeenAt, expiresAt FROM Session WHERE id = ?',
    idOf(await browser.sessionToken()),
  );
  return row!;
};

describe.each([
  ['without "remember me"', { remember: false }, HOUR_MS, DAY_MS],
  ['with "remember me"', { remember: true }, 14 * DAY_MS, 30 * DAY_MS],
])('%s', (_how, options, idleMs, lifetimeMs) => {
  test('a session that is not used ends at its idle timeout, to the millisecond', async () => {
    const browser = await signIn(application, user, options);
    application.clock.advance(idleMs - 1);
    const other = await signIn(application, user, options);
    // The last moment: and used now, it goes on.
    expect(await isSignedIn(browser)).toBe(true);
    application.clock.advance(idleMs);
    expect(await isSignedIn(other)).toBe(false);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test('a session in use ends at its lifetime, to the millisecond', async () => {
    const browser = await signIn(application, user, options);
    const { createdAt } = await timesOf(browser);
    const stepMs = idleMs - 1;
    while (application.clock.now().getTime() + stepMs < createdAt + lifetimeMs) {
      application.clock.advance(stepMs);
      expect(await isSignedIn(browser)).toBe(true);
      expect((await timesOf(browser)).expiresAt).toBeLessThanOrEqual(createdAt + lifetimeMs);
    }
    application.clock.advance(createdAt + lifetimeMs - 1 - application.clock.now().getTime());
    expect(await isSignedIn(browser)).toBe(true);
    application.clock.advance(1);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test('activity is written down once a minute at the most', async () => {
    const browser = await signIn(application, user, options);
    const { lastSeenAt: first } = await timesOf(browser);
    application.clock.advance(MINUTE_MS - 1);
    expect(await isSignedIn(browser)).toBe(true);
    expect((await timesOf(browser)).lastSeenAt).toBe(first);
    application.clock.advance(1);
    expect(await isSignedIn(browser)).toBe(true);
    expect(await timesOf(browser)).toMatchObject({
      lastSeenAt: first + MINUTE_MS,
      expiresAt: first + MINUTE_MS + idleMs,
    });
    application.clock.advance(MINUTE_MS - 1);
    expect(await isSignedIn(browser)).toBe(true);
    expect((await timesOf(browser)).lastSeenAt).toBe(first + MINUTE_MS);
  });
});

test('a page that is read sets no cookie, also when activity is written down', async () => {
  const browser = await signIn(application, user, { remember: true });
  application.clock.advance(HOUR_MS);
  const answer = await browser.get('/settings/sessions');
  expect(answer.headers['set-cookie']).toBeUndefined();
});

test('a device that ran out is told that it had been away, and gets back to where it was', async () => {
  const browser = await signIn(application, user);
  application.clock.advance(HOUR_MS);
  const refused = await browser.get('/settings/data');
  expect(refused.location).toBe('/login?redirectTo=%2Fsettings%2Fdata');
  const login = await browser.follow(refused);
  expect(textOf(login.text)).toContain('you had been away for a while');
  const back = await browser.post('/login', {
    email: user.email,
    password: PASSWORD,
    redirectTo: '/settings/data',
  });
  expect(back.location).toBe('/settings/data');
});

test('a form that is sent after the session ran out changes nothing, and leads back to its page', async () => {
  const browser = await signIn(application, user);
  application.clock.advance(HOUR_MS);
  const answer = await browser.post('/settings/profile', { name: 'Too late' });
  expect(answer.status).toBe(302);
  expect(answer.location).toBe('/login?redirectTo=%2Fsettings%2Fprofile');
  expect(application.sql('SELECT name FROM User WHERE email = ?', user.email)).not.toEqual([
    { name: 'Too late' },
  ]);
});

test('a clock that jumps back signs nobody out, and takes no activity away', async () => {
  const browser = await signIn(application, user);
  const before = await timesOf(browser);
  application.clock.advance(-3 * HOUR_MS);
  expect(await isSignedIn(browser)).toBe(true);
  expect(await timesOf(browser)).toEqual(before);
  const page = await browser.get('/settings/sessions');
  expect(page.status).toBe(200);
  application.clock.advance(3 * HOUR_MS);
  expect(await isSignedIn(browser)).toBe(true);
});

describe('a token', () => {
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const stranger = () => openBrowser(application);
  const open = (token: string) =>
    stranger().get('/settings/profile', { headers: { Cookie: `session=${token}` } });
  let token: string;
  beforeAll(async () => {
    token = (await (await signIn(application, user)).sessionToken())!;
    expect((await open(token)).status).toBe(200);
  });

  test('with any one of its bytes changed opens nothing', async () => {
    for (let index = 0; index < token.length; index += 1) {
      const next = ALPHABET[(ALPHABET.indexOf(token[index]!) + 1) % ALPHABET.length]!;
      const changed = token.slice(0, index) + next + token.slice(index + 1);
      expect((await open(changed)).status, `byte ${index}`).toBe(302);
    }
  });

  test('with any one bit of its last character changed opens nothing', async () => {
    // 43 characters carry two bits more than 32 bytes: those count as well.
    const last = ALPHABET.indexOf(token.at(-1)!);
    for (let bit = 0; bit < 6; bit += 1) {
      const changed = token.slice(0, -1) + ALPHABET[last ^ (1 << bit)]!;
      expect((await open(changed)).status, `bit ${bit}`).toBe(302);
    }
  });

  test('cut off anywhere, or with anything behind it, opens nothing', async () => {
    for (let length = 0; length < token.length; length += 1) {
      expect((await open(token.slice(0, length))).status, `${length} bytes`).toBe(302);
    }
    for (const longer of [`${token}A`, `${token}=`, `${token}.`, `${token}%00`, `${token}%0a`]) {
      expect((await open(longer)).status, longer).toBe(302);
    }
    for (const odd of [
      `"${token}"`,
      `.${token}`,
      token.replace('.', ''),
      token.replace('.', '%2e%2e'),
    ]) {
      expect((await open(odd)).status, odd).toBe(302);
    }
  });

  test('in another case, or with its halves of two sessions, opens nothing', async () => {
    const other = (await (await signIn(application, user)).sessionToken())!;
    expect((await open(`${idOf(token)}.${other.split('.')[1]}`)).status).toBe(302);
    expect((await open(token.toLowerCase())).status).toBe(302);
    expect((await open(token.toUpperCase())).status).toBe(302);
  });

  test('that is the hash in the row opens nothing', async () => {
    const [row] = application.sql<{ secretHash: string }>(
      'SELECT secretHash FROM Session WHERE id = ?',
      idOf(token),
    );
    expect((await open(`${idOf(token)}.${row!.secretHash}`)).status).toBe(302);
  });

  test('opens nothing but by way of the cookie', async () => {
    for (const headers of [
      { Authorization: `Bearer ${token}` },
      { 'X-Session': token },
      { Cookie: '', 'Set-Cookie': `session=${token}` },
    ]) {
      expect((await stranger().get('/settings/profile', { headers })).status).toBe(302);
    }
    expect((await stranger().get(`/settings/profile?session=${token}`)).status).toBe(302);
  });

  test('is dead at once when the password is confirmed and a new one is given', async () => {
    const browser = await signIn(application, user, { remember: true });
    const old = (await browser.sessionToken())!;
    const answer = await browser.post('/confirm', {
      password: PASSWORD,
      redirectTo: '/settings/data',
    });
    expect(answer.location).toBe('/settings/data');
    const renewed = (await browser.sessionToken())!;
    expect(idOf(renewed)).toBe(idOf(old));
    expect(renewed).not.toBe(old);
    expect((await open(old)).status).toBe(302);
    expect((await open(renewed)).status).toBe(200);
    // It is the same "remember me" as before.
    expect(answer.headers['set-cookie']!.join()).toContain(`Max-Age=${(30 * DAY_MS) / SECOND_MS}`);
  });
});

test('sessions of a deleted account are out', async () => {
  const leaving = await signUp(application);
  const phone = await signIn(application, leaving, { remember: true });
  await leaving.browser.post('/settings/data/delete', { email: leaving.email });
  expect(await isSignedIn(phone)).toBe(false);
});

describe('the cap', () => {
  let small: TestApplication;
  beforeAll(async () => {
    small = await startApplication({ env: { SESSIONS_PER_USER: '3' }, clock: new TestClock() });
  });
  afterAll(() => small.close());

  test('ends the session that was used the longest ago, and tells that device why', async () => {
    const owner = await signUp(small);
    const devices = [owner.browser];
    for (let count = 0; count < 2; count += 1) {
      small.clock.advance(MINUTE_MS);
      devices.push(await signIn(small, owner));
    }
    // The first is used again: the second is the one that was used the longest ago.
    small.clock.advance(MINUTE_MS);
    expect(await isSignedIn(devices[0]!)).toBe(true);
    small.clock.advance(MINUTE_MS);
    devices.push(await signIn(small, owner));

    expect(await Promise.all(devices.map(isSignedIn))).toEqual([true, false, true, true]);
    const login = await devices[1]!.get('/login');
    expect(textOf(login.text)).toContain('you signed in on many other devices since');
  });

  test('counts each person for themselves', async () => {
    const one = await signUp(small);
    const other = await signUp(small);
    for (let count = 0; count < 3; count += 1) {
      small.clock.advance(SECOND_MS);
      await signIn(small, one);
    }
    expect(await isSignedIn(one.browser)).toBe(false);
    expect(await isSignedIn(other.browser)).toBe(true);
  });

  test('is 100 when nobody says otherwise', async () => {
    const owner = await signUp(application);
    const { sessions } = application.application;
    const [user] = application.sql<{ id: string }>(
      'SELECT id FROM User WHERE email = ?',
      owner.email,
    );
    application.clock.advance(MINUTE_MS);
    for (let count = 0; count < 99; count += 1) {
      await sessions.start({ userId: user!.id }, application.clock.now());
    }
    expect(await isSignedIn(owner.browser)).toBe(true);
    application.clock.advance(MINUTE_MS);
    const newest = await signIn(application, owner);
    const live = application.sql(
      'SELECT id FROM Session WHERE userId = ? AND revokedAt IS NULL',
      user!.id,
    );
    expect(live).toHaveLength(100);
    expect(await isSignedIn(newest)).toBe(true);
  });
});

test('timeouts are those of the environment', async () => {
  const env = { SESSION_IDLE_SECONDS: '10', SESSION_LIFETIME_SECONDS: '15' };
  const quick = await startApplication({ env });
  try {
    const { browser } = await signUp(quick);
    quick.clock.advance(10 * SECOND_MS - 1);
    expect(await isSignedIn(browser)).toBe(true);
    quick.clock.advance(5 * SECOND_MS);
    expect(await isSignedIn(browser)).toBe(true);
    quick.clock.advance(1);
    expect(await isSignedIn(browser)).toBe(false);
  } finally {
    await quick.close();
  }
});
