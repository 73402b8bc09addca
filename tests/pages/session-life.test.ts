import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, TestClock, type TestApplication } from '../fixtures/application.ts';
import type { BrowserLike } from '../fixtures/browser-like.ts';
import { idOfToken, sessionIdOf, userIdOf } from '../fixtures/ids.ts';
import { isSignedIn } from '../fixtures/signed-in.ts';
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

const timesOf = async (browser: BrowserLike) => {
  const [row] = application.sql<Record<'createdAt' | 'lastSeenAt' | 'expiresAt', number>>(
    'SELECT createdAt, lastSeenAt, expiresAt FROM Session WHERE id = ?',
    await sessionIdOf(browser),
  );
  return row!;
};

describe.each([
  ['without "remember me"', { remember: false }, HOUR_MS, DAY_MS],
  ['with "remember me"', { remember: true }, 14 * DAY_MS, 30 * DAY_MS],
])('%s', (how, options, idleMs, lifetimeMs) => {
  test(`an unused session ${how} expires exactly at its idle timeout`, async () => {
    const browser = await signIn(application, user, options);
    application.clock.advance(idleMs - 1);
    const other = await signIn(application, user, options);
    // Use in the last millisecond extends the session.
    expect(await isSignedIn(browser)).toBe(true);
    application.clock.advance(idleMs);
    expect(await isSignedIn(other)).toBe(false);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test(`a used session ${how} expires exactly at the end of its lifetime`, async () => {
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

  test(`lastSeenAt of a session ${how} is updated at most once a minute`, async () => {
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

test('a GET request sets no cookie, even if it updates lastSeenAt', async () => {
  const browser = await signIn(application, user, { remember: true });
  application.clock.advance(HOUR_MS);
  const answer = await browser.get('/settings/sessions');
  expect(answer.headers['set-cookie']).toBeUndefined();
});

test('after an idle timeout the login page says why, and sign-in returns to the page', async () => {
  const browser = await signIn(application, user);
  application.clock.advance(HOUR_MS);
  const refused = await browser.get('/settings/data');
  expect(refused.location).toBe('/login?redirectTo=%2Fsettings%2Fdata');
  const login = await browser.follow(refused);
  expect(textOf(login.text)).toContain('you were inactive for a while');
  const back = await browser.post('/login', {
    email: user.email,
    password: PASSWORD,
    redirectTo: '/settings/data',
  });
  expect(back.location).toBe('/settings/data');
});

test('a form submitted after the session expired changes nothing and redirects to /login', async () => {
  const browser = await signIn(application, user);
  application.clock.advance(HOUR_MS);
  const answer = await browser.post('/settings/profile', { name: 'Too late' });
  expect(answer.status).toBe(302);
  expect(answer.location).toBe('/login?redirectTo=%2Fsettings%2Fprofile');
  expect(application.sql('SELECT name FROM User WHERE email = ?', user.email)).not.toEqual([
    { name: 'Too late' },
  ]);
});

test('a clock that jumps back signs no user out and does not move lastSeenAt back', async () => {
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

describe('a session token', () => {
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const newBrowser = () => openBrowser(application);
  const requestWith = (token: string) =>
    newBrowser().get('/settings/profile', { headers: { Cookie: `session=${token}` } });
  let token: string;
  beforeAll(async () => {
    token = (await (await signIn(application, user)).sessionToken())!;
    expect((await requestWith(token)).status).toBe(200);
  });

  test('a token with any byte changed is refused', async () => {
    for (let index = 0; index < token.length; index += 1) {
      const next = ALPHABET[(ALPHABET.indexOf(token[index]!) + 1) % ALPHABET.length]!;
      const changed = token.slice(0, index) + next + token.slice(index + 1);
      expect((await requestWith(changed)).status, `byte ${index}`).toBe(302);
    }
  });

  test('a token with any bit of its last character changed is refused', async () => {
    // 43 characters hold two bits more than 32 bytes. These bits must match, too.
    const last = ALPHABET.indexOf(token.at(-1)!);
    for (let bit = 0; bit < 6; bit += 1) {
      const changed = token.slice(0, -1) + ALPHABET[last ^ (1 << bit)]!;
      expect((await requestWith(changed)).status, `bit ${bit}`).toBe(302);
    }
  });

  test('a token that is truncated, extended or wrapped is refused', async () => {
    for (let length = 0; length < token.length; length += 1) {
      expect((await requestWith(token.slice(0, length))).status, `${length} bytes`).toBe(302);
    }
    for (const longer of [`${token}A`, `${token}=`, `${token}.`, `${token}%00`, `${token}%0a`]) {
      expect((await requestWith(longer)).status, longer).toBe(302);
    }
    for (const odd of [
      `"${token}"`,
      `.${token}`,
      token.replace('.', ''),
      token.replace('.', '%2e%2e'),
    ]) {
      expect((await requestWith(odd)).status, odd).toBe(302);
    }
  });

  test('a token in another case, or of two sessions mixed, is refused', async () => {
    const other = (await (await signIn(application, user)).sessionToken())!;
    expect((await requestWith(`${idOfToken(token)}.${other.split('.')[1]}`)).status).toBe(302);
    expect((await requestWith(token.toLowerCase())).status).toBe(302);
    expect((await requestWith(token.toUpperCase())).status).toBe(302);
  });

  test('the hash in the row is refused as a token', async () => {
    const [row] = application.sql<{ secretHash: string }>(
      'SELECT secretHash FROM Session WHERE id = ?',
      idOfToken(token),
    );
    expect((await requestWith(`${idOfToken(token)}.${row!.secretHash}`)).status).toBe(302);
  });

  test('a token is accepted only from the session cookie', async () => {
    for (const headers of [
      { Authorization: `Bearer ${token}` },
      { 'X-Session': token },
      { Cookie: '', 'Set-Cookie': `session=${token}` },
    ]) {
      expect((await newBrowser().get('/settings/profile', { headers })).status).toBe(302);
    }
    expect((await newBrowser().get(`/settings/profile?session=${token}`)).status).toBe(302);
  });

  test('re-authentication renews the token, and the old one is refused at once', async () => {
    const browser = await signIn(application, user, { remember: true });
    const old = (await browser.sessionToken())!;
    const answer = await browser.post('/confirm', {
      password: PASSWORD,
      redirectTo: '/settings/data',
    });
    expect(answer.location).toBe('/settings/data');
    const renewed = (await browser.sessionToken())!;
    expect(idOfToken(renewed)).toBe(idOfToken(old));
    expect(renewed).not.toBe(old);
    expect((await requestWith(old)).status).toBe(302);
    expect((await requestWith(renewed)).status).toBe(200);
    // "Remember me" is unchanged.
    expect(answer.headers['set-cookie']!.join()).toContain(`Max-Age=${(30 * DAY_MS) / SECOND_MS}`);
  });
});

test('deleting an account ends all its sessions', async () => {
  const deleted = await signUp(application);
  const phone = await signIn(application, deleted, { remember: true });
  await deleted.browser.post('/settings/data/delete', { email: deleted.email });
  expect(await isSignedIn(phone)).toBe(false);
});

describe('the limit of sessions per user', () => {
  let small: TestApplication;
  beforeAll(async () => {
    small = await startApplication({ env: { SESSIONS_PER_USER: '3' }, clock: new TestClock() });
  });
  afterAll(() => small.close());

  test('a sign-in beyond the limit ends the least recently used session and tells it why', async () => {
    const owner = await signUp(small);
    const devices = [owner.browser];
    for (let count = 0; count < 2; count += 1) {
      small.clock.advance(MINUTE_MS);
      devices.push(await signIn(small, owner));
    }
    // The first session is used again, so the second one is the least recently used.
    small.clock.advance(MINUTE_MS);
    expect(await isSignedIn(devices[0]!)).toBe(true);
    small.clock.advance(MINUTE_MS);
    devices.push(await signIn(small, owner));

    expect(await Promise.all(devices.map(isSignedIn))).toEqual([true, false, true, true]);
    const login = await devices[1]!.get('/login');
    expect(textOf(login.text)).toContain('you signed in on many other devices since');
  });

  test('the limit of sessions counts every user separately', async () => {
    const one = await signUp(small);
    const other = await signUp(small);
    for (let count = 0; count < 3; count += 1) {
      small.clock.advance(SECOND_MS);
      await signIn(small, one);
    }
    expect(await isSignedIn(one.browser)).toBe(false);
    expect(await isSignedIn(other.browser)).toBe(true);
  });

  test('the default limit is 100 sessions per user', async () => {
    const owner = await signUp(application);
    const { sessions } = application.application;
    const userId = userIdOf(application, owner);
    application.clock.advance(MINUTE_MS);
    for (let count = 0; count < 99; count += 1) {
      await sessions.start({ userId }, application.clock.now());
    }
    expect(await isSignedIn(owner.browser)).toBe(true);
    application.clock.advance(MINUTE_MS);
    const newest = await signIn(application, owner);
    const live = application.sql(
      'SELECT id FROM Session WHERE userId = ? AND revokedAt IS NULL',
      userId,
    );
    expect(live).toHaveLength(100);
    expect(await isSignedIn(newest)).toBe(true);
  });
});

test('idle timeout and lifetime can be set by the environment', async () => {
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
