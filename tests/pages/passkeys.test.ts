import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { FIREFOX_ON_MAC, SAFARI_ON_IPHONE } from '../fixtures/browser-like.ts';
import { userIdOf } from '../fixtures/ids.ts';
import { addPasskey, makePasskey, NEW_OPTIONS, optionsOf, signInBy } from '../fixtures/passkeys.ts';
import { isSignedIn } from '../fixtures/signed-in.ts';
import { openBrowser, PASSWORD, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { SoftwarePasskey } from '../fixtures/software-authenticator.ts';
import { fieldOnPage, formErrorOnPage, textOf } from './form-on-page.ts';

const PAGE = '/settings/passkeys';
const MINUTE_MS = 60_000;
const ICLOUD = 'fbfc3007-154e-4ecc-8c0b-6e020557d7bd';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

const newestSession = async (user: TestUser) =>
  application.application.db.session.findFirstOrThrow({
    where: { userId: userIdOf(application, user), revokedAt: null },
    orderBy: [{ createdAt: 'desc' }],
  });
const activityOf = async (user: TestUser) =>
  application.application.db.activity.findMany({ where: { userId: userIdOf(application, user) } });
const removePassword = async (user: TestUser) =>
  application.application.db.password.delete({ where: { userId: userIdOf(application, user) } });

describe('signing in', () => {
  test('a passkey sign-in needs no e-mail and records a passkey as its proof', async () => {
    const user = await signUp(application);
    const passkey = await addPasskey(application, user.browser);
    const phone = openBrowser(application, { userAgent: SAFARI_ON_IPHONE });
    application.clock.advance(MINUTE_MS);
    const answer = await signInBy(phone, passkey, {}, { redirectTo: '/settings/data' });
    expect(answer.location, answer.text).toBe('/settings/data');
    expect(await isSignedIn(phone)).toBe(true);
    const { meta } = await newestSession(user);
    expect(JSON.parse(meta!)).toMatchObject({ proof: { by: 'passkey', second: null } });
  });

  test('a passkey sign-in skips the second factor, because it already is two factors', async () => {
    const user = await signUp(application);
    const passkey = await addPasskey(application, user.browser);
    const userId = userIdOf(application, user);
    await application.application.db.totp.create({
      data: { userId, secret: 'sealed', createdAt: application.clock.now() },
    });
    const withPassword = openBrowser(application);
    const { location } = await withPassword.post('/login', {
      email: user.email,
      password: PASSWORD,
    });
    expect(location).toBe('/login/code');
    const phone = openBrowser(application);
    expect((await signInBy(phone, passkey)).location).toBe('/');
    expect(await isSignedIn(phone)).toBe(true);
  });

  test('a passkey sign-in with "remember me" sets a persistent cookie', async () => {
    const user = await signUp(application);
    const passkey = await addPasskey(application, user.browser);
    const remembered = await signInBy(openBrowser(application), passkey, {}, { remember: 'on' });
    expect(String(remembered.headers['set-cookie'])).toMatch(/session=[^;]*; Max-Age=2592000/);
    const other = await signInBy(openBrowser(application), passkey);
    expect(String(other.headers['set-cookie'])).toMatch(/session=[\w-]+\.[\w-]+; Path/);
  });

  test('the sign-in options of two browsers differ only in the challenge', async () => {
    const options = await Promise.all(
      [openBrowser(application), openBrowser(application)].map((browser) =>
        optionsOf(browser, '/login/passkey/options'),
      ),
    );
    expect(options[0]!.challenge).not.toBe(options[1]!.challenge);
    expect(Buffer.from(options[0]!.challenge, 'base64url')).toHaveLength(32);
    expect({ ...options[0], challenge: '' }).toEqual({ ...options[1], challenge: '' });
    expect(options[0]).toMatchObject({ rpId: 'localhost', userVerification: 'required' });
  });

  test('a removed passkey is refused, and the answer names its id', async () => {
    const user = await signUp(application);
    const passkey = await addPasskey(application, user.browser);
    await user.browser.post(`${PAGE}/${passkey.id}/remove`, {});
    const answer = await signInBy(openBrowser(application), passkey);
    expect(answer.status).toBe(400);
    expect(textOf(answer.text)).toContain('That passkey is not known here.');
    expect(answer.text).toContain(passkey.id);
  });

  test('the passkey page without scripts points to the password', async () => {
    const { status, text } = await openBrowser(application).get('/login/passkey');
    expect(status).toBe(200);
    expect(textOf(text)).toContain('Sign in with your password.');
  });

  test('the passkey page redirects a user who is already signed in', async () => {
    const { browser } = await signUp(application);
    expect((await browser.get('/login/passkey?redirectTo=/settings/data')).location).toBe(
      '/settings/data',
    );
  });
});

describe('registration', () => {
  test('the registration options require a discoverable credential and exclude existing ones', async () => {
    const user = await signUp(application);
    const first = await addPasskey(application, user.browser);
    expect(await optionsOf(user.browser, NEW_OPTIONS)).toMatchObject({
      rp: { id: 'localhost', name: 'Latchkey' },
      user: {
        id: Buffer.from(userIdOf(application, user)).toString('base64url'),
        name: user.email,
        displayName: user.name,
      },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      excludeCredentials: [{ id: first.id, type: 'public-key' }],
    });
  });

  test('a passkey is listed by the name of its password manager, else by its device', async () => {
    const user = await signUp(application, { userAgent: FIREFOX_ON_MAC });
    expect(textOf((await user.browser.get(PAGE)).text)).toContain('A passkey signs you in with');
    const { origin } = application;
    await addPasskey(application, user.browser, new SoftwarePasskey(origin, false, ICLOUD));
    await addPasskey(application, user.browser, new SoftwarePasskey(origin, true));
    const text = textOf((await user.browser.get(PAGE)).text);
    expect(text).toMatch(/iCloud Keychain Synced to your other devices Added .* · Not used yet/);
    expect(text).toMatch(/Firefox on Mac On this one device only/);
  });

  test('adding a passkey is recorded, and signs other devices out only on request', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user);
    await addPasskey(application, user.browser);
    expect(await isSignedIn(phone)).toBe(true);
    const passkey = new SoftwarePasskey(application.origin);
    const options = await optionsOf(user.browser, NEW_OPTIONS);
    const token = await user.browser.sessionToken();
    await user.browser.post('/settings/passkeys/new', {
      credential: passkey.make(options),
      signOutOthers: 'on',
    });
    expect(await isSignedIn(phone)).toBe(false);
    expect(await isSignedIn(user.browser)).toBe(true);
    expect(await user.browser.sessionToken()).not.toBe(token);
    const added = (await activityOf(user)).filter(({ kind }) => kind === 'passkey-added');
    expect(added.map(({ detail }) => JSON.parse(detail!) as unknown)).toEqual([
      { passkey: 'Firefox on Mac' },
      { passkey: 'Firefox on Mac' },
    ]);
  });

  test.each([
    ['GET', '/settings/passkeys/new'],
    ['POST', '/settings/passkeys/new'],
    ['POST', NEW_OPTIONS],
    ['GET', '/settings/passkeys/ID/remove'],
    ['POST', '/settings/passkeys/ID/remove'],
  ])('%s %s requires re-authentication after 20 minutes', async (method, path) => {
    const user = await signUp(application);
    const passkey = await addPasskey(application, user.browser);
    application.clock.advance(20 * MINUTE_MS);
    const address = path.replace('ID', passkey.id);
    const { status, location } =
      method === 'GET' ? await user.browser.get(address) : await user.browser.post(address, {});
    expect(status).toBe(302);
    expect(location).toMatch(/^\/confirm\?/);
    expect((await user.browser.get(PAGE)).status).toBe(200);
  });

  test('a user can have at most fifty passkeys', async () => {
    const user = await signUp(application);
    const userId = userIdOf(application, user);
    const row = { userId, name: 'x', publicKey: 'x', counter: 0, transports: '[]' };
    await application.application.db.passkey.createMany({
      data: Array.from({ length: 50 }, (_, index) => ({
        ...row,
        id: `${userId}-${index}`,
        aaguid: '',
        isBackedUp: false,
        createdAt: application.clock.now(),
      })),
    });
    const answer = await makePasskey(user.browser, new SoftwarePasskey(application.origin));
    expect(answer.status).toBe(400);
    expect(textOf(answer.text)).toContain('You have 50 passkeys.');
  });
});

describe('the list', () => {
  test('the list says when a passkey was last used', async () => {
    const user = await signUp(application);
    const passkey = await addPasskey(application, user.browser);
    application.clock.advance(5 * MINUTE_MS);
    await signInBy(openBrowser(application), passkey);
    application.clock.advance(3 * MINUTE_MS);
    expect(textOf((await user.browser.get(PAGE)).text)).toMatch(/Used 3 minutes ago/);
  });

  test('a passkey can be renamed, and the name is trimmed and validated', async () => {
    const user = await signUp(application);
    const { id } = await addPasskey(application, user.browser);
    const path = `${PAGE}/${id}/name`;
    const page = await user.browser.get(path);
    expect(fieldOnPage(page.text, 'name').value).toBe('Firefox on Mac');
    const tooLong = await user.browser.post(path, { name: 'x'.repeat(41) });
    expect(fieldOnPage(tooLong.text, 'name').note).toBe('Use at most 40 characters.');
    const none = await user.browser.post(path, { name: ' ' });
    expect(fieldOnPage(none.text, 'name').note).toBe('Enter a name.');
    const answer = await user.browser.post(path, { name: '  Kitchen key ' });
    expect(answer.location).toBe(PAGE);
    const { text } = await user.browser.follow(answer);
    expect(textOf(text)).toContain('The passkey is now called Kitchen key.');
  });

  test('a passkey is removed after a confirmation that names it', async () => {
    const user = await signUp(application);
    const phone = await signIn(application, user);
    const { id } = await addPasskey(application, user.browser);
    const path = `${PAGE}/${id}/remove`;
    const page = await user.browser.get(path);
    expect(textOf(page.text)).toContain('Remove Firefox on Mac?');
    expect(fieldOnPage(page.text, 'signOutOthers').isChecked).toBe(true);
    const token = await user.browser.sessionToken();
    const answer = await user.browser.post(path, { signOutOthers: 'on' });
    const { text } = await user.browser.follow(answer);
    expect(textOf(text)).toContain('Firefox on Mac is removed. 1 other device is signed out.');
    expect(await isSignedIn(phone)).toBe(false);
    expect(await user.browser.sessionToken()).not.toBe(token);
    expect((await activityOf(user)).map(({ kind }) => kind)).toContain('passkey-removed');
    expect((await user.browser.get(path)).status).toBe(404);
  });
});

describe('the last sign-in method', () => {
  test('a passkey that is the only sign-in method cannot be removed, and the page says so', async () => {
    const user = await signUp(application);
    const { id } = await addPasskey(application, user.browser);
    await removePassword(user);
    const page = await user.browser.get(`${PAGE}/${id}/remove`);
    expect(textOf(page.text)).toContain('Firefox on Mac is your only way in');
    const answer = await user.browser.post(`${PAGE}/${id}/remove`, {});
    expect(answer.status).toBe(409);
    expect(formErrorOnPage(answer.text)).toBe('It stays: you have no other way to sign in.');
    expect(await application.application.passkeys.count(userIdOf(application, user))).toBe(1);
    expect((await activityOf(user)).map(({ kind }) => kind)).not.toContain('passkey-removed');
  });

  test('a passkey can be removed if a connection remains as a sign-in method', async () => {
    const user = await signUp(application);
    const { id } = await addPasskey(application, user.browser);
    await removePassword(user);
    const userId = userIdOf(application, user);
    const createdAt = application.clock.now();
    await application.application.db.connection.create({
      data: { userId, issuer: 'x', subject: userId, provider: 'x', displayName: 'x', createdAt },
    });
    expect((await user.browser.post(`${PAGE}/${id}/remove`, {})).location).toBe(PAGE);
  });

  test('ten concurrent removals leave one of ten passkeys', async () => {
    const user = await signUp(application);
    const ids: string[] = [];
    for (let count = 0; count < 10; count += 1) {
      ids.push((await addPasskey(application, user.browser)).id);
    }
    await removePassword(user);
    const userId = userIdOf(application, user);
    const { passkeys } = application.application;
    const outcomes = await Promise.all(
      ids.map((id) => passkeys.remove(userId, id, application.clock.now())),
    );
    expect(outcomes.filter((outcome) => outcome === 'removed')).toHaveLength(9);
    expect(outcomes.filter((outcome) => outcome === 'last-way-in')).toHaveLength(1);
    expect(await passkeys.count(userId)).toBe(1);
  });
});

test('the data download lists the passkeys of the user', async () => {
  const user = await signUp(application);
  const passkey = await addPasskey(application, user.browser);
  const file = await user.browser.post('/settings/data/download/json', {});
  expect((JSON.parse(file.text) as { passkeys: object[] }).passkeys).toEqual([
    expect.objectContaining({
      id: passkey.id,
      name: 'Firefox on Mac',
      createdAt: application.clock.now().toISOString(),
      lastUsedAt: null,
      isBackedUp: true,
    }),
  ]);
});
