import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, TestClock, type TestApplication } from '../fixtures/application.ts';
import { turnOnTotp } from '../fixtures/authenticator.ts';
import { BrowserLike, type Answer, type AskOptions } from '../fixtures/browser-like.ts';
import { proveAgain } from '../fixtures/fresh-proof.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { CLIENT_SECRET } from '../fixtures/openid-provider.ts';
import { mailboxOf } from '../fixtures/users.ts';
import { leaveFor } from '../fixtures/provider-visits.ts';
import { startScriptedProvider, type ScriptedProvider } from '../fixtures/scripted-provider.ts';
import { everyRoute, goodFields, pathOf } from './every-route.ts';

const MINUTE_MS = 60_000;
const QUARTER_HOUR_MS = 15 * MINUTE_MS;
const TABLES = ['Session', 'Password', 'User', 'MailedCode', 'Totp', 'Spent'];
const PASSWORDS = [
  'canary-first-password',
  'canary-second-password',
  'canary-wrong-password',
  'canary-short',
];
const PEPPER = 'canary-pepper-of-more-than-32-characters';

let application: TestApplication;
/** Every answer of the application. */
const answers: [path: string, answer: Answer][] = [];
/** Every session token that a browser received. */
const tokens = new Set<string>();
/** Other secrets that were created on the way, and what each of them is. */
const canaries = new Map<string, string>();
/** The pages whose purpose is to show a secret to its owner. */
const SHOWN_ON: Record<string, string> = {
  'the secret of the authenticator': '/settings/two-factor/set-up',
  'a recovery code': '/settings/two-factor/recovery-codes',
};

/** A browser that records every answer and every token. */
class RecordingBrowser extends BrowserLike {
  override async ask(path: string, options: AskOptions): Promise<Answer> {
    const answer = await super.ask(path, options);
    answers.push([path, answer]);
    const token = await this.sessionToken();
    if (token) tokens.add(token);
    return answer;
  }
}

let acme: ScriptedProvider;
beforeAll(async () => {
  acme = await startScriptedProvider();
  application = await startApplication({
    // The providers use the real time in their ID tokens.
    clock: new TestClock(new Date()),
    env: {
      PASSWORD_PEPPER: PEPPER,
      LOG_LEVEL: 'trace',
      PASSWORD_TRIES_PER_ACCOUNT: '30',
      OIDC_PROVIDERS: 'acme',
      ...acme.env('acme'),
    },
  });
  await exerciseEveryFeature();
});
afterAll(() => Promise.all([application.close(), acme.close()]));

const email = 'canary@example.com';
const newEmail = 'canary-moved@example.com';
const [first, second, wrong, short] = PASSWORDS as [string, string, string, string];

/** Returns the code of the next mail of this kind, and records it as a secret. */
async function codeFrom(
  kind: Parameters<ReturnType<typeof mailboxOf>['nextMailTo']>[1],
  to = email,
) {
  const { code } = await mailboxOf(application).nextMailTo(to, kind);
  canaries.set(String(code), 'a mailed code');
  return String(code);
}

/** Uses every feature once, with right and wrong input, and during outages. */
async function exerciseEveryFeature(): Promise<void> {
  const laptop = new RecordingBrowser(application.origin);
  const phone = new RecordingBrowser(application.origin);
  await laptop.post('/signup', { email, name: 'Ada', password: short.slice(0, 7) });
  await laptop.post('/signup', { email, name: '', password: first });
  await laptop.follow(await laptop.post('/signup', { email, name: 'Ada', password: first }));
  await laptop.post('/signup/verify', { code: '00000000' });
  const older = await codeFrom('sign-up-code');
  await laptop.follow(await laptop.post('/signup/verify/again', {}));
  await laptop.post('/signup/verify', { code: older });
  await laptop.get(`/signup/verify?code=${older}`);
  const code = await codeFrom('sign-up-code');
  await laptop.follow(await laptop.post('/signup/verify', { code }));
  await new RecordingBrowser(application.origin).post('/signup', {
    email,
    name: 'X',
    password: second,
  });
  await phone.post('/login', { email, password: wrong });
  await phone.post('/login.data', { email, password: wrong });
  await phone.post('/login', { email: 'nobody@example.com', password: wrong });
  await phone.follow(await phone.post('/login', { email, password: first, remember: 'on' }));

  const phoneId = await sessionIdOf(phone);
  for (const route of await everyRoute()) await laptop.get(pathOf(route, phoneId));
  for (const path of ['/settings/sessions', '/settings/data/delete'])
    await laptop.get(`${path}.data`);
  await laptop.post(`/settings/sessions/${phoneId}/name`, { label: 'Phone' });
  await laptop.post(`/settings/sessions/${phoneId}/name`, { label: 'x'.repeat(41) });

  await laptop.post('/settings/password', { newPassword: '1' });
  const change = { newPassword: second, signOutOthers: 'on' };
  await laptop.follow(await laptop.post('/settings/password', change));
  await phone.follow(await phone.get('/settings/profile'));
  await phone.post('/login', { email, password: second });
  // A form that is saved for re-authentication, and submitted after it.
  application.clock.advance(QUARTER_HOUR_MS);
  await laptop.post('/confirm', { password: wrong });
  const redirect = await laptop.post('/settings/password', { newPassword: first });
  await proveAgain(laptop, redirect, { password: second });
  await laptop.post('/settings/password', change);
  const download = await laptop.post('/settings/data/download/json', {});
  expect(download.text).toContain(email);
  await laptop.post('/settings/sessions/others/sign-out', {});
  await connectProvider(laptop);
  await signInWithSecondFactor(laptop);
  await changeEmailAndResetPassword(laptop);

  // More attempts than the rate limits allow.
  for (let count = 0; count < 40; count += 1)
    await phone.post('/login', { email, password: wrong });

  // Secrets in the wrong places: in a URL, a header, a cross-site form, a malformed form.
  const token = (await laptop.sessionToken())!;
  await laptop.get(`/login?password=${first}&token=${token}&redirectTo=/settings`);
  await laptop.post('/logout', {}, { headers: { Origin: 'https://evil.example' } });
  await laptop.post('/settings/profile', { 'password[0]': first, name: 'Ada' });
  await laptop.post('/login', '[' as never, { body: `{"password":"${first}"}` });
  await laptop.post('/settings', { password: first });
  await laptop.ask('/settings/profile', { method: 'PUT', body: `password=${first}` });
  for (const headers of [
    { Cookie: `session=${token}A` },
    { Cookie: `session=${token}; session=x` },
  ]) {
    await new RecordingBrowser(application.origin).get('/settings/profile', { headers });
  }

  // During an outage of each table: every form once, each with secrets in it.
  const [typedCode = ''] = [...canaries].find(([, what]) => what === 'a mailed code') ?? [];
  const [key = ''] = [...canaries].find(([, what]) => what === 'a key of a link') ?? [];
  for (const table of TABLES) {
    application.sql(`ALTER TABLE "${table}" RENAME TO "Away"`);
    for (const route of await everyRoute()) {
      const path = pathOf(route, phoneId);
      await laptop.get(path);
      if (!route.hasAction) continue;
      const secretFields = { password: second, newPassword: first, code: typedCode, key };
      const fields = { ...goodFields({ email })[route.id], ...secretFields };
      await laptop.post(path, fields);
      await new RecordingBrowser(application.origin).post(path, { ...fields, email: `x${email}` });
    }
    application.sql(`ALTER TABLE "Away" RENAME TO "${table}"`);
  }
  application.clock.advance(2 * MINUTE_MS);
  await laptop.get('/settings/sessions');
  await laptop.post('/logout', {});
  // Pruning may write log lines as well.
  await application.application.sessions.prune(application.clock.now());
}

/** Connects a provider account after a failed attempt, and signs in with it. */
async function connectProvider(laptop: BrowserLike): Promise<void> {
  canaries.set(CLIENT_SECRET, 'the secret at a provider');
  acme.says = { sub: 'ada', email, email_verified: true, name: 'Ada' };
  const callbackPath = async (browser: BrowserLike, path: string) => {
    const address = await leaveFor(browser, path);
    const code = acme.codeFor(address);
    canaries.set(code, 'a code of a provider');
    const state = new URL(address).searchParams.get('state')!;
    return `/login/provider/acme/callback?${new URLSearchParams({ code, state })}`;
  };
  acme.breaks = { at: '/token', by: 500 };
  await laptop.follow(
    await laptop.get(await callbackPath(laptop, '/settings/connections/add/acme')),
  );
  acme.breaks = null;
  await laptop.follow(
    await laptop.get(await callbackPath(laptop, '/settings/connections/add/acme')),
  );
  const visitor = new RecordingBrowser(application.origin);
  await visitor.follow(await visitor.get(await callbackPath(visitor, '/login/provider/acme')));
  expect(await visitor.sessionToken()).not.toBeNull();
  for (const given of acme.given) canaries.set(given, 'a token of a provider');
}

/** Turns two-factor sign-in on, and signs in with wrong and right codes and recovery codes. */
async function signInWithSecondFactor(laptop: BrowserLike): Promise<void> {
  const app = await turnOnTotp(application, { browser: laptop });
  const { secret, recoveryCodes } = app;
  canaries.set(secret, 'the secret of the authenticator');
  for (const code of recoveryCodes) canaries.set(code, 'a recovery code');
  const tablet = new RecordingBrowser(application.origin);
  await tablet.follow(await tablet.post('/login', { email, password: second }));
  await tablet.post('/login/recovery-code', { recoveryCode: 'abcd-efgh-jkmn' });
  await tablet.follow(
    await tablet.post('/login/recovery-code', { recoveryCode: recoveryCodes[0]! }),
  );
  await tablet.post('/logout', {});
  await tablet.post('/login', { email, password: second });
  const code = app.nextCode();
  canaries.set(code, 'a code of the authenticator');
  await tablet.post('/login/code', { code: '000000' });
  await tablet.follow(await tablet.post('/login/code', { code }));
  expect(await tablet.sessionToken()).not.toBeNull();
  await tablet.post('/login/code', { code });
  await laptop.follow(await laptop.post('/settings/two-factor/turn-off', {}));
}

/** Changes the e-mail, undoes that, resets the password and reports suspicious activity. */
async function changeEmailAndResetPassword(laptop: BrowserLike): Promise<void> {
  await laptop.follow(await laptop.post('/settings/email', { newEmail }));
  const change = { code: await codeFrom('email-change-code', newEmail) };
  await laptop.follow(await laptop.post('/settings/email/verify', change));
  const visitor = new RecordingBrowser(application.origin);
  const keyFrom = async (kind: 'email-changed' | 'notice', to: string) => {
    const mails = [await mailboxOf(application).nextMailTo(to, kind)];
    while (!mails.at(-1)!.text.includes('#')) {
      mails.push(await mailboxOf(application).nextMailTo(to, kind));
    }
    const key = mails
      .at(-1)!
      .links.find((link) => link.includes('#'))!
      .split('#')[1]!;
    canaries.set(key, 'a key of a link');
    return key;
  };
  const undo = await keyFrom('email-changed', email);
  await visitor.post('/email-change/undo', { key: `${undo}x` });
  await visitor.follow(await visitor.post('/email-change/undo', { key: undo }));
  const reset = { code: await codeFrom('password-reset-code') };
  await visitor.follow(await visitor.post('/reset-password', reset));
  await visitor.post('/reset-password/new', { newPassword: short.slice(0, 7) });
  await visitor.follow(await visitor.post('/reset-password/new', { newPassword: second }));
  expect(await visitor.sessionToken()).not.toBeNull();
  await visitor.post('/not-me', { key: 'no key' });
  await visitor.follow(await visitor.post('/not-me', { key: await keyFrom('notice', email) }));
  expect(await visitor.sessionToken()).toBeNull();
  await laptop.follow(await laptop.post('/login', { email, password: second }));
}

/** Returns every secret with what it is: as plain text, in base64 and URL-encoded. */
const secrets = (): [what: string, text: string][] => {
  const hashes = application
    .sql<{ secretHash: string }>('SELECT secretHash FROM "Session"')
    .map(({ secretHash }): [string, string] => ['a hash of a token', secretHash]);
  const tokenSecrets = [...tokens].map((token): [string, string] => [
    'a token',
    token.split('.')[1]!,
  ]);
  const passwordHashes = application
    .sql<{ hash: string }>('SELECT hash FROM "Password"')
    .map(({ hash }): [string, string] => ['a hash of a password', hash]);
  const plain: [string, string][] = [
    ...PASSWORDS.map((password): [string, string] => ['a password', password.slice(0, 12)]),
    ['the pepper', PEPPER],
    // The part of a key before the dot is its id, which is no secret.
    ...[...canaries].map(([text, what]): [string, string] => [
      what,
      what === 'a key of a link' ? text.split('.')[1]! : text,
    ]),
  ];
  return [...hashes, ...tokenSecrets, ...passwordHashes, ...plain].flatMap(
    ([what, text]): [string, string][] => [
      [what, text],
      [`${what}, in base64`, Buffer.from(text).toString('base64').replace(/=+$/, '')],
      [`${what}, URL-encoded`, encodeURIComponent(text)],
    ],
  );
};

/** True if the text contains the secret. A code of digits must not be part of a longer number. */
const containsSecret = (text: string, secret: string) =>
  /^\d+$/.test(secret) ? new RegExp(`(?<!\\d)${secret}(?!\\d)`).test(text) : text.includes(secret);

test('the setup produced every kind of answer and every kind of secret', () => {
  const statuses = new Set(answers.map(([, { status }]) => status));
  for (const status of [200, 302, 307, 400, 403, 404, 405, 429, 503]) {
    expect(statuses, `answers of ${status}`).toContain(status);
  }
  expect(tokens.size).toBeGreaterThan(4);
  expect(secrets().length).toBeGreaterThan(30);
  expect([...new Set(canaries.values())].sort()).toEqual([
    'a code of a provider',
    'a code of the authenticator',
    'a key of a link',
    'a mailed code',
    'a recovery code',
    'a token of a provider',
    'the secret at a provider',
    'the secret of the authenticator',
  ]);
  expect(application.logged.filter(({ level }) => level >= 50).length).toBeGreaterThan(20);
});

test('the log contains no password, token, code, key, hash, pepper or cookie', () => {
  const log = application.logged.map((line) => JSON.stringify(line)).join('\n');
  for (const [what, text] of secrets()) expect(containsSecret(log, text), what).toBe(false);
  expect(log).not.toMatch(/"(set-)?cookie"|\$2[aby]\$|Bearer|session=/i);
});

test('the log contains no e-mail address', () => {
  const log = application.logged.map((line) => JSON.stringify(line)).join('\n');
  expect(log).not.toContain(email);
  expect(log).not.toContain(newEmail);
  expect(log).not.toContain('nobody@example.com');
});

test('no page, no answer to a script, no redirect and no header contains a secret', () => {
  const answered = answers.map(([path, { text, location, headers }]) => {
    const { 'set-cookie': _cookies, ...rest } = headers;
    return { path, all: [text, location ?? '', JSON.stringify(rest)].join('\n') };
  });
  for (const [what, secret] of secrets()) {
    // An answer may repeat a secret that was in the requested URL.
    const leaks = answered.filter(
      ({ path, all }) =>
        containsSecret(all, secret) &&
        !path.includes(secret) &&
        path !== SHOWN_ON[what.split(',')[0]!],
    );
    expect(
      leaks.map(({ path }) => path),
      what,
    ).toEqual([]);
  }
});

test('no cookie except the session cookie contains a secret', () => {
  for (const [path, { headers }] of answers) {
    for (const line of headers['set-cookie'] ?? []) {
      if (line.startsWith('session=')) continue;
      for (const [what, secret] of secrets()) {
        expect(containsSecret(line, secret), `${what} in a cookie of ${path}`).toBe(false);
      }
    }
  }
});

test('the database contains no usable token, password, pepper, code or key', () => {
  const rows = application.everything();
  for (const token of tokens) expect(rows.includes(token.split('.')[1]!)).toBe(false);
  for (const password of PASSWORDS) expect(rows.includes(password)).toBe(false);
  expect(rows.includes(PEPPER)).toBe(false);
  for (const [text, what] of canaries) {
    expect(
      containsSecret(rows, what === 'a key of a link' ? text.split('.')[1]! : text),
      what,
    ).toBe(false);
  }
});
