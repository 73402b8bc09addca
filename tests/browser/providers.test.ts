import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible } from '../fixtures/accessible.ts';
import { startApplication, TestClock, type TestApplication } from '../fixtures/application.ts';
import { PHONE, useChromium } from '../fixtures/chromium.ts';
import { startGitHub, type GitHubServer } from '../fixtures/github-server.ts';
import { startOpenIdProvider, type OpenIdProvider } from '../fixtures/openid-provider.ts';

const chromium = useChromium();
let application: TestApplication;
let acme: OpenIdProvider;
let github: GitHubServer;
beforeAll(async () => {
  acme = await startOpenIdProvider();
  acme.showsPage = true;
  github = await startGitHub({
    id: 583_231,
    login: 'octo-ada',
    name: 'Ada Lovelace',
    emails: [{ email: 'ada@example.org', primary: true, verified: true }],
  });
  application = await startApplication({
    clock: new TestClock(new Date()),
    env: { OIDC_PROVIDERS: 'acme', ...acme.env('acme'), ...github.env },
  });
  acme.admit(application.origin, 'acme');
});
afterAll(async () => {
  await application.close();
  await Promise.all([acme.close(), github.close()]);
});

describe.each([
  { mode: 'with scripts', scripts: true },
  { mode: 'without scripts', scripts: false },
])('with providers, $mode', ({ scripts }) => {
  test('a user signs up with a provider, connects a second one, and disconnects the first', async () => {
    const subject = `grace-${scripts ? 'with' : 'without'}`;
    const email = `${subject}@example.com`;
    acme.accounts[subject] = { email, email_verified: true, name: 'Grace Hopper' };
    acme.signsIn = subject;
    github.account = { ...github.account, id: scripts ? 1001 : 1002 };
    const laptop = await chromium.openDevice({ scripts });
    const at = (path: string) => application.origin + path;
    const check = () => (scripts ? expectAccessible(laptop, laptop.url()) : Promise.resolve());

    // The complete redirect: a form, our own page, the provider's pages, and back.
    await laptop.goto(at('/login?redirectTo=%2Fsettings%2Fprofile'));
    await check();
    await laptop.getByRole('button', { name: 'Continue with Acme' }).click();
    await laptop.waitForURL(`${acme.issuer}/interaction/*`);
    await laptop.getByRole('button', { name: `Sign in as ${subject}` }).click();
    await laptop.getByRole('button', { name: 'Allow' }).click();
    await laptop.getByRole('heading', { name: 'Create your account?' }).waitFor();
    expect(new URL(laptop.url()).origin).toBe(application.origin);
    await laptop.getByText('Acme knows you as').waitFor();
    await check();
    expect(await laptop.getByLabel('E-mail').inputValue()).toBe(email);

    // An address that the provider has not verified needs a code; the user can go back and change it.
    await laptop.getByLabel('E-mail').fill('another@example.com');
    await laptop.getByRole('button', { name: 'Create account' }).click();
    await laptop.getByRole('heading', { name: 'Check your mail' }).waitFor();
    await laptop.goBack();
    await laptop.getByRole('heading', { name: 'Create your account?' }).waitFor();
    await laptop.getByLabel('E-mail').fill(email);
    await laptop.getByRole('button', { name: 'Create account' }).click();
    await laptop.waitForURL(at('/settings/profile'));
    await laptop.getByText('Welcome. Your account is ready.').waitFor();

    // The only way to sign in cannot be disconnected.
    await laptop.goto(at('/settings/connections'));
    const list = laptop.getByRole('list', { name: 'Connected accounts' });
    expect(await list.getByRole('listitem').count()).toBe(1);
    await laptop.getByRole('link', { name: `Disconnect Acme, ${email}` }).click();
    await laptop.getByText('is your only way to sign in').waitFor();
    await check();
    await laptop.getByRole('link', { name: 'Keep it' }).click();

    await laptop.getByRole('button', { name: 'Connect GitHub' }).click();
    await laptop.getByText('GitHub is connected.').waitFor();
    await list.getByText('octo-ada').waitFor();
    await check();
    await laptop.getByRole('link', { name: `Disconnect Acme, ${email}` }).click();
    await laptop.getByRole('heading', { name: 'Disconnect Acme?' }).waitFor();
    await check();
    await laptop.getByRole('button', { name: 'Disconnect' }).click();
    await laptop.getByText('Acme is disconnected.').waitFor();
    expect(await list.getByRole('listitem').count()).toBe(1);

    // Sign in on the phone with the second provider.
    const phone = await chromium.openDevice({ scripts, viewport: PHONE });
    await phone.goto(at('/login'));
    await phone.getByRole('button', { name: 'Continue with GitHub' }).click();
    await phone.getByRole('heading', { name: 'Hello, Grace Hopper' }).waitFor();

    // A user who cancels at the provider returns to our page with a message.
    const visitor = await chromium.openDevice({ scripts });
    acme.denies = true;
    await visitor.goto(at('/signup'));
    if (scripts) await expectAccessible(visitor, visitor.url());
    await visitor.getByRole('button', { name: 'Continue with Acme' }).click();
    await visitor.getByRole('button', { name: 'Sign in as' }).click();
    await visitor.getByText('You stopped at Acme, so nothing was done.').waitFor();
    acme.denies = false;
    if (scripts) await expectAccessible(visitor, visitor.url());
  });
});
