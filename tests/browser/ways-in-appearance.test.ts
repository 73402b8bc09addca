import type { Page } from 'playwright';
import { afterAll, beforeAll, test } from 'vitest';
import { expectAccessible, expectToFit } from '../fixtures/accessible.ts';
import { startApplication, TestClock, type TestApplication } from '../fixtures/application.ts';
import { turnOnTotp, type Authenticator } from '../fixtures/authenticator.ts';
import { FIREFOX_ON_MAC, SAFARI_ON_IPHONE } from '../fixtures/browser-like.ts';
import { LAPTOP, useChromium } from '../fixtures/chromium.ts';
import { startOpenIdProvider, type OpenIdProvider } from '../fixtures/openid-provider.ts';
import { addPasskey } from '../fixtures/passkeys.ts';
import { submitSignInForm } from '../fixtures/sign-in-form.ts';
import { mailboxOf, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { visit } from '../fixtures/provider-visits.ts';

const LONGER_THAN_FRESH_MS = 16 * 60_000;

const chromium = useChromium();
let application: TestApplication;
let acme: OpenIdProvider;
/** A user with a password, a passkey, a provider and two-factor sign-in. */
let ada: TestUser;
let authenticator: Authenticator;

beforeAll(async () => {
  acme = await startOpenIdProvider();
  application = await startApplication({
    clock: new TestClock(new Date()),
    env: { OIDC_PROVIDERS: 'acme', ...acme.env('acme') },
  });
  acme.admit(application.origin, 'acme');
  ada = await signUp(application, { userAgent: FIREFOX_ON_MAC });
  await addPasskey(application, ada.browser);
  acme.accounts.ada = { email: ada.email, email_verified: true, name: 'Ada Lovelace' };
  acme.accounts.stranger = {
    email: 'stranger@example.com',
    email_verified: true,
    name: 'Stranger',
  };
  acme.signsIn = 'ada';
  await visit(ada.browser, '/settings/connections/add/acme');
  await signIn(application, ada, { userAgent: SAFARI_ON_IPHONE });
  authenticator = await turnOnTotp(application, ada);
});
afterAll(async () => {
  await application.close();
  await acme.close();
});

const at = (path: string) => application.origin + path;

const openDevice = () => chromium.openDevice({ reducedMotion: 'reduce' });
const look = async (page: Page, what: string, path?: string) => {
  if (path) await page.goto(at(path));
  await expectAccessible(page, what, `ways-in-${what}`);
};

test('the pages for sign-up, sign-in and recovery are accessible and fit the window', async () => {
  const page = await openDevice();
  await look(page, 'login', '/login');
  await look(page, 'signup', '/signup');
  await look(page, 'signup-verify-elsewhere', '/signup/verify#12345678');

  await page.goto(at('/signup'));
  await page.getByLabel('Name').fill('A visitor');
  await page.getByLabel('E-mail').fill('visitor@example.com');
  await page.getByLabel('Password').fill(ada.password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
  await look(page, 'signup-verify');

  acme.signsIn = 'stranger';
  await page.goto(at('/login'));
  await page.getByRole('button', { name: 'Continue with Acme' }).click();
  await page.getByRole('heading', { name: 'Create your account?' }).waitFor();
  await look(page, 'signup-connection');

  await look(page, 'forgot-password', '/forgot-password');
  await page.getByLabel('E-mail').fill(ada.email);
  await page.getByRole('button', { name: 'Send the code' }).click();
  await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
  await look(page, 'reset-password');
  const { code } = await mailboxOf(application).nextMailTo(ada.email, 'password-reset-code');
  await page.getByLabel('Code', { exact: true }).fill(String(code));
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('heading', { name: 'Choose a new password' }).waitFor();
  await look(page, 'reset-password-new');
  await look(page, 'email-change-undo', '/email-change/undo');
});

test('the settings of a user with every sign-in method are accessible and fit the window', async () => {
  const page = await openDevice();
  await signInOn(page);
  for (const path of [
    'sessions',
    'security',
    'password',
    'email',
    'connections',
    'data',
    'data/delete',
  ]) {
    await look(page, `all-ways-${path}`, `/settings/${path}`);
  }
  await page.goto(at('/settings/email'));
  await page.getByLabel('New e-mail').fill('augusta@example.com');
  await page.getByRole('button', { name: 'Send a code' }).click();
  await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
  await look(page, 'email-verify');
  await page.setViewportSize({ width: 360, height: 780 });
  await page.goto(at('/settings/security'));
  await expectToFit(page, 'at 360 pixels');
  await page.setViewportSize(LAPTOP);

  application.clock.advance(LONGER_THAN_FRESH_MS);
  await page.goto(at('/settings/password'));
  await page.getByRole('button', { name: 'Use a passkey' }).waitFor();
  await look(page, 'confirm-every-way');
  await page.getByRole('main').getByRole('button', { name: 'Go on' }).click();
  await page.getByText('Enter your password.').waitFor();
  await look(page, 'confirm-with-errors');
});

async function signInOn(page: Page): Promise<void> {
  await page.goto(at('/login'));
  await submitSignInForm(page, ada);
  await page.getByLabel('Code', { exact: true }).fill(authenticator.nextCode());
  await page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Hello' }).waitFor();
}
