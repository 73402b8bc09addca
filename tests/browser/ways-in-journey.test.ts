import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, TestClock, type TestApplication } from '../fixtures/application.ts';
import { codeOf } from '../fixtures/authenticator.ts';
import { FIREFOX_ON_MAC, SAFARI_ON_IPHONE } from '../fixtures/browser-like.ts';
import { PHONE, useChromium } from '../fixtures/chromium.ts';
import { startOpenIdProvider, type OpenIdProvider } from '../fixtures/openid-provider.ts';
import { submitSignInForm } from '../fixtures/sign-in-form.ts';
import { startMailServer, type MailServer } from '../fixtures/smtp-server.ts';
import { plugInAuthenticator } from '../fixtures/virtual-authenticator.ts';

const SECOND_MS = 1000;
const CODE_STEP_MS = 30 * SECOND_MS;
const LONGER_THAN_FRESH_MS = 16 * 60 * SECOND_MS;
const PATIENCE_MS = 20 * SECOND_MS;

const PASSWORDS = {
  first: 'correct horse battery staple',
  changed: 'a lighthouse keeps its own hours',
  reset: 'seven grey herons by the weir',
  last: 'moss grows on the northern wall',
};

const CODE_MAIL = 'Your code to create a Latchkey account';
const RESET_MAIL = 'Your code to set a new Latchkey password';
const NEW_ADDRESS_MAIL = 'Your code to use this address with Latchkey';
const CHANGED_MAIL = 'Your Latchkey account has a new e-mail address';

const chromium = useChromium();
let application: TestApplication;
let mailServer: MailServer;
let acme: OpenIdProvider;
beforeAll(async () => {
  mailServer = await startMailServer();
  acme = await startOpenIdProvider();
  acme.showsPage = true;
  application = await startApplication({
    // The provider uses the real time.
    clock: new TestClock(new Date()),
    env: { SMTP_URL: mailServer.url, OIDC_PROVIDERS: 'acme', ...acme.env('acme') },
  });
  acme.admit(application.origin, 'acme');
});
afterAll(async () => {
  await application.close();
  await Promise.all([mailServer.stop(), acme.close()]);
});

const at = (path: string) => application.origin + path;

test('a sign-up code works only in the browser that asked for it, and its link explains that elsewhere', async () => {
  const laptop = await openDevice();
  const phone = await openDevice({ phone: true });
  const email = 'typed@example.com';
  await step('the code is asked for', laptop, () => submitSignUp(laptop, email));
  const { code, link } = await mailTo(email, CODE_MAIL);
  await step('the link is opened elsewhere', phone, async () => {
    await phone.goto(link);
    await phone.getByText('This browser waits for no code.').waitFor();
    await expect.poll(() => phone.getByLabel('Code', { exact: true }).inputValue()).toBe(code);
    expect(phone.url()).toBe(at('/signup/verify'));
    expect(await phone.getByRole('button', { name: 'Create account' }).count()).toBe(0);
  });
  await step('the code is typed', laptop, async () => {
    await laptop.getByLabel('Code', { exact: true }).fill(`${code.slice(0, 4)} ${code.slice(4)}`);
    await laptop.getByRole('button', { name: 'Create account' }).click();
    await greeting(laptop).waitFor();
  });
});

describe.each([
  { mode: 'with scripts', scripts: true },
  { mode: 'without scripts', scripts: false },
])('every way to sign in, $mode', ({ scripts }) => {
  const who = scripts ? 'with' : 'without';
  const email = `ada-${who}@example.com`;
  const newEmail = `augusta-${who}@example.com`;

  test('a user signs up, signs in with every method, and recovers the account', async () => {
    const laptop = await openDevice({ scripts });
    const phone = await openDevice({ scripts, phone: true });
    const authenticator = scripts ? await plugInAuthenticator(laptop) : null;
    await authenticator?.answers(false);
    const main = laptop.getByRole('main');
    let password = PASSWORDS.first;
    const enterPassword = (page: Page) => signIn(page, email, password);

    await step('sign up with the link in the mail', laptop, async () => {
      await submitSignUp(laptop, email);
      const { code, link } = await mailTo(email, CODE_MAIL);
      await laptop.goto(link);
      const field = laptop.getByLabel('Code', { exact: true });
      if (scripts) {
        await laptop.getByText('Taken from the link.').waitFor();
        expect(laptop.url()).toBe(at('/signup/verify'));
        await expect.poll(() => field.inputValue()).toBe(code);
      } else await field.fill(code);
      await laptop.getByRole('button', { name: 'Create account' }).click();
      await greeting(laptop).waitFor();
    });

    let secret = '';
    let recoveryCodes: string[] = [];
    const nextCode = () => {
      application.clock.advance(CODE_STEP_MS);
      return codeOf(secret, application.clock.now());
    };
    await step('set up two-factor sign-in', laptop, async () => {
      await laptop.goto(at('/settings/two-factor'));
      await laptop.getByRole('link', { name: 'Set it up' }).click();
      const uri = await laptop.getByRole('link', { name: 'Open it there' }).getAttribute('href');
      secret = new URL(uri!).searchParams.get('secret')!;
      await codeField(laptop).fill(codeOf(secret, application.clock.now()));
      await laptop.getByRole('button', { name: 'Turn it on' }).click();
      await laptop.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
      const list = laptop.getByRole('list', { name: 'Recovery codes' });
      recoveryCodes = await list.getByRole('listitem').allInnerTexts();
      expect(recoveryCodes).toHaveLength(10);
      await laptop.getByLabel('I have saved them').check();
      await laptop.getByRole('button', { name: 'Done' }).click();
      await laptop.getByText('10 of 10 left.').waitFor();
    });

    await step('sign in with a code', laptop, async () => {
      await signOut(laptop);
      await enterPassword(laptop);
      await enterCode(laptop, nextCode());
      await greeting(laptop).waitFor();
    });

    await step('sign in with a recovery code', laptop, async () => {
      await signOut(laptop);
      await enterPassword(laptop);
      await laptop.getByRole('link', { name: 'Use a recovery code' }).click();
      await laptop.getByLabel('Recovery code').fill(recoveryCodes[0]!);
      await main.getByRole('button', { name: 'Sign in', exact: true }).click();
      await laptop.getByText('That recovery code is used up; 9 are left.').waitFor();
    });

    if (authenticator) {
      await step('add a passkey, and sign in with only the passkey', laptop, async () => {
        await laptop.goto(at('/settings/passkeys'));
        await laptop.getByRole('link', { name: 'Add a passkey' }).click();
        await authenticator.answers(true);
        await laptop.getByRole('button', { name: 'Choose where' }).click();
        await laptop.getByText('You can now sign in with').waitFor();
        await authenticator.answers(false);
        await signOut(laptop);
        // This page has no autofill, to which the virtual authenticator would respond by itself.
        await laptop.goto(at('/login/passkey'));
        const button = laptop.getByRole('button', { name: 'Sign in with a passkey' });
        await button.waitFor();
        await authenticator.answers(true);
        await button.click();
        await greeting(laptop).waitFor();
        await authenticator.answers(false);
      });
    }

    await step('connect a provider', laptop, async () => {
      acme.accounts[who] = { email, email_verified: true, name: 'Ada Lovelace' };
      acme.signsIn = who;
      await laptop.goto(at('/settings/connections'));
      await laptop.getByRole('button', { name: 'Connect Acme' }).click();
      await answerAtProvider(laptop);
      await laptop.getByText('Acme is connected.').waitFor();
    });

    await step('sign in with the provider, and a code', laptop, async () => {
      await signOut(laptop);
      await laptop.goto(at('/login'));
      await laptop.getByRole('button', { name: 'Continue with Acme' }).click();
      // The provider asks nothing, because the user is still signed in there.
      await laptop.getByRole('heading', { name: 'Enter your code' }).waitFor();
      await laptop.goto(at('/settings/sessions'));
      await laptop.getByText('Sign in to see that page.').waitFor();
      await laptop.goto(at('/login/code'));
      await enterCode(laptop, nextCode());
      await greeting(laptop).waitFor();
    });

    await step('sign in on the phone too', phone, async () => {
      await enterPassword(phone);
      await enterCode(phone, nextCode());
      await greeting(phone).waitFor();
    });

    await step('see how each session was signed in', laptop, async () => {
      await laptop.goto(at('/settings/sessions'));
      const rows = laptop.getByRole('list', { name: 'Signed-in devices' }).getByRole('listitem');
      expect(await rows.nth(0).innerText()).toMatch(/with Acme/);
      expect(await rows.nth(1).innerText()).toMatch(/with (a )?password/);
    });

    await step(
      'sign out the phone later, after re-authentication by password and code',
      laptop,
      async () => {
        await laptop.getByRole('link', { name: 'Sign out everywhere else' }).click();
        await laptop.getByRole('heading', { name: 'Sign out 1 other device?' }).waitFor();
        application.clock.advance(LONGER_THAN_FRESH_MS);
        await laptop.getByRole('button', { name: 'Sign it out' }).click();
        await laptop.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
        await phone.goto(at('/settings/sessions'));
        await phone.getByText('This device').waitFor();
        await laptop.getByLabel('Your password').fill(password);
        await laptop.getByLabel('Code from your authenticator').fill(nextCode());
        await main.getByRole('button', { name: 'Go on' }).click();
        await laptop.getByText('1 other device is signed out.').waitFor();
        await phone.reload();
        await phone.getByText('You were signed out from another device.').waitFor();
      },
    );

    if (authenticator) {
      await step(
        'change the password later, after re-authentication by passkey',
        laptop,
        async () => {
          await laptop.goto(at('/settings/password'));
          await laptop.getByLabel('New password').fill(PASSWORDS.changed);
          application.clock.advance(LONGER_THAN_FRESH_MS);
          await laptop.getByRole('button', { name: 'Change password' }).click();
          await laptop.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
          const button = laptop.getByRole('button', { name: 'Use a passkey' });
          await button.waitFor();
          await authenticator.answers(true);
          await button.click();
          await laptop.getByText('Your password is changed.').waitFor();
          await authenticator.answers(false);
          password = PASSWORDS.changed;
        },
      );
    }

    await step(
      'reset the forgotten password with a mailed code and an authenticator code',
      laptop,
      async () => {
        await signOut(laptop);
        await laptop.goto(at('/login'));
        await laptop.getByRole('link', { name: 'Forgot your password?' }).click();
        await laptop.getByRole('button', { name: 'Send the code' }).waitFor();
        // Hydration may reset the fields of the page.
        await laptop.waitForLoadState('networkidle');
        await laptop.getByLabel('E-mail').fill(email);
        await laptop.getByRole('button', { name: 'Send the code' }).click();
        await laptop.getByRole('heading', { name: 'Check your mail' }).waitFor();
        const { code } = await mailTo(email, RESET_MAIL);
        await codeField(laptop).fill(code);
        await laptop.getByRole('button', { name: 'Go on' }).click();
        await setPassword(laptop, PASSWORDS.reset, codeOf(secret, new Date(0)));
        await laptop.getByText('That code is wrong or was used before.').waitFor();
        await setPassword(laptop, PASSWORDS.reset, nextCode());
        await laptop.getByText('Your password is set.').waitFor();
        password = PASSWORDS.reset;
      },
    );

    await step('see every event in the activity log, with its device', laptop, async () => {
      await laptop.goto(at('/settings/activity'));
      const entries = main.getByRole('listitem');
      await entries.first().waitFor();
      const texts = await entries.allInnerTexts();
      const expected = [
        'Account created',
        'Authenticator app added',
        'Signed in',
        'Recovery code used',
        ...(scripts ? [/^Passkey .* added/, 'Password changed'] : []),
        'Acme connected',
        '1 other device signed out',
        'Wrong code',
        'Password reset',
      ];
      for (const text of expected) {
        const isThere = (entry: string) =>
          typeof text === 'string' ? entry.startsWith(text) : text.test(entry);
        expect(texts.some(isThere), `${String(text)} among ${texts.join(' | ')}`).toBe(true);
      }
      for (const entry of texts) expect(entry).toMatch(/Firefox .*on Mac|Safari .*on iPhone/);
      expect(texts.some((entry) => /^Signed in[^]*iPhone/.test(entry))).toBe(true);
    });

    await step('change the e-mail', laptop, async () => {
      await laptop.goto(at('/settings/email'));
      await laptop.getByLabel('New e-mail').fill(newEmail);
      await laptop.getByRole('button', { name: 'Send a code' }).click();
      await laptop.getByRole('heading', { name: 'Check your mail' }).waitFor();
      const { code } = await mailTo(newEmail, NEW_ADDRESS_MAIL);
      await codeField(laptop).fill(code);
      await laptop.getByRole('button', { name: 'Change e-mail' }).click();
      await laptop.getByText('Your e-mail is changed.').waitFor();
      await main.getByText(newEmail).waitFor();
    });

    await step(
      'undo the change of e-mail with the mail to the old address, on the phone',
      phone,
      async () => {
        const { link, key } = await mailTo(email, CHANGED_MAIL);
        await phone.goto(link);
        await phone.getByRole('heading', { name: 'Take back the change' }).waitFor();
        if (scripts) await phone.getByText('Taken from the link.').waitFor();
        else await phone.getByLabel('Key', { exact: true }).fill(key);
        await phone.getByRole('button', { name: 'Take it back and sign out everywhere' }).click();
        await phone.getByRole('heading', { name: 'Check your mail' }).waitFor();
        const { code } = await mailTo(email, RESET_MAIL);
        await codeField(phone).fill(code);
        await phone.getByRole('button', { name: 'Go on' }).click();
        await setPassword(phone, PASSWORDS.last, nextCode());
        await phone.getByText('Your password is set.').waitFor();
        password = PASSWORDS.last;
        await phone.goto(at('/settings/profile'));
        await phone.getByRole('main').getByText(email).waitFor();
      },
    );

    await step('see the sign-out on the laptop, and sign in again', laptop, async () => {
      await laptop.goto(at('/settings/sessions'));
      await laptop.getByText('a change of your e-mail was taken back').waitFor();
      await enterPassword(laptop);
      await enterCode(laptop, nextCode());
      await greeting(laptop).waitFor();
    });
  });
});

/**
 * Runs one part of the journey. An error names the part, and has the text of the page at that time.
 */
async function step(what: string, page: Page, part: () => Promise<void>): Promise<void> {
  try {
    await part();
  } catch (error) {
    const { pathname } = new URL(page.url());
    const seen = await page
      .locator('body')
      .innerText({ timeout: SECOND_MS })
      .catch(() => 'nothing');
    throw new Error(`The step "${what}" failed at ${pathname}. The page showed:\n${seen}`, {
      cause: error,
    });
  }
}

async function openDevice({ scripts = true, phone = false } = {}): Promise<Page> {
  const page = await chromium.openDevice({
    scripts,
    userAgent: phone ? SAFARI_ON_IPHONE : FIREFOX_ON_MAC,
    ...(phone && { viewport: PHONE }),
  });
  page.setDefaultTimeout(PATIENCE_MS);
  return page;
}

async function submitSignUp(page: Page, email: string): Promise<void> {
  await page.goto(at('/signup'));
  await page.getByLabel('Name').fill('Ada Lovelace');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(PASSWORDS.first);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
}

async function signIn(page: Page, email: string, password: string): Promise<void> {
  await page.goto(at('/login'));
  await submitSignInForm(page, { email, password });
  await page.getByRole('heading', { name: 'Enter your code' }).waitFor();
}

async function enterCode(page: Page, code: string): Promise<void> {
  await codeField(page).fill(code);
  await page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true }).click();
}

async function setPassword(page: Page, password: string, code: string): Promise<void> {
  await page.getByRole('heading', { name: 'Choose a new password' }).waitFor();
  await page.getByLabel('New password').fill(password);
  await page.getByLabel('Code from your authenticator').fill(code);
  await page.getByRole('button', { name: 'Set password and sign in' }).click();
}

async function signOut(page: Page): Promise<void> {
  await page.locator('header summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out.').waitFor();
}

/** Presses the buttons of the provider's pages, and waits for the redirect back. */
async function answerAtProvider(page: Page): Promise<void> {
  await page.waitForURL(`${acme.issuer}/interaction/*`);
  await page.getByRole('button', { name: 'Sign in as' }).click();
  await page.getByRole('button', { name: 'Allow' }).click();
  await page.waitForURL(at('/**'));
}

const codeField = (page: Page) => page.getByLabel('Code', { exact: true });
const greeting = (page: Page) => page.getByRole('heading', { name: 'Hello, Ada Lovelace' });

const readMails = new Set<unknown>();

/** Waits for the oldest unread mail with this address and subject. Returns its code, link and key. */
async function mailTo(address: string, subject: string) {
  const find = () =>
    mailServer.arrived.find(
      (mail) =>
        !readMails.has(mail) && mail.recipients.includes(address) && mail.subject === subject,
    );
  await expect
    .poll(find, { timeout: PATIENCE_MS, message: `a mail to ${address}: ${subject}` })
    .toBeDefined();
  const mail = find()!;
  readMails.add(mail);
  const text = mail.text ?? '';
  const code = /^\d{8}$/m.exec(text)?.[0] ?? '';
  const link = /https?:\/\/[^\s<>"]+#[^\s<>"]+/.exec(text)?.[0] ?? '';
  return { code, link, key: link.split('#')[1] ?? '' };
}
