import { afterEach, expect, test, vi } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { BrowserLike, type Answer } from '../fixtures/browser-like.ts';
import { PASSWORD, signIn, signUp, submitSignUp } from '../fixtures/users.ts';

const ELSEWHERE = '198.51.100.7'; // ::ffff:c633:6407
const QUARTER_HOUR_MS = 15 * 60_000;
/** How far `Retry-After` may have counted down on a slow machine: longer than a test may take. */
const MAX_TEST_SECONDS = 100;

let application: TestApplication;
afterEach(async () => {
  vi.useRealTimers();
  await application.close();
});

async function start(env: Record<string, string> = {}) {
  application = await startApplication({
    env: { PASSWORD_TRIES_PER_ACCOUNT: '10', TRUSTED_PROXIES: '1', ...env },
  });
}

function guess(
  email: string,
  { from = ELSEWHERE, password = 'not it', browser = new BrowserLike(application.origin) } = {},
): Promise<Answer> {
  return browser.post('/login', { email, password }, { headers: { 'X-Forwarded-For': from } });
}

async function guessTimes(times: number, email: string, options: Parameters<typeof guess>[1] = {}) {
  const statuses: number[] = [];
  for (let count = 0; count < times; count += 1) {
    statuses.push((await guess(email, options)).status);
  }
  return statuses;
}

test('the eleventh attempt is refused unchecked, and the page says when to retry', async () => {
  await start();
  const { email } = await signUp(application);
  expect(await guessTimes(10, email)).toEqual(Array(10).fill(400));
  const answer = await guess(email, { password: PASSWORD });
  expect(answer.status).toBe(429);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(900 - MAX_TEST_SECONDS);
  expect(answer.text).toContain('Wait 15 minutes, then try again.');
  expect(answer.text).toContain(email);
  expect(answer.text).not.toContain(PASSWORD);
});

test('known and unknown e-mails are rate-limited alike', async () => {
  await start();
  const { email } = await signUp(application);
  const statuses = await guessTimes(12, email);
  expect(await guessTimes(12, 'nobody@example.com')).toEqual(statuses);
});

test('of twenty concurrent guesses no more than ten are checked', async () => {
  await start();
  const { email } = await signUp(application);
  const answers = await Promise.all(Array.from({ length: 20 }, () => guess(email)));
  expect(answers.filter(({ status }) => status === 400)).toHaveLength(10);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
});

test('the correct password refunds its attempt', async () => {
  await start();
  const user = await signUp(application);
  for (let times = 0; times < 15; times += 1) await signIn(application, user);
});

test('attempts are allowed again after 15 minutes', async () => {
  await start();
  const { email } = await signUp(application);
  vi.useFakeTimers({ toFake: ['Date'] });
  await guessTimes(11, email);
  vi.advanceTimersByTime(QUARTER_HOUR_MS + 1000);
  expect((await guess(email, { password: PASSWORD })).status).toBe(302);
});

test('every network has its own limit, and an IPv6 /64 is one network', async () => {
  await start();
  const { email } = await signUp(application);
  await guessTimes(11, email, { from: '2001:db8:1:2::1' });
  expect((await guess(email, { from: '2001:db8:1:2:ffff::9' })).status).toBe(429);
  expect((await guess(email, { from: '2001:db8:1:3::1' })).status).toBe(400);
});

test('the limit per network holds across accounts', async () => {
  await start({ PASSWORD_TRIES_PER_NETWORK: '20' });
  const statuses: number[] = [];
  for (let count = 0; count < 21; count += 1) {
    statuses.push((await guess(`person-${count}@example.com`)).status);
  }
  expect(statuses).toEqual([...Array<number>(20).fill(400), 429]);
});

test('a forged X-Forwarded-For does not evade the rate limit', async () => {
  await start({ TRUSTED_PROXIES: '0' });
  const { email } = await signUp(application);
  const statuses: number[] = [];
  for (let count = 0; count < 12; count += 1) {
    statuses.push((await guess(email, { from: `198.51.100.${count}` })).status);
  }
  expect(statuses.slice(10)).toEqual([429, 429]);
});

/** Headers by turn, for which the requests behind that many proxies must count as one visitor's. */
const ONE_VISITOR: [string, hops: number, (turn: number) => Record<string, string>][] = [
  [
    'a changing X-Forwarded-For',
    0,
    (turn) => ({ 'X-Forwarded-For': `10.0.0.${turn}, 10.0.1.${turn}` }),
  ],
  ['a missing X-Forwarded-For', 1, () => ({})],
  [
    'a changing entry that the visitor prepends',
    1,
    (turn) => ({ 'X-Forwarded-For': `10.0.0.${turn}, ${ELSEWHERE}` }),
  ],
  [
    'a changing entry that the visitor prepends to two',
    2,
    (turn) => ({ 'X-Forwarded-For': `10.0.0.${turn}, ${ELSEWHERE}, 10.9.9.9` }),
  ],
  ['a changing inner proxy', 2, (turn) => ({ 'X-Forwarded-For': `${ELSEWHERE}, 10.9.9.${turn}` })],
  ['an entry of text', 1, (turn) => ({ 'X-Forwarded-For': `unknown-${turn}` })],
  ['an entry of markup', 2, (turn) => ({ 'X-Forwarded-For': `<b>${turn}</b>, 10.9.9.9` })],
  [
    'an entry that is an invalid IPv4 address',
    1,
    (turn) => ({ 'X-Forwarded-For': `${turn}.1.1.256` }),
  ],
  [
    'a changing address of the same /64',
    1,
    (turn) => ({ 'X-Forwarded-For': `2001:db8:1:2:${turn}::${turn}` }),
  ],
  [
    'the same address in another notation',
    1,
    (turn) => ({
      'X-Forwarded-For': [ELSEWHERE, `::ffff:${ELSEWHERE}`, '::FFFF:c633:6407'][turn % 3]!,
    }),
  ],
  [
    'a changing header of other proxies',
    1,
    (turn) => ({
      'X-Forwarded-For': ELSEWHERE,
      Forwarded: `for=10.0.0.${turn}`,
      'X-Real-IP': `10.0.0.${turn}`,
      'X-Client-IP': `10.0.0.${turn}`,
      'CF-Connecting-IP': `10.0.0.${turn}`,
      'True-Client-IP': `10.0.0.${turn}`,
    }),
  ],
  [
    'a changing User-Agent',
    1,
    (turn) => ({ 'X-Forwarded-For': ELSEWHERE, 'User-Agent': `Browser/${turn}` }),
  ],
];
test.each(ONE_VISITOR)(
  '%s behind %i proxies counts as one visitor',
  async (_what, hops, headersOf) => {
    await start({ TRUSTED_PROXIES: String(hops) });
    const statuses: number[] = [];
    for (let turn = 0; turn < 12; turn += 1) {
      const browser = new BrowserLike(application.origin);
      const fields = { email: 'ada@example.com', password: 'not it' };
      statuses.push((await browser.post('/login', fields, { headers: headersOf(turn) })).status);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(400), 429, 429]);
  },
);

test.each([
  ['one proxy', '1', (turn: number) => `10.0.0.1, 198.51.100.${turn}`],
  ['two proxies', '2', (turn: number) => `10.0.0.1, 198.51.100.${turn}, 10.9.9.9`],
])('every visitor behind %s has its own limit', async (_what, hops, from) => {
  await start({ TRUSTED_PROXIES: hops, PASSWORD_TRIES_PER_ACCOUNT: '1' });
  for (let turn = 0; turn < 5; turn += 1) {
    expect((await guess('ada@example.com', { from: from(turn) })).status).toBe(400);
    expect((await guess('ada@example.com', { from: from(turn) })).status).toBe(429);
  }
});

test('spellings of the same e-mail share one limit', async () => {
  await start();
  const { email } = await signUp(application);
  const spellings = [email, email.toUpperCase(), ` ${email}`, `${email}\t`];
  const statuses: number[] = [];
  for (let turn = 0; turn < 12; turn += 1) {
    statuses.push((await guess(spellings[turn % spellings.length]!)).status);
  }
  expect(statuses.slice(9)).toEqual([400, 429, 429]);
});

test.each(['/login', '/login.data'])(
  '%s answers 429 with Retry-After and the time to wait',
  async (path) => {
    await start();
    const browser = new BrowserLike(application.origin);
    const send = () => browser.post(path, { email: 'ada@example.com', password: 'not it' });
    for (let times = 0; times < 10; times += 1) expect((await send()).status).toBe(400);
    const answer = await send();
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(900 - MAX_TEST_SECONDS);
    expect(answer.text).toContain('Wait 15 minutes, then try again.');
    expect(answer.headers['cache-control']).toContain('no-store');
  },
);

test('the total limit stops guesses from many networks, but not a known browser', async () => {
  await start({ PASSWORD_TRIES_IN_ALL: '20', PASSWORD_TRIES_PER_NETWORK: '5' });
  const user = await signUp(application);
  const phone = await signIn(application, user);
  await user.browser.post('/settings/sessions/others/sign-out', {});
  const statuses: number[] = [];
  for (let turn = 0; turn < 25; turn += 1) {
    const from = `198.51.${turn}.1`;
    statuses.push((await guess(`person-${turn}@example.com`, { from })).status);
  }
  expect(statuses).toEqual([...Array<number>(20).fill(400), ...Array<number>(5).fill(429)]);
  const right = { password: PASSWORD, from: '203.0.113.5' };
  expect((await guess(user.email, right)).status).toBe(429);
  expect((await guess(user.email, { ...right, browser: phone })).status).toBe(302);
  expect((await user.browser.get('/settings/profile')).status).toBe(200);
});

test('one network alone cannot exhaust the total limit', async () => {
  await start({ PASSWORD_TRIES_IN_ALL: '20', PASSWORD_TRIES_PER_NETWORK: '15' });
  const { email } = await signUp(application);
  for (let turn = 0; turn < 60; turn += 1) await guess(`person-${turn}@example.com`);
  expect((await guess(email, { from: '203.0.113.5', password: PASSWORD })).status).toBe(302);
});

test('the total limit of sign-ups holds across networks', async () => {
  await start({ SIGN_UPS_IN_ALL: '3' });
  const statuses: number[] = [];
  for (let turn = 0; turn < 5; turn += 1) {
    const headers = { 'X-Forwarded-For': `198.51.${turn}.1` };
    const browser = new BrowserLike(application.origin, undefined, { headers });
    const fields = { email: `person-${turn}@example.com`, name: 'P', password: PASSWORD };
    statuses.push((await submitSignUp(application, browser, fields)).status);
  }
  expect(statuses).toEqual([302, 302, 302, 429, 429]);
  expect(application.sql('SELECT id FROM User')).toHaveLength(3);
});

test('guesses at one account from many networks are stopped', async () => {
  await start();
  const user = await signUp(application);
  await user.browser.post('/logout', {});
  for (let network = 0; network < 10; network += 1) {
    await guessTimes(10, user.email, { from: `198.51.${network}.1` });
  }
  const { email } = user;
  expect((await guess(email, { from: '203.0.113.5', password: PASSWORD })).status).toBe(429);
  // This browser signed out itself, so it has no cookie and counts as unknown.
  expect((await guess(email, { browser: user.browser, password: PASSWORD })).status).toBe(429);
});

test('a device that was signed out remotely can sign in while others guess', async () => {
  await start();
  const user = await signUp(application);
  const phone = await signIn(application, user);
  await user.browser.post('/settings/sessions/others/sign-out', {});
  for (let network = 0; network < 11; network += 1) {
    await guessTimes(10, user.email, { from: `198.51.${network}.1` });
  }
  expect((await guess(user.email, { browser: phone, password: PASSWORD })).status).toBe(302);
});

test("a cookie of the attacker's account gives no attempts at another account", async () => {
  await start();
  const victim = await signUp(application);
  const attacker = await signUp(application);
  // /login redirects signed-in browsers, so these must have been signed out.
  const browsers = [await signIn(application, attacker), await signIn(application, attacker)];
  await attacker.browser.post('/settings/sessions/others/sign-out', {});
  const statuses: number[] = [];
  for (const browser of browsers) {
    statuses.push(...(await guessTimes(6, victim.email, { browser })));
  }
  expect(statuses).toEqual([...Array<number>(10).fill(400), 429, 429]);
});

test.each([
  ['/settings/password', { newPassword: 'something longer' }],
  ['/settings/data/download', {}],
  ['/settings/data/delete', {}],
])('wrong passwords at the re-authentication for %s are rate-limited', async (path, fields) => {
  await start();
  const { browser, email } = await signUp(application);
  application.clock.advance(QUARTER_HOUR_MS);
  const send = () => browser.post(path, { email, ...fields });
  const { location } = await send();
  expect(location).toMatch(/^\/confirm\?/);
  const confirm = (password: string) => browser.post('/confirm', { password }, { from: location! });
  for (let times = 0; times < 10; times += 1) expect((await confirm('not it')).status).toBe(400);
  const answer = await confirm(PASSWORD);
  expect(answer.status).toBe(429);
  expect(answer.text).toContain('That was tried too often.');
  expect((await send()).location).toBe(location);
});

test('a sign-up beyond the limit per network is answered 429 and keeps the e-mail', async () => {
  await start({ SIGN_UPS_PER_NETWORK: '3' });
  for (let times = 0; times < 3; times += 1) await signUp(application);
  const browser = new BrowserLike(application.origin);
  const answer = await browser.post('/signup', {
    email: 'late@example.com',
    name: 'Late',
    password: PASSWORD,
  });
  expect(answer.status).toBe(429);
  expect(answer.text).toContain('late@example.com');
  expect(await browser.sessionToken()).toBeNull();
});
