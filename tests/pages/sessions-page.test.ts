import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, TestClock, type TestApplication } from '../fixtures/application.ts';
import { FIREFOX_ON_MAC, SAFARI_ON_IPHONE } from '../fixtures/browser-like.ts';
import { sessionIdOf, userIdOf } from '../fixtures/ids.ts';
import { openBrowser, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { fieldOnPage, textOf } from './form-on-page.ts';
import { endedRows, sessionRows } from './session-rows.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const PAGE = '/settings/sessions';
const EMOJI = '\u{1f511}';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication({ env: { SESSIONS_PER_USER: '500' } });
});
afterAll(() => application.close());

/** Starts sessions for which the test needs no browser. */
const startSessions = async (user: TestUser, count: number) => {
  const { sessions } = application.application;
  const userId = userIdOf(application, user);
  for (let index = 0; index < count; index += 1) {
    await sessions.start({ userId, userAgent: FIREFOX_ON_MAC }, application.clock.now());
  }
};

test('a phone signed out from the laptop is redirected to the login page, which says why', async () => {
  const user = await signUp(application);
  const phone = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
  const page = await user.browser.get(PAGE);
  expect(page.text).toContain('Safari on iPhone');

  const answer = await user.browser.post('/settings/sessions/others/sign-out', {});
  expect(answer.location).toBe(PAGE);

  const refused = await phone.get('/settings/profile');
  expect(refused.status).toBe(302);
  expect(refused.location).toBe('/login?redirectTo=%2Fsettings%2Fprofile');
  const login = await phone.follow(refused);
  expect(login.text).toContain('You were signed out from another device.');
});

describe('the list of sessions', () => {
  test('a user with one session sees this device and nothing to sign out', async () => {
    const { browser } = await signUp(application);
    const page = await browser.get(PAGE);
    expect(textOf(page.text)).toContain('This is the only device where you are signed in.');
    expect(page.text).not.toContain('Sign out everywhere else');
    expect(endedRows(page.text)).toEqual([]);
    const [row, ...more] = sessionRows(page.text);
    expect(more).toEqual([]);
    expect(row).toMatchObject({ name: 'Firefox on Mac', isCurrent: true, signOutPath: null });
  });

  test('a user with two sessions sees this device first', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
    for (const [browser, here, there] of [
      [user.browser, 'Firefox on Mac', 'Safari on iPhone'],
      [phone, 'Safari on iPhone', 'Firefox on Mac'],
    ] as const) {
      const page = await browser.get(PAGE);
      expect(sessionRows(page.text)).toMatchObject([
        { name: here, isCurrent: true },
        { name: there, isCurrent: false },
      ]);
      expect(textOf(page.text)).toContain('Sign out everywhere else 1');
    }
    const question = await phone.get(`${PAGE}/others/sign-out`);
    expect(textOf(question.text)).toContain('Sign out 1 other device?');
  });

  test('a hundred sessions are all listed once on one page', async () => {
    const user = await signUp(application);
    await startSessions(user, 99);
    const { text } = await user.browser.get(PAGE);
    const rows = sessionRows(text);
    expect(rows).toHaveLength(100);
    expect(new Set(rows.map(({ namePath }) => namePath)).size).toBe(100);
    expect(rows.filter(({ isCurrent }) => isCurrent)).toEqual([rows[0]]);
    expect(textOf(text)).toContain('Sign out everywhere else 99');
    expect(text).not.toContain('Older sessions');
    const question = await user.browser.get(`${PAGE}/others/sign-out`);
    expect(textOf(question.text)).toContain('Sign out 99 other devices?');
  });

  test('sessions beyond one page are all listed once across the pages', async () => {
    const user = await signUp(application);
    const ids = new Set<string | null>();
    for (let hour = 0; hour < 5; hour += 1) {
      application.clock.advance(MINUTE_MS);
      await startSessions(user, 50);
    }
    let path: string | null = PAGE;
    let pages = 0;
    while (path !== null) {
      const { status, text } = await user.browser.get(path);
      expect(status).toBe(200);
      const rows = sessionRows(text);
      expect(rows.length).toBeGreaterThan(0);
      for (const { namePath } of rows) ids.add(namePath);
      pages += 1;
      const next: RegExpExecArray | null = /href="([^"]*)"[^>]*>Older sessions/.exec(text);
      path = next?.[1] ?? null;
    }
    expect(pages).toBe(3);
    expect(ids.size).toBe(251);
    const question = await user.browser.get(`${PAGE}/others/sign-out`);
    expect(textOf(question.text)).toMatch(/Sign out (250|more than \d+) other devices\?/);
  });

  test('sessions are sorted by last activity and show relative times', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user, {
      remember: true,
      userAgent: SAFARI_ON_IPHONE,
    });
    application.clock.advance(3 * 24 * HOUR_MS);
    await signIn(application, user);
    application.clock.advance(MINUTE_MS);
    await phone.get('/');
    application.clock.advance(5 * MINUTE_MS);
    const tablet = await signIn(application, user, { userAgent: 'curl/8.5.0' });
    const rows = sessionRows((await tablet.get(PAGE)).text);
    // The session of the sign-up has expired.
    expect(rows.map(({ name }) => name)).toEqual(['curl', 'Safari on iPhone', 'Firefox on Mac']);
    const [here, onPhone, onLaptop] = rows;
    expect(here!.text).toContain('Active now');
    expect(onPhone!.text).toContain('Active 5 minutes ago');
    expect(onPhone!.text).toContain('Signed in 3 days ago');
    expect(onPhone!.text).toMatch(/Ends in 1[34] days \(8 December 2026 at 12:06:00 UTC\) .*used/);
    expect(onLaptop!.text).toContain('Signed in 6 minutes ago');
    expect(onLaptop!.text).toMatch(/Ends in 5[45] minutes .*used/);
  });

  test('recently ended sessions show how and when they ended', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
    await phone.post('/logout', {});
    const tablet = await signIn(application, user, { userAgent: 'curl/8.5.0' });
    await user.browser.post(`${PAGE}/others/sign-out`, {});
    application.clock.advance(10 * MINUTE_MS);
    expect(await tablet.sessionToken()).not.toBeNull();
    const rows = endedRows((await user.browser.get(PAGE)).text);
    expect(rows.map(({ name }) => name).sort()).toEqual(['Safari on iPhone', 'curl']);
    const texts = rows.map(({ text }) => text).join('\n');
    expect(texts).toMatch(/Signed out there, 10 minutes ago/);
    expect(texts).toMatch(/Signed out from another device, 10 minutes ago/);
    expect(rows.map(({ signOutPath, namePath }) => signOutPath ?? namePath)).toEqual([null, null]);
  });
});

test('neither pages nor their data contain a token or a hash', async () => {
  const user = await signUp(application);
  const phone = await signIn(application, user);
  const secrets = application
    .sql<{ secretHash: string }>('SELECT secretHash FROM Session')
    .map(({ secretHash }) => secretHash);
  for (const { browser } of [user, { browser: phone }]) {
    secrets.push((await browser.sessionToken())!.split('.')[1]!);
  }
  const id = await sessionIdOf(phone);
  const paths = [
    PAGE,
    `${PAGE}/${id}/name`,
    `${PAGE}/${id}/sign-out`,
    `${PAGE}/others/sign-out`,
    '/',
    '/settings/profile',
    '/settings/password',
    '/settings/data',
    '/settings/data/delete',
  ];
  for (const path of paths.flatMap((page) => [
    page,
    page === '/' ? '/_root.data' : `${page}.data`,
  ])) {
    const { status, text, headers } = await user.browser.get(path);
    expect(status).toBe(200);
    const answer = text + JSON.stringify(headers);
    for (const secret of secrets) expect(answer).not.toContain(secret);
    expect(answer).not.toMatch(/secretHash|passwordHash|\$2[aby]\$|"hash"/);
  }
});

describe('naming a device', () => {
  let user: TestUser;
  let path: string;
  const rowsNow = async () => sessionRows((await user.browser.get(PAGE)).text);
  beforeAll(async () => {
    user = await signUp(application);
    const phone = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
    path = `${PAGE}/${await sessionIdOf(phone)}/name`;
  });

  test.each([
    ['a device name', 'Kitchen iPad', 'Kitchen iPad'],
    ['a name of one character', 'x', 'x'],
    ['a name of 40 characters', 'x'.repeat(40), 'x'.repeat(40)],
    ['a name of 40 emoji', EMOJI.repeat(40), EMOJI.repeat(40)],
    ['a name of 40 characters between spaces', `  ${'y'.repeat(40)}  `, 'y'.repeat(40)],
  ])(
    '%s is shown in place of the detected device, and in the message',
    async (_what, label, shown) => {
      const answer = await user.browser.post(path, { label });
      expect(answer.location).toBe(PAGE);
      const page = await user.browser.follow(answer);
      expect(sessionRows(page.text)[1]).toMatchObject({ name: shown });
      expect(textOf(page.text)).toContain(`The device is now called ${shown}.`);
      const again = await user.browser.get(path);
      expect(fieldOnPage(again.text, 'label').value).toBe(shown);
      expect(textOf(again.text)).toContain(`Rename ${shown}`);
    },
  );

  test.each([
    ['a device name of 41 characters', 'x'.repeat(41), 'Use at most 40 characters.'],
    ['a device name of 41 emoji', EMOJI.repeat(41), 'Use at most 40 characters.'],
    ['a device name of two lines', 'Kitchen\niPad', /Leave out line breaks/],
    ['a device name with a NUL', 'Kitchen\u0000iPad', /control characters/],
  ])('%s is refused next to the field, which keeps the input', async (_what, label, says) => {
    const before = await rowsNow();
    const { status, text } = await user.browser.post(path, { label });
    expect(status).toBe(400);
    const field = fieldOnPage(text, 'label');
    expect(field).toMatchObject({ isInvalid: true, hasFocus: true });
    expect(field.note).toMatch(says);
    // HTML cannot contain a NUL.
    expect(field.value).toBe(label.replaceAll('\u0000', ''));
    expect(await rowsNow()).toEqual(before);
  });

  test.each([
    ['an empty input', ''],
    ['an input of spaces', '   '],
  ])('%s removes the device name', async (_what, label) => {
    await user.browser.post(path, { label: 'Kitchen iPad' });
    const answer = await user.browser.post(path, { label });
    const page = await user.browser.follow(answer);
    expect(textOf(page.text)).toContain('The name is gone');
    expect(sessionRows(page.text)[1]).toMatchObject({ name: 'Safari on iPhone' });
  });

  test('device names in any script are shown intact anywhere on a long page', async () => {
    const other = await signUp(application);
    await startSessions(other, 60);
    const { text: list } = await other.browser.get(PAGE);
    const paths = sessionRows(list).map(({ namePath }) => namePath!);
    const names = paths.map((_path, index) => `${'x'.repeat(index % 4)}${EMOJI.repeat(30)}李é·`);
    for (const [index, namePath] of paths.entries()) {
      await other.browser.post(namePath, { label: names[index]! });
    }
    const { text } = await other.browser.get(PAGE);
    expect(sessionRows(text).map(({ name }) => name)).toEqual(names);
    expect(text).not.toContain('\u0000');
  });

  test('the current device can be named', async () => {
    const own = `${PAGE}/${await sessionIdOf(user.browser)}/name`;
    const page = await user.browser.follow(await user.browser.post(own, { label: 'My Mac' }));
    expect(sessionRows(page.text)[0]).toMatchObject({ name: 'My Mac', isCurrent: true });
  });
});

describe('signing out one device', () => {
  test('signing out one device ends only its session and names the device', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
    const laptop = await signIn(application, user);
    const path = `${PAGE}/${await sessionIdOf(phone)}/sign-out`;
    expect(textOf((await user.browser.get(path)).text)).toContain('Sign out Safari on iPhone?');
    expect((await phone.get('/settings/profile')).status).toBe(200);

    const page = await user.browser.follow(await user.browser.post(path, {}));
    expect(textOf(page.text)).toContain('Safari on iPhone is signed out.');
    expect(sessionRows(page.text)).toHaveLength(2);
    expect((await phone.get('/settings/profile')).location).toContain('/login');
    expect((await laptop.get('/settings/profile')).status).toBe(200);
    expect((await user.browser.get('/settings/profile')).status).toBe(200);
  });

  test('signing out a device twice says so and keeps the first reason', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user);
    const id = await sessionIdOf(phone);
    await phone.post('/logout', {});
    const answer = await user.browser.post(`${PAGE}/${id}/sign-out`, {});
    const page = await user.browser.follow(answer);
    expect(textOf(page.text)).toContain('That device was signed out already.');
    expect(application.sql('SELECT revokedReason FROM Session WHERE id = ?', id)).toEqual([
      { revokedReason: 'signed-out' },
    ]);
  });

  test('signing out the current device ends the own session like a sign-out', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user);
    const id = await sessionIdOf(phone);
    const question = await phone.get(`${PAGE}/${id}/sign-out`);
    expect(textOf(question.text)).toContain('This is the device you are using now.');
    const answer = await phone.post(`${PAGE}/${id}/sign-out`, {});
    expect(answer.location).toBe('/');
    expect(answer.headers['clear-site-data']).toBe('"cache"');
    expect(await phone.sessionToken()).toBeNull();
    expect(application.sql('SELECT revokedReason FROM Session WHERE id = ?', id)).toEqual([
      { revokedReason: 'signed-out' },
    ]);
    expect((await user.browser.get(PAGE)).status).toBe(200);
  });
});

describe('signing out everywhere else', () => {
  test.each([
    [0, 'No other device was signed in.'],
    [1, '1 other device is signed out.'],
    [120, '120 other devices are signed out.'],
  ])('signing out %i other devices reports their number', async (count, says) => {
    const user = await signUp(application);
    const other = await signUp(application);
    await startSessions(user, count);
    const page = await user.browser.follow(await user.browser.post(`${PAGE}/others/sign-out`, {}));
    expect(textOf(page.text)).toContain(says);
    expect(sessionRows(page.text)).toHaveLength(1);
    expect((await other.browser.get(PAGE)).status).toBe(200);
  });
});

describe('the location of a device', () => {
  let behindProxy: TestApplication;
  beforeAll(async () => {
    behindProxy = await startApplication({
      env: { TRUSTED_PROXIES: '1' },
      clock: new TestClock(),
    });
  });
  afterAll(() => behindProxy.close());

  test.each([
    ['131.130.1.1', 'Austria', '131.130.1.1'],
    ['2001:628::1', 'Austria', '2001:628::1'],
    ['192.168.1.9', 'Local network', '192.168.1.9'],
    ['10.1.2.3', 'Local network', '10.1.2.3'],
    ['100.64.1.2', 'Local network', '100.64.1.2'],
    ['fd00::9', 'Local network', 'fd00::9'],
    ['fe80::1%eth0', 'Local network', 'fe80::1%eth0'],
    ['203.0.113.7', 'Unknown place', '203.0.113.7'],
    ['2001:db8::1', 'Unknown place', '2001:db8::1'],
    ['240.0.0.1', 'Unknown place', '240.0.0.1'],
    ['::ffff:131.130.1.1', 'Austria', '131.130.1.1'],
    ['6.6.6.6, 131.130.1.1', 'Austria', '131.130.1.1'],
    ['<script>alert(1)</script>, 131.130.1.1', 'Austria', '131.130.1.1'],
    ['<script>alert(1)</script>', 'Unknown place', ''],
    ['unknown', 'Unknown place', ''],
    ['x'.repeat(8000), 'Unknown place', ''],
    ["1.1.1.1' OR '1'='1", 'Unknown place', ''],
  ])('X-Forwarded-For "%s" is shown as "%s"', async (forwardedFor, place, address) => {
    const headers = { 'X-Forwarded-For': forwardedFor };
    const { browser } = await signUp(behindProxy, { headers });
    const [row] = sessionRows((await browser.get(PAGE)).text);
    const shown = [place, ...(address ? [address] : []), 'Firefox 145 on Mac'].join(' · ');
    expect(row!.text).toContain(` ${shown} Signed in`);
  });

  test('forwarding headers are ignored if no proxy is trusted', async () => {
    const { browser } = await signUp(application, {
      headers: {
        'X-Forwarded-For': '131.130.1.1',
        'X-Real-IP': '131.130.1.1',
        Forwarded: 'for=131.130.1.1',
        'CF-Connecting-IP': '131.130.1.1',
      },
    });
    const { text } = await browser.get(PAGE);
    expect(sessionRows(text)[0]!.text).toMatch(/Local network · (127\.0\.0\.1|::1) /);
    expect(text).not.toContain('131.130.1.1');
  });
});

test('an invalid cursor shows the first page of sessions', async () => {
  const { browser } = await signUp(application);
  for (const after of [
    'x',
    '1',
    '1.',
    '.x',
    '-1.x',
    '1e9.x',
    `${'9'.repeat(15)}.x`,
    "1.x'--",
    '%00',
  ]) {
    const { status, text } = await browser.get(`${PAGE}?after=${after}`);
    expect(status, after).toBe(200);
    expect(text).toContain('Your sessions');
  }
});

test('a signed-out visitor is redirected and sees no session', async () => {
  const user = await signUp(application);
  const answer = await openBrowser(application).get(PAGE);
  expect(answer.status).toBe(302);
  expect(answer.text).not.toContain(user.name);
});
