import { afterEach, expect, test, vi } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { BrowserLike, type Answer } from '../fixtures/browser-like.ts';
import { PASSWORD, signIn, signUp, submitSignUp } from '../fixtures/users.ts';

const ELSEWHERE = '198.51.100.7'; // ::ffff:c633:6407
const QUARTER_HOUR_MS = 15 * 60_000;
/** More than a test may take: what is left of a quarter of an hour does not depend on how busy the machine is. */
const MAX_SECONDS = 100;

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

test('the eleventh wrong password is not looked at, and the page says when to come back', async () => {
  await start();
  const { email } = await signUp(application);
  expect(await guessTimes(10, email)).toEqual(Array(10).fill(400));
  const answer = await guess(email, { password: PASSWORD });
  expect(answer.status).toBe(429);
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(900 - MAX_SECONDS);
  expect(answer.text).toContain('Wait 15 minutes, then try again.');
  expect(answer.text).toContain(email);
  expect(answer.text).not.toContain(PASSWORD);
});

test('known and unknown people run into it alike', async () => {
  await start();
  const { email } = await signUp(application);
  const statuses = await guessTimes(12, email);
  expect(await guessTimes(12, 'nobody@example.com')).toEqual(statuses);
});

test('of twenty guesses at once no more than ten are looked at', async () => {
  await start();
  const { email } = await signUp(application);
  const answers = await Promise.all(Array.from({ length: 20 }, () => guess(email)));
  expect(answers.filter(({ status }) => status === 400)).toHaveLength(10);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
});

test('the right password gives its try back', async () => {
  await start();
  const user = await signUp(application);
  for (let times = 0; times < 15; times += 1) await signIn(application, user);
});

test('after a quarter of an hour there are tries again', async () => {
  await start();
  const { email } = await signUp(application);
  vi.useFakeTimers({ toFake: ['Date'] });
  await guessTimes(11, email);
  vi.advanceTimersByTime(QUARTER_HOUR_MS + 1000);
  expect((await guess(email, { password: PASSWORD })).status).toBe(302);
});

test('another network has tries of its own, and the same network of IPv6 has not', async () => {
  await start();
  const { email } = await signUp(application);
  await guessTimes(11, email, { from: '2001:db8:1:2::1' });
  expect((await guess(email, { from: '2001:db8:1:2:ffff::9' })).status).toBe(429);
  expect((await guess(email, { from: '2001:db8:1:3::1' })).status).toBe(400);
});

test('one network cannot try many accounts', async () => {
  await start({ PASSWORD_TRIES_PER_NETWORK: '20' });
  const statuses: number[] = [];
  for (let count = 0; count < 21; count += 1) {
    statuses.push((await guess(`person-${count}@example.com`)).status);
  }
  expect(statuses).toEqual([...Array<number>(20).fill(400), 429]);
});

test('a forged X-Forwarded-For does not help', async () => {
  await start({ TRUSTED_PROXIES: '0' });
  const { email } = await signUp(application);
  const statuses: number[] = [];
  for (let count = 0; count < 12; count += 1) {
    statuses.push((await guess(email, { from: `198.51.100.${count}` })).status);
  }
  expect(statuses.slice(10)).toEqual([429, 429]);
});

/** What is seen of twelve requests behind so many proxies: one visitor, or more. */
const ONE_VISITOR: [string, hops: number, (turn: number) => Record<string, string>][] = [
  ['a list of any length', 0, (turn) => ({ 'X-Forwarded-For': `10.0.0.${turn}, 10.0.1.${turn}` })],
  ['no list at all', 1, () => ({})],
  [
    'what the visitor put in front',
    1,
    (turn) => ({ 'X-Forwarded-For': `10.0.0.${turn}, ${ELSEWHERE}` }),
  ],
  [
    'what the visitor put in front of two',
    2,
    (turn) => ({ 'X-Forwarded-For': `10.0.0.${turn}, ${ELSEWHERE}, 10.9.9.9` }),
  ],
  ['the inner proxy of two', 2, (turn) => ({ 'X-Forwarded-For': `${ELSEWHERE}, 10.9.9.${turn}` })],
  ['garbage', 1, (turn) => ({ 'X-Forwarded-For': `unknown-${turn}` })],
  ['markup', 2, (turn) => ({ 'X-Forwarded-For': `<b>${turn}</b>, 10.9.9.9` })],
  ['numbers that are no address', 1, (turn) => ({ 'X-Forwarded-For': `${turn}.1.1.256` })],
  ['the same /64', 1, (turn) => ({ 'X-Forwarded-For': `2001:db8:1:2:${turn}::${turn}` })],
  [
    'the same address in other letters',
    1,
    (turn) => ({
      'X-Forwarded-For': [ELSEWHERE, `::ffff:${ELSEWHERE}`, '::FFFF:c633:6407'][turn % 3]!,
    }),
  ],
  [
    'headers of other proxies',
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
    'another browser each time',
    1,
    (turn) => ({ 'X-Forwarded-For': ELSEWHERE, 'User-Agent': `Browser/${turn}` }),
  ],
];
test.each(ONE_VISITOR)('%s behind %i proxies is one visitor', async (_what, hops, headersOf) => {
  await start({ TRUSTED_PROXIES: String(hops) });
  const statuses: number[] = [];
  for (let turn = 0; turn < 12; turn += 1) {
    const browser = new BrowserLike(application.origin);
    const fields = { email: 'ada@example.com', password: 'not it' };
    statuses.push((await browser.post('/login', fields, { headers: headersOf(turn) })).status);
  }
  expect(statuses).toEqual([...Array<number>(10).fill(400), 429, 429]);
});

test.each([
  ['one proxy', '1', (turn: number) => `10.0.0.1, 198.51.100.${turn}`],
  ['two proxies', '2', (turn: number) => `10.0.0.1, 198.51.100.${turn}, 10.9.9.9`],
])('visitors behind %s have tries of their own', async (_what, hops, from) => {
  await start({ TRUSTED_PROXIES: hops, PASSWORD_TRIES_PER_ACCOUNT: '1' });
  for (let turn = 0; turn < 5; turn += 1) {
    expect((await guess('ada@example.com', { from: from(turn) })).status).toBe(400);
    expect((await guess('ada@example.com', { from: from(turn) })).status).toBe(429);
  }
});

test('however an e-mail is written, its tries are the same', async () => {
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
  '%s says when to come back, to pages and scripts',
  async (path) => {
    await start();
    const browser = new BrowserLike(application.origin);
    const send = () => browser.post(path, { email: 'ada@example.com', password: 'not it' });
    for (let times = 0; times < 10; times += 1) expect((await send()).status).toBe(400);
    const answer = await send();
    expect(answer.status).toBe(429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(900 - MAX_SECONDS);
    expect(answer.text).toContain('Wait 15 minutes, then try again.');
    expect(answer.headers['cache-control']).toContain('no-store');
  },
);

test('a flood from many networks is stopped, and whoever was signed in before is not', async () => {
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

test('one network alone reaches no ceiling', async () => {
  await start({ PASSWORD_TRIES_IN_ALL: '20', PASSWORD_TRIES_PER_NETWORK: '15' });
  const { email } = await signUp(application);
  for (let turn = 0; turn < 60; turn += 1) await guess(`person-${turn}@example.com`);
  expect((await guess(email, { from: '203.0.113.5', password: PASSWORD })).status).toBe(302);
});

test('no more accounts are made than the ceiling allows, from whatever networks', async () => {
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

test('many networks together are stopped', async () => {
  await start();
  const user = await signUp(application);
  await user.browser.post('/logout', {});
  for (let network = 0; network < 10; network += 1) {
    await guessTimes(10, user.email, { from: `198.51.${network}.1` });
  }
  const { email } = user;
  expect((await guess(email, { from: '203.0.113.5', password: PASSWORD })).status).toBe(429);
  // Signed out by itself, the browser holds no cookie any more: it is like any other.
  expect((await guess(email, { browser: user.browser, password: PASSWORD })).status).toBe(429);
});

test('a device that was signed out from elsewhere still gets in while others guess', async () => {
  await start();
  const user = await signUp(application);
  const phone = await signIn(application, user);
  await user.browser.post('/settings/sessions/others/sign-out', {});
  for (let network = 0; network < 11; network += 1) {
    await guessTimes(10, user.email, { from: `198.51.${network}.1` });
  }
  expect((await guess(user.email, { browser: phone, password: PASSWORD })).status).toBe(302);
});

test("a cookie of one's own account gives no tries for another's", async () => {
  await start();
  const victim = await signUp(application);
  const attacker = await signUp(application);
  // A browser that is signed in is sent on; those that were signed out are asked.
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
])('the proof that %s asks for counts wrong passwords as well', async (path, fields) => {
  await start();
  const { browser, email } = await signUp(application);
  application.clock.advance(QUARTER_HOUR_MS);
  const send = () => browser.post(path, { email, ...fields });
  const { location } = await send();
  expect(location).toMatch(/^\/confirm\?/);
  const prove = (password: string) => browser.post('/confirm', { password }, { from: location! });
  for (let times = 0; times < 10; times += 1) expect((await prove('not it')).status).toBe(400);
  const answer = await prove(PASSWORD);
  expect(answer.status).toBe(429);
  expect(answer.text).toContain('That was tried too often.');
  expect((await send()).location).toBe(location);
});

test('accounts are made from one network as often as is allowed, and no more', async () => {
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
