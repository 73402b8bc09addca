import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAccessible } from '../fixtures/accessible.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { useChromium } from '../fixtures/chromium.ts';
import { PASSWORD, signUp, type TestUser } from '../fixtures/users.ts';
import { plugInAuthenticator } from '../fixtures/virtual-authenticator.ts';

const BUTTON = { name: 'Sign in with a passkey' };
const OPTIONS = '/login/passkey/options';

const chromium = useChromium();
let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

const at = (path: string) => application.origin + path;

async function signInByPassword(page: Page, user: TestUser, path = '/settings/passkeys') {
  await page.goto(at(`/login?redirectTo=${encodeURIComponent(path)}`));
  await page.getByLabel('E-mail').fill(user.email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL(at(path));
}

async function signOut(page: Page) {
  await page.locator('header summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out.').waitFor();
}

async function addPasskey(page: Page) {
  await page.getByRole('link', { name: 'Add a passkey' }).click();
  await page.getByRole('button', { name: 'Choose where' }).click();
  await page.getByText('You can now sign in with').waitFor();
}

async function expectToast(page: Page, text: string) {
  await page.getByRole('status').filter({ hasText: text }).waitFor();
}

test('a user adds a passkey, signs in with it by button and by autofill, renames it, and removes it', async () => {
  const user = await signUp(application);
  const page = await chromium.openDevice();
  const authenticator = await plugInAuthenticator(page);
  await signInByPassword(page, user);
  await page.getByText('A passkey signs you in with your fingerprint').waitFor();
  await addPasskey(page);
  expect(await authenticator.count()).toBe(1);
  await signOut(page);

  // By button: "Remember me" and the return path work here too.
  await authenticator.answers(false);
  const offered = page.waitForResponse(at(OPTIONS));
  await page.goto(at('/login?redirectTo=%2Fsettings%2Fpasskeys'));
  await offered;
  await page.getByLabel('Remember me').check();
  // The authenticator must respond to the button's request. If enabled earlier, it would respond to autofill.
  await page.route(
    at(OPTIONS),
    async (route) => {
      await authenticator.answers(true);
      await route.continue();
    },
    { times: 1 },
  );
  await page.getByRole('button', BUTTON).click();
  await page.waitForURL(at('/settings/passkeys'));
  await page.getByText('Used just now').waitFor();
  const cookies = await page.context().cookies();
  expect(cookies.find(({ name }) => name === 'session')!.expires).toBeGreaterThan(0);
  await signOut(page);

  // By autofill at the e-mail field: the virtual authenticator accepts at once.
  await page.goto(at('/login?redirectTo=%2Fsettings%2Fpasskeys'));
  await page.waitForURL(at('/settings/passkeys'));

  await page.getByRole('link', { name: /^Rename / }).click();
  await page.getByLabel('Name', { exact: true }).fill('Kitchen key');
  await page.getByRole('button', { name: 'Save name' }).click();
  await expectToast(page, 'The passkey is now called Kitchen key.');

  await page.getByRole('link', { name: 'Remove Kitchen key' }).click();
  await page.getByRole('heading', { name: 'Remove Kitchen key?' }).waitFor();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await expectToast(page, 'Kitchen key is removed.');
  await page.getByText('A passkey signs you in with your fingerprint').waitFor();
});

test('a device cannot add a second passkey, and cancelling is not an error', async () => {
  const user = await signUp(application);
  const page = await chromium.openDevice();
  const authenticator = await plugInAuthenticator(page);
  await signInByPassword(page, user);
  await addPasskey(page);
  await page.getByRole('link', { name: 'Add a passkey' }).click();
  await page.getByRole('button', { name: 'Choose where' }).click();
  await page.getByText('This device has a passkey for this account already.').waitFor();

  await authenticator.forgetAll();
  await authenticator.knowsOwner(false);
  await page.getByRole('button', { name: 'Choose where' }).click();
  await page.getByText('No passkey was added.').waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
});

test('a passkey that is the only way to sign in cannot be removed', async () => {
  const user = await signUp(application);
  const page = await chromium.openDevice();
  await plugInAuthenticator(page);
  await signInByPassword(page, user);
  await addPasskey(page);
  const { db } = application.application;
  await db.password.deleteMany({ where: { user: { email: user.email } } });
  await page.getByRole('link', { name: /^Remove / }).click();
  await page.getByRole('heading', { name: / is your only way in$/ }).waitFor();
  expect(await page.getByRole('button', { name: 'Remove', exact: true }).count()).toBe(0);
});

test('signing in with a passkey that the server does not know shows an error and allows a retry', async () => {
  const user = await signUp(application);
  const page = await chromium.openDevice();
  const authenticator = await plugInAuthenticator(page);
  await signInByPassword(page, user);
  await addPasskey(page);
  await authenticator.answers(false);
  await signOut(page);
  const { db } = application.application;
  await db.passkey.deleteMany({ where: { user: { email: user.email } } });
  // This page has no autofill, so only the click asks for a passkey.
  await page.goto(at('/login/passkey?redirectTo=%2Fsettings%2Fprofile'));
  await page.getByRole('button', BUTTON).waitFor();
  await authenticator.answers(true);
  await page.getByRole('button', BUTTON).click();
  await page.getByText('That passkey is not known here.').waitFor();
  await page.getByRole('button', BUTTON).waitFor();
  await page.getByRole('link', { name: 'Use your password instead' }).click();
  await page.waitForURL(at('/login?redirectTo=%2Fsettings%2Fprofile'));
});

test('signing in with a password cancels the passkey request of the autofill', async () => {
  const user = await signUp(application);
  const page = await chromium.openDevice();
  const authenticator = await plugInAuthenticator(page);
  await authenticator.answers(false);
  await signInByPassword(page, user, '/settings/profile');
  await authenticator.answers(true);
  await page.getByRole('link', { name: 'Your sessions' }).first().click();
  await page.waitForURL(at('/settings/sessions'));
});

test.each(['without scripts', 'without passkeys'])(
  'a browser %s shows no passkey button',
  async (how) => {
    const page = await chromium.openDevice({ scripts: how !== 'without scripts' });
    if (how === 'without passkeys') {
      await page.addInitScript(() => Reflect.deleteProperty(window, 'PublicKeyCredential'));
    }
    await page.goto(at('/login'));
    await page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    await page.waitForLoadState('networkidle');
    expect(await page.getByRole('button', BUTTON).count()).toBe(0);
    await page.goto(at('/login/passkey'));
    await page.getByText('Sign in with your password.').waitFor();
    expect(await page.getByRole('button', BUTTON).isVisible()).toBe(false);

    const user = await signUp(application);
    await signInByPassword(page, user, '/settings/passkeys/new');
    await page.getByText('Adding a passkey needs scripts').waitFor();
    expect(await page.getByRole('button', { name: 'Choose where' }).isVisible()).toBe(false);
  },
);

test('every passkey page is accessible and fits the window', async () => {
  const user = await signUp(application);
  const page = await chromium.openDevice({ reducedMotion: 'reduce' });
  const look = (what: string) => expectAccessible(page, what, `passkeys-${what}`);
  const authenticator = await plugInAuthenticator(page);
  await authenticator.answers(false);
  await page.goto(at('/login'));
  await page.getByRole('button', BUTTON).waitFor();
  await look('login');
  await page.goto(at('/login/passkey'));
  await page.getByRole('button', BUTTON).waitFor();
  await look('sign-in');
  await signInByPassword(page, user);
  await look('none');
  await page.getByRole('link', { name: 'Add a passkey' }).click();
  await page.getByRole('button', { name: 'Choose where' }).waitFor();
  await look('new');
  await authenticator.answers(true);
  await page.getByRole('button', { name: 'Choose where' }).click();
  await page.getByText('You can now sign in with').waitFor();
  await look('one');
  await page.getByRole('link', { name: /^Rename / }).click();
  await page.getByRole('button', { name: 'Save name' }).waitFor();
  await look('name');
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.getByRole('link', { name: /^Remove / }).click();
  await page.getByRole('button', { name: 'Remove', exact: true }).waitFor();
  await look('remove');
});
