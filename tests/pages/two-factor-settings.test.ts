import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import {
  codeOf,
  recoveryCodesOnPage,
  secretOnPage,
  turnOnTotp,
} from '../fixtures/authenticator.ts';
import { BrowserLike, type Answer, type AskOptions } from '../fixtures/browser-like.ts';
import { cookieOf } from '../fixtures/cookies.ts';
import { userIdOf } from '../fixtures/ids.ts';
import { isSignedIn } from '../fixtures/signed-in.ts';
import { openBrowser, PASSWORD, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { fieldOnPage, formErrorOnPage, textOf } from './form-on-page.ts';

const PAGE = '/settings/two-factor';
const SET_UP = `${PAGE}/set-up`;
const CODES = `${PAGE}/recovery-codes`;
const NEW_CODES = `${PAGE}/new-codes`;
const TURN_OFF = `${PAGE}/turn-off`;
const MINUTE_MS = 60_000;

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

const rowsOf = ({ email }: Pick<TestUser, 'email'>) => {
  const whose = 'WHERE userId = (SELECT id FROM User WHERE email = ?)';
  return {
    totp: application.sql(`SELECT * FROM "Totp" ${whose}`, email),
    codes: application.sql<{ usedAt: number | null }>(
      `SELECT * FROM "RecoveryCode" ${whose}`,
      email,
    ),
    activity: application
      .sql<{ kind: string }>(`SELECT kind FROM "Activity" ${whose}`, email)
      .map(({ kind }) => kind),
  };
};
const codeNow = (secret: string) => codeOf(secret, application.clock.now());
const confirmPassword = ({ browser }: TestUser) => browser.post('/confirm', { password: PASSWORD });

describe('setting up two-factor sign-in', () => {
  test('the set-up page shows one secret as QR code, link and key, and writes no row', async () => {
    const user = await signUp(application, { email: 'ada+2fa@example.com' });
    const { text } = await user.browser.get(SET_UP);
    const uri = new URL(/href="(otpauth:[^"]*)"/.exec(text)![1]!.replaceAll('&amp;', '&'));
    expect(decodeURIComponent(uri.pathname)).toBe('/Latchkey:ada+2fa@example.com');
    expect(Object.fromEntries(uri.searchParams)).toEqual({
      secret: secretOnPage(text),
      issuer: 'Latchkey',
      algorithm: 'SHA1',
      digits: '6',
      period: '30',
    });
    expect(secretOnPage(text)).toMatch(/^[A-Z2-7]{32}$/);
    expect(textOf(text).replaceAll(' ', '')).toContain(secretOnPage(text));
    expect(text).toMatch(/<svg role="img" aria-label="QR code[^"]*"/);
    expect(rowsOf(user)).toMatchObject({ totp: [], codes: [] });
  });

  test('the set-up keeps its secret through a reload and a wrong code', async () => {
    const { browser } = await signUp(application);
    const secret = secretOnPage((await browser.get(SET_UP)).text);
    expect(secretOnPage((await browser.get(SET_UP)).text)).toBe(secret);
    const right = codeNow(secret);
    const wrong = String((Number(right) + 1) % 1_000_000).padStart(6, '0');
    const answer = await browser.post(SET_UP, { code: wrong });
    expect(answer.status).toBe(400);
    expect(fieldOnPage(answer.text, 'code')).toMatchObject({ isInvalid: true, value: null });
    // The form left it unchecked.
    expect(fieldOnPage(answer.text, 'signOutOthers').isChecked).toBe(false);
    expect(secretOnPage(answer.text)).toBe(secret);
    expect((await browser.post(SET_UP, { code: right })).location).toBe(CODES);
  });

  test('every user gets a different TOTP secret', async () => {
    const secrets = new Set<string>();
    for (let times = 0; times < 5; times += 1) {
      const { browser } = await signUp(application);
      secrets.add(secretOnPage((await browser.get(SET_UP)).text));
    }
    expect(secrets.size).toBe(5);
  });

  test('a set-up expires after 15 minutes and starts again with a new secret', async () => {
    const user = await signUp(application);
    const secret = secretOnPage((await user.browser.get(SET_UP)).text);
    application.clock.advance(10 * MINUTE_MS);
    await confirmPassword(user);
    application.clock.advance(5 * MINUTE_MS);
    const answer = await user.browser.post(SET_UP, { code: codeNow(secret) });
    expect(answer.status).toBe(400);
    expect(formErrorOnPage(answer.text)).toBe('That took too long. Scan the new QR code below.');
    expect(secretOnPage(answer.text)).not.toBe(secret);
    expect(rowsOf(user).totp).toEqual([]);
  });

  test('a set-up cookie is refused in a session of another user or another device', async () => {
    const attacker = await signUp(application);
    const known = secretOnPage((await attacker.browser.get(SET_UP)).text);
    const planted = (await cookieOf(attacker.browser, 'totp-set-up'))!;
    const victim = await signUp(application);
    const sameOwner = await signIn(application, attacker);
    for (const browser of [victim.browser, sameOwner]) {
      await browser.plantToken(planted, 'totp-set-up');
      const answer = await browser.post(SET_UP, { code: codeNow(known) });
      expect(answer.status).toBe(400);
      expect(secretOnPage(answer.text)).not.toBe(known);
    }
    expect(rowsOf(victim).totp).toEqual([]);
    expect(rowsOf(attacker).totp).toEqual([]);
  });

  test('of twenty concurrent set-ups one succeeds, with ten recovery codes', async () => {
    const user = await signUp(application);
    const secret = secretOnPage((await user.browser.get(SET_UP)).text);
    const code = codeNow(secret);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => user.browser.post(SET_UP, { code })),
    );
    expect(answers.filter(({ location }) => location === CODES)).toHaveLength(1);
    expect(rowsOf(user).totp).toHaveLength(1);
    expect(rowsOf(user).codes).toHaveLength(10);
    expect(rowsOf(user).activity.filter((kind) => kind === 'totp-on')).toHaveLength(1);
  });

  test('a set-up cookie cannot be replayed after two-factor sign-in was turned off', async () => {
    const user = await signUp(application);
    const secret = secretOnPage((await user.browser.get(SET_UP)).text);
    const copy = (await cookieOf(user.browser, 'totp-set-up'))!;
    const code = codeNow(secret);
    await user.browser.post(SET_UP, { code });
    await user.browser.post(TURN_OFF, {});
    await user.browser.plantToken(copy, 'totp-set-up');
    await user.browser.post(SET_UP, { code });
    expect(rowsOf(user).totp).toEqual([]);
  });

  test('while two-factor sign-in is on, the set-up redirects and changes nothing', async () => {
    const user = await signUp(application);
    await turnOnTotp(application, user);
    const before = rowsOf(user);
    expect((await user.browser.get(SET_UP)).location).toBe(PAGE);
    expect((await user.browser.post(SET_UP, { code: '123456' })).location).toBe(PAGE);
    expect(rowsOf(user)).toEqual(before);
  });

  test('a set-up with signOutOthers signs out the other devices and renews the token', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user);
    const before = await user.browser.sessionToken();
    const page = await user.browser.get(SET_UP);
    expect(fieldOnPage(page.text, 'signOutOthers').isChecked).toBe(true);
    const code = codeNow(secretOnPage(page.text));
    const answer = await user.browser.post(SET_UP, { code, signOutOthers: 'on' });
    const { text } = await user.browser.follow(answer);
    expect(textOf(text)).toContain('1 other device is signed out.');
    expect(await isSignedIn(phone)).toBe(false);
    expect(await isSignedIn(user.browser)).toBe(true);
    const thief = openBrowser(application);
    await thief.plantToken(before!);
    expect(await isSignedIn(thief)).toBe(false);
    expect(rowsOf(user).activity).toEqual(expect.arrayContaining(['totp-on', 'sessions-ended']));
  });

  test('a set-up without signOutOthers leaves the other devices signed in', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user);
    await turnOnTotp(application, user);
    expect(await isSignedIn(phone)).toBe(true);
  });
});

describe('recovery codes', () => {
  test('recovery codes are shown once, to the session that set them up', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user);
    const code = codeNow(secretOnPage((await user.browser.get(SET_UP)).text));
    await user.browser.post(SET_UP, { code });
    const copy = (await cookieOf(user.browser, 'new-recovery-codes'))!;
    expect(copy).not.toBeNull();
    await phone.plantToken(copy, 'new-recovery-codes');
    expect(recoveryCodesOnPage((await phone.get(CODES)).text)).toEqual([]);

    const first = await user.browser.get(CODES);
    expect(recoveryCodesOnPage(first.text)).toHaveLength(10);
    expect(first.headers['cache-control']).toContain('no-store');
    expect(await cookieOf(user.browser, 'new-recovery-codes')).toBeNull();
    const again = await user.browser.get(CODES);
    expect(recoveryCodesOnPage(again.text)).toEqual([]);
    expect(textOf(again.text)).toContain('They are shown once');
    await user.browser.plantToken(copy, 'new-recovery-codes');
    for (const path of [CODES, `${CODES}.data`]) {
      const { text } = await user.browser.get(path);
      expect(text).not.toContain(recoveryCodesOnPage(first.text)[0]);
    }
  });

  test('recovery codes can be downloaded from a data: URL in the page', async () => {
    const user = await signUp(application);
    const code = codeNow(secretOnPage((await user.browser.get(SET_UP)).text));
    const { text } = await user.browser.follow(await user.browser.post(SET_UP, { code }));
    const link = /<a [^>]*download="latchkey-recovery-codes\.txt"[^>]*>/.exec(text)![0];
    const file = decodeURIComponent(/data:text\/plain;charset=utf-8,([^"]*)"/.exec(link)![1]!);
    for (const each of recoveryCodesOnPage(text)) expect(file).toContain(each);
    expect(file).toContain(user.email);
  });

  test('the page counts the remaining recovery codes and warns when three are left', async () => {
    const user = await signUp(application);
    const app = await turnOnTotp(application, user);
    const remaining = async () => textOf((await user.browser.get(PAGE)).text);
    expect(await remaining()).toContain('10 of 10 left.');
    for (const [index, recoveryCode] of app.recoveryCodes.entries()) {
      expect((await remaining()).includes('You are running out of them.')).toBe(index >= 7);
      const browser = openBrowser(application);
      await browser.post('/login', { email: user.email, password: PASSWORD });
      await browser.post('/login/recovery-code', { recoveryCode });
    }
    expect(await remaining()).toContain('None is left.');
    expect(await remaining()).toContain('Without your app you could not sign in any more.');
  });

  test('new recovery codes replace all old ones', async () => {
    const user = await signUp(application);
    const app = await turnOnTotp(application, user);
    const phone = openBrowser(application);
    await phone.post('/login', { email: user.email, password: PASSWORD });
    await phone.post('/login/code', { code: app.nextCode() });
    expect(textOf((await user.browser.get(NEW_CODES)).text)).toContain(
      'All old ones stop working at once',
    );
    const answer = await user.browser.post(NEW_CODES, { signOutOthers: 'on' });
    const page = await user.browser.follow(answer);
    const fresh = recoveryCodesOnPage(page.text);
    expect(fresh).toHaveLength(10);
    expect(textOf(page.text)).toContain('1 other device is signed out.');
    expect(await isSignedIn(phone)).toBe(false);
    expect(rowsOf(user).activity).toContain('recovery-codes-new');

    const browser = openBrowser(application);
    await browser.post('/login', { email: user.email, password: PASSWORD });
    for (const recoveryCode of app.recoveryCodes) {
      expect((await browser.post('/login/recovery-code', { recoveryCode })).status).toBe(400);
    }
    const right = await browser.post('/login/recovery-code', { recoveryCode: fresh[0]! });
    expect(right.location).toBe('/');
  });

  test('concurrent requests for new recovery codes leave ten', async () => {
    const user = await signUp(application);
    await turnOnTotp(application, user);
    const userId = userIdOf(application, user);
    const { recoveryCodes } = application.application;
    const now = application.clock.now();
    const made = await Promise.all(
      Array.from({ length: 8 }, () => recoveryCodes.replace(userId, now)),
    );
    expect(made.every((codes) => codes?.length === 10)).toBe(true);
    expect(rowsOf(user).codes).toHaveLength(10);
  });
});

describe('turning two-factor sign-in off', () => {
  test('turning two-factor sign-in off deletes the secret and the recovery codes', async () => {
    const user = await signUp(application);
    await turnOnTotp(application, user);
    expect(textOf((await user.browser.get(TURN_OFF)).text)).toContain(
      'Your password alone is enough to sign in from then on.',
    );
    const answer = await user.browser.post(TURN_OFF, { signOutOthers: 'on' });
    const { text } = await user.browser.follow(answer);
    expect(textOf(text)).toContain('Signing in takes no code any more.');
    expect(textOf(text)).toContain('It is off.');
    expect(rowsOf(user)).toMatchObject({ totp: [], codes: [] });
    expect(rowsOf(user).activity).toContain('totp-off');
    const browser = await signIn(application, user);
    expect(await isSignedIn(browser)).toBe(true);
  });

  test('while two-factor sign-in is off, its pages for turning off and new codes redirect', async () => {
    const user = await signUp(application);
    for (const path of [TURN_OFF, NEW_CODES]) {
      expect((await user.browser.get(path)).location).toBe(PAGE);
      expect((await user.browser.post(path, {})).location).toBe(PAGE);
    }
    expect(rowsOf(user)).toMatchObject({ totp: [], codes: [] });
    expect(rowsOf(user).activity).not.toContain('totp-off');
  });
});

test.each([SET_UP, CODES, NEW_CODES, TURN_OFF])('%s requires re-authentication', async (path) => {
  const user = await signUp(application);
  if (path !== SET_UP) await turnOnTotp(application, user);
  const before = rowsOf(user);
  application.clock.advance(15 * MINUTE_MS);
  expect((await user.browser.get(path)).location).toMatch(/^\/confirm\?redirectTo=/);
  if (path !== CODES) {
    const answer = await user.browser.post(path, { code: '123456' });
    expect(answer.location).toMatch(/^\/confirm\?redirectTo=/);
  }
  expect(rowsOf(user)).toEqual(before);
  expect((await user.browser.get(PAGE)).status).toBe(200);
});

/** A browser that records every answer. */
class RecordingBrowser extends BrowserLike {
  readonly answers: [path: string, answer: Answer][] = [];
  override async ask(path: string, options: AskOptions): Promise<Answer> {
    const answer = await super.ask(path, options);
    this.answers.push([`${options.method} ${path}`, answer]);
    return answer;
  }
}

test('the TOTP secret and recovery codes appear only on their own pages', async () => {
  const browser = new RecordingBrowser(application.origin);
  const { email, ...user } = await signUp(application);
  await browser.plantToken((await user.browser.sessionToken())!);
  const app = await turnOnTotp(application, { browser });
  const old = app.recoveryCodes;
  await browser.post('/login', { email, password: PASSWORD });
  await browser.post('/login/code', { code: '000000' });
  await browser.post('/login/recovery-code', { recoveryCode: 'aaaa-aaaa-aaaa' });
  await browser.post('/login/recovery-code.data', { recoveryCode: old[0]! });
  await browser.post(`${SET_UP}.data`, { code: '000000' });
  const page = await browser.follow(await browser.post(NEW_CODES, {}));
  const fresh = recoveryCodesOnPage(page.text);
  expect(fresh).toHaveLength(10);
  for (const path of ['/', PAGE, `${PAGE}.data`, SET_UP, CODES, `${CODES}.data`, NEW_CODES]) {
    await browser.get(path);
  }
  const download = await browser.post('/settings/data/download/json', {});
  expect(download.text).toContain('"totp"');

  const secrets = [app.secret, ...old, ...fresh].flatMap((secret) => {
    const plain = secret.replaceAll('-', '');
    return [secret, plain, Buffer.from(plain).toString('base64').replace(/=+$/, '')];
  });
  const log = application.logged.map((line) => JSON.stringify(line)).join('\n');
  const rows = application.everything();
  for (const secret of secrets) {
    expect(log).not.toContain(secret);
    expect(rows).not.toContain(secret);
  }
  const holders = browser.answers
    .filter(([, { text, headers }]) => {
      const all = text + JSON.stringify(headers);
      return secrets.some((secret) => all.includes(secret));
    })
    .map(([path]) => path);
  expect(holders).toEqual([`GET ${SET_UP}`, `GET ${CODES}`, `GET ${CODES}`]);
});

test('the data download has the times of TOTP and recovery codes, but no secrets', async () => {
  const user = await signUp(application);
  const app = await turnOnTotp(application, user);
  const since = application.clock.now().toISOString();
  await user.browser.post('/login', { email: user.email, password: PASSWORD });
  await user.browser.post('/login/recovery-code', { recoveryCode: app.recoveryCodes[0]! });
  const { text } = await user.browser.post('/settings/data/download/json', {});
  const { totp, recoveryCodes } = JSON.parse(text) as {
    totp: unknown;
    recoveryCodes: { createdAt: string; usedAt: string | null }[];
  };
  expect(totp).toEqual({ createdAt: since });
  expect(recoveryCodes).toHaveLength(10);
  expect(recoveryCodes.filter(({ usedAt }) => usedAt !== null)).toEqual([
    { createdAt: since, usedAt: since },
  ]);
  expect(text).not.toMatch(/secret|hash|lastStep/i);
});
