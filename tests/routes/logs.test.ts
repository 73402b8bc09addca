import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { BrowserLike, type Answer, type AskOptions } from '../fixtures/browser-like.ts';
import { everyRoute, goodFields, pathOf } from './every-route.ts';

const MINUTE_MS = 60_000;
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

beforeAll(async () => {
  application = await startApplication({
    env: { PASSWORD_PEPPER: PEPPER, LOG_LEVEL: 'trace', PASSWORD_TRIES_PER_ACCOUNT: '30' },
  });
  await liveThroughEverything();
});
afterAll(() => application.close());

const email = 'canary@example.com';
const [first, second, wrong, short] = PASSWORDS as [string, string, string, string];

/** What may happen to a person here, the good and the bad. */
async function liveThroughEverything(): Promise<void> {
  const laptop = new Witness(application.origin);
  const phone = new Witness(application.origin);
  await laptop.post('/signup', { email, name: 'Ada', password: short.slice(0, 7) });
  await laptop.post('/signup', { email, name: '', password: first });
  await laptop.follow(await laptop.post('/signup', { email, name: 'Ada', password: first }));
  await new Witness(application.origin).post('/signup', { email, name: 'X', password: second });
  await phone.post('/login', { email, password: wrong });
  await phone.post('/login.data', { email, password: wrong });
  await phone.post('/login', { email: 'nobody@example.com', password: wrong });
  await phone.follow(await phone.post('/login', { email, password: first, remember: 'on' }));

  const phoneId = (await phone.sessionToken())!.split('.')[0]!;
  for (const route of await everyRoute()) await laptop.get(pathOf(route, phoneId));
  for (const path of ['/settings/sessions', '/settings/data/delete'])
    await laptop.get(`${path}.data`);
  await laptop.post(`/settings/sessions/${phoneId}/name`, { label: 'Phone' });
  await laptop.post(`/settings/sessions/${phoneId}/name`, { label: 'x'.repeat(41) });

  const form = { currentPassword: wrong, newPassword: second };
  await laptop.post('/settings/password', form);
  await laptop.post('/settings/password', { currentPassword: first, newPassword: '1' });
  const change = { currentPassword: first, newPassword: second, signOutOthers: 'on' };
  await laptop.follow(await laptop.post('/settings/password', change));
  await phone.follow(await phone.get('/settings/profile'));
  await phone.post('/login', { email, password: second });
  await laptop.post('/settings/data', { password: wrong });
  await laptop.post('/settings/data', { password: second });
  await laptop.post('/settings/data/download', { password: second });
  await laptop.post('/settings/sessions/others/sign-out', {});

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
  for (const table of ['Session', 'Password', 'User']) {
    application.sql(`ALTER TABLE "${table}" RENAME TO "Away"`);
    for (const route of await everyRoute()) {
      const path = pathOf(route, phoneId);
      await laptop.get(path);
      const fields = { ...goodFields({ email })[route.id], password: second };
      await laptop.post(path, { ...fields, currentPassword: second, newPassword: first });
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
  ];
  return [...hashes, ...halves, ...stored, ...plain].flatMap(([what, text]): [string, string][] => [
    [what, text],
    [`${what}, in base64`, Buffer.from(text).toString('base64').replace(/=+$/, '')],
    [`${what}, in an address`, encodeURIComponent(text)],
  ]);
};

test('all of it was lived through', () => {
  const seen = new Set(answers.map(([, { status }]) => status));
  for (const status of [200, 302, 307, 400, 403, 404, 405, 429, 503]) {
    expect(seen, `answers of ${status}`).toContain(status);
  }
  expect(tokens.size).toBeGreaterThan(4);
  expect(secrets().length).toBeGreaterThan(30);
  expect(application.logged.filter(({ level }) => level >= 50).length).toBeGreaterThan(20);
});

test('no line of the log holds a password, a token, a hash, the pepper or a cookie', () => {
  const log = application.logged.map((line) => JSON.stringify(line)).join('\n');
  for (const [what, text] of secrets()) expect(log.includes(text), what).toBe(false);
  expect(log).not.toMatch(/"(set-)?cookie"|\$2[aby]\$|Bearer|session=/i);
});

test('no line of the log names a person', () => {
  const log = application.logged.map((line) => JSON.stringify(line)).join('\n');
  expect(log).not.toContain(email);
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
      ({ path, all }) => all.includes(secret) && !path.includes(secret),
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
        expect(line.includes(secret), `${what} in a cookie of ${path}`).toBe(false);
      }
    }
  }
});

test('the database holds no token and no password in any form that could be used', () => {
  const rows = application.everything();
  for (const token of tokens) expect(rows.includes(token.split('.')[1]!)).toBe(false);
  for (const password of PASSWORDS) expect(rows.includes(password)).toBe(false);
  expect(rows.includes(PEPPER)).toBe(false);
});
