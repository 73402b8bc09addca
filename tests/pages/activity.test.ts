import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { FIREFOX_ON_MAC, SAFARI_ON_IPHONE, type BrowserLike } from '../fixtures/browser-like.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { openBrowser, PASSWORD, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { entriesOf, entriesOnPage } from './activity-entries.ts';
import { tags, textOf } from './form-on-page.ts';
import { PATIENCE } from '../fixtures/patience.ts';

const PAGE = '/settings/activity';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const VIENNA = '131.130.1.1';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication({ env: { TRUSTED_PROXIES: '1' } });
});
afterAll(() => application.close());

const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });
const kindsOf = (email: string) => entriesOf(application, email).map(({ kind }) => kind);
const failSignIn = (email: string, browser = openBrowser(application)) =>
  browser.post('/login', { email, password: 'not this one' });
const detailOf = (detail: string | null) => JSON.parse(detail ?? '{}') as Record<string, unknown>;

describe('the activity log gets one entry per action, with device, country and session', () => {
  let user: TestUser;
  let phone: BrowserLike;
  let laptopId: string;
  beforeAll(async () => {
    user = await signUp(application, from(VIENNA));
    laptopId = await sessionIdOf(user.browser);
    phone = await signIn(application, user, {
      userAgent: SAFARI_ON_IPHONE,
      ...from('2001:628::1'),
    });
  });

  /** Runs `act` and returns the one entry that it adds to the log. */
  const entryAddedBy = async (act: () => Promise<unknown>) => {
    const before = new Set(entriesOf(application, user.email).map(({ id }) => id));
    application.clock.advance(MINUTE_MS);
    await act();
    const added = entriesOf(application, user.email).filter(({ id }) => !before.has(id));
    expect(added).toHaveLength(1);
    return added[0]!;
  };
  const onLaptop = () => ({
    at: application.clock.now().getTime(),
    sessionId: laptopId,
    userAgent: FIREFOX_ON_MAC,
    ipAddress: VIENNA,
    country: 'AT',
  });

  test('a sign-up adds one entry for the account and one for the sign-in', () => {
    const [second, first, ...more] = entriesOf(application, user.email).slice(-2);
    expect(more).toEqual([]);
    expect(first).toMatchObject({ kind: 'signed-up', ipAddress: VIENNA, country: 'AT' });
    expect(second).toMatchObject({ kind: 'signed-in', sessionId: laptopId });
  });

  test('a sign-in is logged with the session that it started', async () => {
    let browser!: BrowserLike;
    const options = { userAgent: SAFARI_ON_IPHONE, ...from('2001:628::1') };
    const entry = await entryAddedBy(async () => {
      browser = await signIn(application, user, options);
    });
    expect(entry).toMatchObject({
      kind: 'signed-in',
      sessionId: await sessionIdOf(browser),
      country: 'AT',
      userAgent: SAFARI_ON_IPHONE,
      ipAddress: '2001:628::1',
      detail: null,
    });
  });

  test('signing out a device is logged once, with the name of the device', async () => {
    const id = await sessionIdOf(phone);
    await user.browser.post(`/settings/sessions/${id}/name`, { label: 'Pocket' });
    const signOut = () => user.browser.post(`/settings/sessions/${id}/sign-out`, {});
    const entry = await entryAddedBy(signOut);
    expect(entry).toMatchObject({ kind: 'session-ended', ...onLaptop() });
    expect(detailOf(entry.detail)).toEqual({ device: 'Pocket' });
    await signOut();
    expect(kindsOf(user.email).filter((kind) => kind === 'session-ended')).toHaveLength(1);
  });

  test('signing out all other devices logs how many, and nothing if there were none', async () => {
    const signOut = () => user.browser.post('/settings/sessions/others/sign-out', {});
    const entry = await entryAddedBy(signOut);
    expect(entry).toMatchObject({ kind: 'sessions-ended', ...onLaptop() });
    expect(detailOf(entry.detail)).toEqual({ count: 1 });
    await signOut();
    expect(kindsOf(user.email).filter((kind) => kind === 'sessions-ended')).toHaveLength(1);
  });

  test('a data download is logged', async () => {
    const entry = await entryAddedBy(() => user.browser.post('/settings/data/download', {}));
    expect(entry).toMatchObject({ kind: 'download-made', ...onLaptop(), detail: null });
  });

  test('a password change is logged, and a refused one is not', async () => {
    const change = (newPassword: string) =>
      user.browser.post('/settings/password', { currentPassword: PASSWORD, newPassword });
    const entry = await entryAddedBy(async () => {
      await change('short');
      await change('another good password');
    });
    expect(entry).toMatchObject({ kind: 'password-changed', ...onLaptop() });
  });
});

describe('a failed sign-in', () => {
  test('a failed sign-in is logged for the account in question, and for no other', async () => {
    const [ada, grace] = [await signUp(application), await signUp(application)];
    const stranger = openBrowser(application, { userAgent: 'curl/8.1', ...from('8.8.8.8') });
    await failSignIn(ada.email, stranger);
    const [entry] = entriesOf(application, ada.email);
    expect(entry).toMatchObject({
      kind: 'sign-in-failed',
      userAgent: 'curl/8.1',
      ipAddress: '8.8.8.8',
      country: 'US',
      sessionId: null,
      at: application.clock.now().getTime(),
    });
    expect(detailOf(entry!.detail)).toEqual({ what: 'password', count: 1 });
    expect(kindsOf(grace.email)).toEqual(['signed-in', 'signed-up']);
  });

  test('failed sign-ins of one device within an hour share one entry with a count', async () => {
    const { email } = await signUp(application);
    const failures = () =>
      entriesOf(application, email).filter(({ kind }) => kind === 'sign-in-failed');
    const counts = () => failures().map(({ detail }) => detailOf(detail).count);
    // Move to the start of an hour, so that all attempts fall into the same one.
    const sinceHourMs = application.clock.now().getTime() % HOUR_MS;
    application.clock.advance(HOUR_MS - sinceHourMs);
    for (let count = 0; count < 3; count += 1) {
      application.clock.advance(MINUTE_MS);
      await failSignIn(email, openBrowser(application, from(VIENNA)));
    }
    expect(counts()).toEqual([3]);
    expect(failures()[0]!.at).toBe(application.clock.now().getTime());
    // A newer version of the browser is the same device. Another browser or country is not.
    const newer = FIREFOX_ON_MAC.replaceAll('145.0', '146.0');
    await failSignIn(email, openBrowser(application, { userAgent: newer, ...from(VIENNA) }));
    expect(counts()).toEqual([4]);
    await failSignIn(
      email,
      openBrowser(application, { userAgent: SAFARI_ON_IPHONE, ...from(VIENNA) }),
    );
    await failSignIn(email, openBrowser(application, from('8.8.8.8')));
    expect(counts().sort()).toEqual([1, 1, 4]);
    application.clock.advance(HOUR_MS);
    await failSignIn(email, openBrowser(application, from(VIENNA)));
    expect(counts().sort()).toEqual([1, 1, 1, 4]);
  });

  test('concurrent failed sign-ins are counted exactly', async () => {
    const { email } = await signUp(application);
    await Promise.all(Array.from({ length: 12 }, () => failSignIn(email)));
    const [entry, ...others] = entriesOf(application, email);
    expect(detailOf(entry!.detail)).toEqual({ what: 'password', count: 12 });
    expect(others.map(({ kind }) => kind)).toEqual(['signed-in', 'signed-up']);
  });

  test('failed sign-ins of 40 devices add only 21 entries, which still count all of them', async () => {
    const { email } = await signUp(application);
    for (let count = 0; count < 40; count += 1) {
      await failSignIn(email, openBrowser(application, { userAgent: `flood${count}/1` }));
    }
    const failures = entriesOf(application, email).filter(({ kind }) => kind === 'sign-in-failed');
    expect(failures).toHaveLength(21);
    const counts = failures.map(({ detail }) => detailOf(detail).count as number);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(40);
  });

  test('a failed sign-in runs the same statements and answers the same for an unknown e-mail', async () => {
    const { email } = await signUp(application);
    const observe = async (address: string) => {
      await application.mailWorker?.idle();
      const cut = application.statements.length;
      const { status, headers, text } = await failSignIn(address);
      const { date: _date, 'content-security-policy': _nonce, ...rest } = headers;
      const page = textOf(text).replaceAll(address, 'ADDRESS');
      // Saving a mail is part of the response. Sending it happens later.
      const sql = application.statements
        .slice(cut)
        .filter((query) => query.startsWith('INSERT') || !query.includes('OutgoingMail'));
      return { sql, status, headers: Object.keys(rest), page };
    };
    // Enough rounds to pass the count at which the owner of a known account gets a mail.
    for (let count = 1; count <= 8; count += 1) {
      const known = await observe(email);
      const unknown = await observe('nobody@example.com');
      expect(unknown, `attempt ${count}`).toEqual(known);
      expect(known.sql.some((sql) => sql.startsWith('INSERT INTO "Activity"'))).toBe(true);
    }
  });

  test('a sign-in that the rate limit refused is not logged', async () => {
    const strict = await startApplication({ env: { PASSWORD_TRIES_PER_ACCOUNT: '2' } });
    try {
      const { email } = await signUp(strict);
      const attempts = [1, 2, 3, 4].map(() =>
        openBrowser(strict).post('/login', { email, password: 'x' }),
      );
      const answers = await Promise.all(attempts);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(2);
      const [entry] = entriesOf(strict, email);
      expect(detailOf(entry!.detail).count).toBe(2);
    } finally {
      await strict.close();
    }
  });
});

describe('the activity page', () => {
  test('the page shows event, device, country and time, newest first and grouped by day', async () => {
    const user = await signUp(application, from(VIENNA));
    application.clock.advance(DAY_MS);
    await failSignIn(
      user.email,
      openBrowser(application, { userAgent: 'curl/8.1', ...from('8.8.8.8') }),
    );
    await failSignIn(
      user.email,
      openBrowser(application, { userAgent: 'curl/8.1', ...from('8.8.8.8') }),
    );
    application.clock.advance(HOUR_MS);
    const browser = await signIn(application, user, from(VIENNA));
    const { text } = await browser.get(PAGE);
    const entries = entriesOnPage(text);
    expect(entries.map(({ what }) => what)).toEqual([
      'Signed in',
      'Wrong password, 2 times',
      'Signed in',
      'Account created',
    ]);
    expect(entries.map(({ isSetApart }) => isSetApart)).toEqual([false, true, false, false]);
    expect(entries[0]!.text).toMatch(/^Signed in This device Firefox 145 on Mac · Austria · 131\./);
    expect(entries[0]!.text).toMatch(/just now \(\d+ November 2026 at \d\d:\d\d:\d\d UTC\)/);
    expect(entries[1]!.text).toContain('curl 8 · United States · 8.8.8.8 1 hour ago');
    // A failed sign-in has no session that could be signed out.
    expect(entries.map(({ notMePath }) => notMePath !== null)).toEqual([true, false, true, true]);
    expect(textOf(text)).toContain('kept for 180 days');
    const days = [...text.matchAll(/<h2[^>]*>(.*?)<\/h2>/gs)].map(([, day]) => textOf(day!));
    expect(days).toHaveLength(2);
    expect(days[1]).toBe('Yesterday');
  });

  test('paging shows every entry exactly once, even if new entries arrive meanwhile', async () => {
    const user = await signUp(application);
    application.clock.advance(MINUTE_MS);
    // All entries have the same time, so only the id orders them.
    application.sql(
      `WITH RECURSIVE counter(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counter WHERE n < 119)
       INSERT INTO "Activity" (id, userId, kind, at, userAgent, ipAddress, deviceKey)
       SELECT 'made-' || n || u.id, u.id, 'download-made', ?, '', '', ''
       FROM counter JOIN User u ON u.email = ?`,
      ...[application.clock.now().getTime(), user.email],
    );
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let path: string | null = PAGE; path !== null;) {
      const { status, text } = await user.browser.get(path);
      expect(status).toBe(200);
      const entries = entriesOnPage(text);
      sizes.push(entries.length);
      seen.push(...entries.map(({ what, notMePath }) => `${what} ${notMePath?.split('/')[3]}`));
      const older = /<a[^>]*href="([^"]*)"[^>]*>Older<\/a>/.exec(text)?.[1];
      path = older ? older.replaceAll('&amp;', '&') : null;
      application.clock.advance(1);
      await failSignIn(user.email, openBrowser(application, { userAgent: `new${sizes.length}/1` }));
    }
    expect(sizes).toEqual([50, 50, 21]);
    expect(new Set(seen).size).toBe(121);
  });

  test.each(['x', '1', '1.', '.a', '99999999999999999.a', '-1.a', '1.%00', `1.${'a'.repeat(129)}`])(
    'the page starts at the newest entry for the invalid cursor after=%s',
    async (after) => {
      const { browser } = await signUp(application);
      const { status, text } = await browser.get(`${PAGE}?after=${after}`);
      expect(status).toBe(200);
      expect(entriesOnPage(text)).toHaveLength(2);
    },
  );

  test('a page without entries says so and links back to the newest', async () => {
    const { browser } = await signUp(application);
    const { text } = await browser.get(`${PAGE}?after=1.a`);
    expect(textOf(text)).toContain('Nothing older is kept.');
    expect(textOf(text)).toContain('Back to the newest');
  });

  test('the page shows a hostile user agent and device name as text', async () => {
    const hostile = '"><img src=x onerror=alert(1)>';
    const user = await signUp(application, { userAgent: hostile });
    const phone = await signIn(application, user);
    const id = await sessionIdOf(phone);
    await user.browser.post(`/settings/sessions/${id}/name`, { label: hostile });
    await user.browser.post(`/settings/sessions/${id}/sign-out`, {});
    const { text } = await user.browser.get(PAGE);
    expect(entriesOnPage(text)[0]!.what).toBe(`${hostile} signed out`);
    expect(tags(text, 'img')).toEqual([]);
    expect(text).not.toContain('<img');
  });

  test('the page shows no entries of other users', async () => {
    const [ada, grace] = [await signUp(application), await signUp(application)];
    await failSignIn(ada.email, openBrowser(application, { userAgent: 'secretive/1' }));
    const { text } = await grace.browser.get(PAGE);
    expect(text).not.toContain('secretive');
    expect(entriesOnPage(text)).toHaveLength(2);
  });
});

test('entries are pruned once they are older than 180 days, and not before', async () => {
  const user = await signUp(application);
  const prune = () => application.application.activityLog.prune(application.clock.now());
  application.clock.advance(180 * DAY_MS);
  await prune();
  expect(kindsOf(user.email)).toHaveLength(2);
  await failSignIn(user.email);
  application.clock.advance(1);
  expect(await prune()).toBeGreaterThanOrEqual(2);
  expect(kindsOf(user.email)).toEqual(['sign-in-failed']);
  const browser = await signIn(application, user);
  expect(entriesOnPage((await browser.get(PAGE)).text)).toHaveLength(2);
});

test('ACTIVITY_RETENTION_DAYS sets how long entries are kept', async () => {
  const short = await startApplication({ env: { ACTIVITY_RETENTION_DAYS: '2' } });
  try {
    const user = await signUp(short);
    expect(textOf((await user.browser.get(PAGE)).text)).toContain('kept for 2 days');
    short.clock.advance(2 * DAY_MS + 1);
    expect(await short.application.activityLog.prune(short.clock.now())).toBe(2);
  } finally {
    await short.close();
  }
});

test('the data download contains the activity log, without the device keys', async () => {
  const user = await signUp(application, from(VIENNA));
  await failSignIn(user.email);
  const { text } = await user.browser.post('/settings/data/download/json', {});
  const { activities } = JSON.parse(text) as { activities: Record<string, unknown>[] };
  expect(activities.map(({ kind }) => kind).sort()).toEqual([
    'download-made',
    'sign-in-failed',
    'signed-in',
    'signed-up',
  ]);
  expect(Object.keys(activities[0]!).sort()).toEqual([
    'at',
    'country',
    'detail',
    'device',
    'id',
    'ipAddress',
    'kind',
    'more',
    'place',
    'sessionId',
    'userAgent',
    'what',
  ]);
});

test('the session list shows the sign-in method of each session, if it is known', async () => {
  const user = await signUp(application);
  const { text } = await user.browser.get('/settings/sessions');
  expect(textOf(text)).toMatch(/Signed in just now \([^)]*\) with password · Ends/);
  application.sql('UPDATE Session SET meta = NULL WHERE id = ?', await sessionIdOf(user.browser));
  // A direct change of the database takes effect within a second.
  await vi.waitFor(async () => {
    const old = await user.browser.get('/settings/sessions');
    expect(old.status).toBe(200);
    expect(textOf(old.text)).toMatch(/Signed in just now \([^)]*\) · Ends/);
  }, PATIENCE);
});
