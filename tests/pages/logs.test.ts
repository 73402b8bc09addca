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
/** Everything that the application ever answered. */
const answers: [path: string, answer: Answer][] = [];
/** Every token that a browser was ever given. */
const tokens = new Set<string>();
/** Secrets that came up on the way, by what they are. */
const canaries = new Map<string, string>();
/** The pages that are there to show a secret to its owner. */
const SHOWN_ON: Record<string, string> = {
  'the secret of the authenticator': '/settings/two-factor/set-up',
  'a recovery code': '/settings/two-factor/recovery-codes',
};

/** A browser that keeps a copy of all that it gets. */
class Witness extends BrowserLike {
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
    // A provider's word is good for minutes of the real time.
    clock: new TestClock(new Date()),
    env: {
      PASSWORD_PEPPER: PEPPER,
      LOG_LEVEL: 'trace',
      PASSWORD_TRIES_PER_ACCOUNT: '30',
      OIDC_PROVIDERS: 'acme',
      ...acme.env('acme'),
    },
  });
  await liveThroughEverything();
});
afterAll(() => Promise.all([application.close(), acme.close()]));

const email = 'canary@example.com';
const newEmail = 'canary-moved@example.com';
const [first, second, wrong, short] = PASSWORDS as [string, string, string, string];

/** The code of the next mail of this kind, remembered. */
async function codeFrom(
  kind: Parameters<ReturnType<typeof mailboxOf>['nextMailTo']>[1],
  to = email,
) {
  const { code } = await mailboxOf(application).nextMailTo(to, kind);
  canaries.set(String(code), 'a mailed code');
  return String(code);
}

/** What may happen to a person here, the good and the bad. */
async function liveThroughEverything(): Promise<void> {
  const laptop = new Witness(application.origin);
  const phone = new Witness(application.origin);
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
  await new Witness(application.origin).post('/signup', { email, name: 'X', password: second });
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
  // A form that has to wait for a proof, wrong at first, and is carried out after it.
  application.clock.advance(QUARTER_HOUR_MS);
  await laptop.post('/confirm', { password: wrong });
  const kept = await laptop.post('/settings/password', { newPassword: first });
  await proveAgain(laptop, kept, { password: second });
  await laptop.post('/settings/password', change);
  const download = await laptop.post('/settings/data/download/json', {});
  expect(download.text).toContain(email);
  await laptop.post('/settings/sessions/others/sign-out', {});
  await connect(laptop);
  await secondFactor(laptop);
  await changeAndReset(laptop);

  // Too many of them.
  for (let count = 0; count < 40; count += 1)
    await phone.post('/login', { email, password: wrong });

  // In the wrong places: in an address, a header, a form from elsewhere, a form of another shape.
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
    await new Witness(application.origin).get('/settings/profile', { headers });
  }

  // While nothing works: every form once, each with secrets in it.
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
      await new Witness(application.origin).post(path, { ...fields, email: `x${email}` });
    }
    application.sql(`ALTER TABLE "Away" RENAME TO "${table}"`);
  }
  application.clock.advance(2 * MINUTE_MS);
  await laptop.get('/settings/sessions');
  await laptop.post('/logout', {});
  // So that there is something to be found in what was pruned and closed.
  await application.application.sessions.prune(application.clock.now());
}

/** Connects an account of a provider, after a try that went wrong, and signs in by it. */
async function connect(laptop: BrowserLike): Promise<void> {
  canaries.set(CLIENT_SECRET, 'the secret at a provider');
  acme.says = { sub: 'ada', email, email_verified: true, name: 'Ada' };
  const back = async (browser: BrowserLike, path: string) => {
    const address = await leaveFor(browser, path);
    const code = acme.codeFor(address);
    canaries.set(code, 'a code of a provider');
    const state = new URL(address).searchParams.get('state')!;
    return `/login/provider/acme/callback?${new URLSearchParams({ code, state })}`;
  };
  acme.breaks = { at: '/token', by: 500 };
  await laptop.follow(await laptop.get(await back(laptop, '/settings/connections/add/acme')));
  acme.breaks = null;
  await laptop.follow(await laptop.get(await back(laptop, '/settings/connections/add/acme')));
  const visitor = new Witness(application.origin);
  await visitor.follow(await visitor.get(await back(visitor, '/login/provider/acme')));
  expect(await visitor.sessionToken()).not.toBeNull();
  for (const given of acme.given) canaries.set(given, 'a token of a provider');
}

/** Turns two-factor sign-in on, and signs in with a code and a recovery code, right and wrong ones. */
async function secondFactor(laptop: BrowserLike): Promise<void> {
  const app = await turnOnTotp(application, { browser: laptop });
  const { secret, recoveryCodes } = app;
  canaries.set(secret, 'the secret of the authenticator');
  for (const code of recoveryCodes) canaries.set(code, 'a recovery code');
  const tablet = new Witness(application.origin);
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

/** Changes the e-mail and takes that back, resets the password, and says that something was not them. */
async function changeAndReset(laptop: BrowserLike): Promise<void> {
  await laptop.follow(await laptop.post('/settings/email', { newEmail }));
  const moved = { code: await codeFrom('email-change-code', newEmail) };
  await laptop.follow(await laptop.post('/settings/email/verify', moved));
  const anywhere = new Witness(application.origin);
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
  await anywhere.post('/email-change/undo', { key: `${undo}x` });
  await anywhere.follow(await anywhere.post('/email-change/undo', { key: undo }));
  const reset = { code: await codeFrom('password-reset-code') };
  await anywhere.follow(await anywhere.post('/reset-password', reset));
  await anywhere.post('/reset-password/new', { newPassword: short.slice(0, 7) });
  await anywhere.follow(await anywhere.post('/reset-password/new', { newPassword: second }));
  expect(await anywhere.sessionToken()).not.toBeNull();
  await anywhere.post('/not-me', { key: 'no key' });
  await anywhere.follow(await anywhere.post('/not-me', { key: await keyFrom('notice', email) }));
  expect(await anywhere.sessionToken()).toBeNull();
  await laptop.follow(await laptop.post('/login', { email, password: second }));
}

/** Secrets by what they are; each as it is, and in the ways in which it travels. */
const secrets = (): [what: string, text: string][] => {
  const hashes = application
    .sql<{ secretHash: string }>('SELECT secretHash FROM "Session"')
    .map(({ secretHash }): [string, string] => ['a hash of a token', secretHash]);
  const halves = [...tokens].map((token): [string, string] => ['a token', token.split('.')[1]!]);
  const stored = application
    .sql<{ hash: string }>('SELECT hash FROM "Password"')
    .map(({ hash }): [string, string] => ['a hash of a password', hash]);
  const plain: [string, string][] = [
    ...PASSWORDS.map((password): [string, string] => ['a password', password.slice(0, 12)]),
    ['the pepper', PEPPER],
    // A key names itself before the dot.
    ...[...canaries].map(([text, what]): [string, string] => [
      what,
      what === 'a key of a link' ? text.split('.')[1]! : text,
    ]),
  ];
  return [...hashes, ...halves, ...stored, ...plain].flatMap(([what, text]): [string, string][] => [
    [what, text],
    [`${what}, in base64`, Buffer.from(text).toString('base64').replace(/=+$/, '')],
    [`${what}, in an address`, encodeURIComponent(text)],
  ]);
};

/** Whether it stands there; a code of digits as a number of its own. */
const holds = (text: string, secret: string) =>
  /^\d+$/.test(secret) ? new RegExp(`(?<!\\d)${secret}(?!\\d)`).test(text) : text.includes(secret);

test('all of it was lived through', () => {
  const seen = new Set(answers.map(([, { status }]) => status));
  for (const status of [200, 302, 307, 400, 403, 404, 405, 429, 503]) {
    expect(seen, `answers of ${status}`).toContain(status);
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

test('no line of the log holds a password, a token, a code, a key, a hash, the pepper or a cookie', () => {
  const log = application.logged.map((line) => JSON.stringify(line)).join('\n');
  for (const [what, text] of secrets()) expect(holds(log, text), what).toBe(false);
  expect(log).not.toMatch(/"(set-)?cookie"|\$2[aby]\$|Bearer|session=/i);
});

test('no line of the log names a person', () => {
  const log = application.logged.map((line) => JSON.stringify(line)).join('\n');
  expect(log).not.toContain(email);
  expect(log).not.toContain(newEmail);
  expect(log).not.toContain('nobody@example.com');
});

test('no page, no answer to a script and no address holds one of them', () => {
  const answered = answers.map(([path, { text, location, headers }]) => {
    const { 'set-cookie': _cookies, ...rest } = headers;
    return { path, all: [text, location ?? '', JSON.stringify(rest)].join('\n') };
  });
  for (const [what, secret] of secrets()) {
    // Whoever writes one into an address themselves may meet it there again.
    const holders = answered.filter(
      ({ path, all }) =>
        holds(all, secret) && !path.includes(secret) && path !== SHOWN_ON[what.split(',')[0]!],
    );
    expect(
      holders.map(({ path }) => path),
      what,
    ).toEqual([]);
  }
});

test('no cookie but the one of the session holds one of them', () => {
  for (const [path, { headers }] of answers) {
    for (const line of headers['set-cookie'] ?? []) {
      if (line.startsWith('session=')) continue;
      for (const [what, secret] of secrets()) {
        expect(holds(line, secret), `${what} in a cookie of ${path}`).toBe(false);
      }
    }
  }
});

test('the database holds no token, no password, no code and no key in any form that could be used', () => {
  const rows = application.everything();
  for (const token of tokens) expect(rows.includes(token.split('.')[1]!)).toBe(false);
  for (const password of PASSWORDS) expect(rows.includes(password)).toBe(false);
  expect(rows.includes(PEPPER)).toBe(false);
  for (const [text, what] of canaries) {
    expect(holds(rows, what === 'a key of a link' ? text.split('.')[1]! : text), what).toBe(false);
  }
});
