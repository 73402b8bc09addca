import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { FIREFOX_ON_MAC, SAFARI_ON_IPHONE } from '../fixtures/browser-like.ts';
import { submitSignInForm } from '../fixtures/sign-in-form.ts';
import { unzip } from '../fixtures/zip.ts';
import { PHONE, useChromium } from '../fixtures/chromium.ts';
import { mailboxOf } from '../fixtures/users.ts';

const chromium = useChromium();
let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

const PASSWORD = 'correct horse battery staple';
const QUARTER_HOUR_MS = 15 * 60_000;
const NEW_PASSWORD = 'a lighthouse keeps its own hours';

describe.each([
  { mode: 'with scripts', scripts: true },
  { mode: 'without scripts', scripts: false },
])('the main path, $mode', ({ scripts }) => {
  const email = `ada-${scripts ? 'with' : 'without'}@example.com`;

  test('a user signs a phone out from a laptop, downloads the data, and deletes the account', async () => {
    const laptop = await chromium.openDevice({ scripts, userAgent: FIREFOX_ON_MAC });
    const phone = await chromium.openDevice({
      scripts,
      viewport: PHONE,
      userAgent: SAFARI_ON_IPHONE,
    });
    const at = (path: string) => application.origin + path;
    /** Waits for the reason of a sign-out: on the open page with scripts, after the next click without. */
    const expectReason = async (page: Page, reason: string, next?: string) => {
      if (!scripts) await page.goto(next ? at(next) : page.url());
      await page.getByText(reason).waitFor();
      if (scripts) await page.waitForLoadState('networkidle');
    };

    // Sign up on the laptop.
    await laptop.goto(at('/'));
    await laptop.getByRole('link', { name: 'Create your account' }).click();
    await laptop.getByLabel('Name').fill('Ada Lovelace');
    await laptop.getByLabel('E-mail').fill(email);
    await laptop.getByLabel('Password').fill(PASSWORD);
    await laptop.getByRole('button', { name: 'Create account' }).click();
    await laptop.getByRole('heading', { name: 'Check your mail' }).waitFor();
    const mail = await mailboxOf(application).nextMailTo(email, 'sign-up-code');
    await laptop.getByRole('textbox', { name: 'Code' }).fill(String(mail.code));
    await laptop.getByRole('button', { name: 'Create account' }).click();
    await laptop.getByRole('heading', { name: 'Hello, Ada Lovelace' }).waitFor();
    await expectToast(laptop, 'Welcome. Your account is ready.');

    // Sign in on the phone, first with a wrong password. The form keeps its input.
    await phone.goto(at('/login'));
    await submitSignInForm(phone, { email, password: 'not the password' });
    await phone.getByText('Wrong e-mail or password.').waitFor();
    expect(await phone.getByLabel('E-mail').inputValue()).toBe(email);
    await phone.getByLabel('Remember me').check();
    await submitSignInForm(phone, { email, password: PASSWORD });
    await phone.getByRole('heading', { name: 'Hello, Ada Lovelace' }).waitFor();

    // On the laptop, see both devices and name the phone.
    await laptop.getByRole('main').getByRole('link', { name: 'Your sessions' }).click();
    const list = laptop.getByRole('list', { name: 'Signed-in devices' });
    await expectRows(list.getByRole('listitem'), [
      /^Firefox on MacThis device/,
      /^Safari on iPhone/,
    ]);
    await laptop.getByRole('link', { name: 'Name Safari on iPhone' }).click();
    await laptop.getByLabel('Name', { exact: true }).fill('x'.repeat(41));
    await laptop.getByRole('button', { name: 'Save name' }).click();
    await laptop.getByText('Use at most 40 characters.').waitFor();
    expect(await laptop.getByLabel('Name', { exact: true }).inputValue()).toBe('x'.repeat(41));
    await laptop.getByLabel('Name', { exact: true }).fill('Ada’s pocket');
    await laptop.getByRole('button', { name: 'Save name' }).click();
    await expectToast(laptop, 'The device is now called Ada’s pocket.');

    // Sign out the phone. It shows the reason, and returns to its page after signing in.
    await phone.goto(at('/settings/profile'));
    await laptop.getByRole('link', { name: 'Sign out Ada’s pocket' }).click();
    await laptop.getByRole('heading', { name: 'Sign out Ada’s pocket?' }).waitFor();
    await laptop.getByRole('button', { name: 'Sign out' }).last().click();
    await expectToast(laptop, 'Ada’s pocket is signed out.');
    await expectRows(list.getByRole('listitem'), [/^Firefox on MacThis device/]);
    await expectReason(phone, 'You were signed out from another device.');
    await submitSignInForm(phone, { email, password: PASSWORD });
    await phone.getByRole('heading', { name: 'Profile' }).waitFor();

    // Ended sessions are listed in a closed section.
    await laptop.goto(at('/settings/sessions'));
    await laptop.getByText('Recently ended').click();
    await laptop.getByText('Signed out from another device').waitFor();

    // Sign out everywhere else. The dialog shows the number of devices.
    await laptop.getByRole('link', { name: 'Sign out everywhere else' }).click();
    await laptop.getByRole('heading', { name: 'Sign out 1 other device?' }).waitFor();
    await laptop.getByRole('button', { name: 'Sign it out' }).click();
    await expectToast(laptop, '1 other device is signed out.');
    await expectReason(phone, 'You were signed out from another device.');
    await phone.getByRole('link', { name: 'Latchkey, home' }).click();
    await phone.getByRole('link', { name: 'Create your account' }).waitFor();

    // Change the profile.
    await laptop.goto(at('/settings/profile'));
    await laptop.getByLabel('Name').fill('Augusta Ada King');
    await laptop.getByRole('button', { name: 'Save' }).click();
    await expectToast(laptop, 'Your profile is saved.');
    expect(await laptop.locator('header summary').innerText()).toContain('Augusta Ada King');

    // Change the password, which signs out everywhere else.
    await phone.goto(at('/login'));
    await submitSignInForm(phone, { email, password: PASSWORD });
    await phone.getByRole('heading', { name: 'Hello, Augusta' }).waitFor();
    await laptop.goto(at('/settings/password'));
    await laptop.getByLabel('New password').fill(NEW_PASSWORD);
    expect(await laptop.getByLabel('Sign out everywhere else').isChecked()).toBe(true);
    await laptop.getByRole('button', { name: 'Change password' }).click();
    await expectToast(laptop, 'Your password is changed. 1 other device is signed out.');
    const reason = 'You were signed out because your password was changed.';
    await expectReason(phone, reason, '/settings/data');

    // Download the data 15 minutes later: after re-authentication the download continues by itself.
    application.clock.advance(QUARTER_HOUR_MS);
    await laptop.goto(at('/settings/data'));
    await laptop.getByRole('button', { name: 'Download your data' }).click();
    await laptop.getByRole('heading', { name: 'Confirm that it is you' }).waitFor();
    await laptop.getByLabel('Your password').fill(PASSWORD);
    await laptop.getByRole('button', { name: 'Go on' }).click();
    await laptop.getByText('This is not your password.').waitFor();
    await laptop.getByLabel('Your password').fill(NEW_PASSWORD);
    const [download] = await Promise.all([
      laptop.waitForEvent('download'),
      laptop.getByRole('button', { name: 'Go on' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('latchkey-data-2026-11-21.zip');
    const files = unzip(await readFile(await download.path()));
    const data = JSON.parse(files.get('data.json')!.toString('utf8')) as {
      profile: { email: string };
      sessions: unknown[];
    };
    expect(data.profile.email).toBe(email);
    expect(data.sessions).toHaveLength(4);

    // Sign out with the menu, and sign in again.
    await laptop.goto(at('/settings/data'));
    await laptop.locator('header summary').click();
    await laptop.getByRole('button', { name: 'Sign out' }).click();
    await expectToast(laptop, 'You are signed out.');
    await laptop.goto(at('/settings/data'));
    await submitSignInForm(laptop, { email, password: NEW_PASSWORD });

    // Delete the account. The page lists what is deleted, and asks for the e-mail.
    await laptop.getByRole('link', { name: 'Delete your account' }).click();
    await laptop.getByText('5 sessions on record').waitFor();
    await laptop.getByLabel('Type your e-mail').fill(`x${email}`);
    await laptop.getByRole('button', { name: 'Delete my account' }).click();
    await laptop.getByText('This is not the e-mail of this account.').waitFor();
    expect(await laptop.getByLabel('Type your e-mail').inputValue()).toBe(`x${email}`);
    await laptop.getByLabel('Type your e-mail').fill(email);
    await laptop.getByRole('button', { name: 'Delete my account' }).click();
    await laptop.getByRole('heading', { name: 'Your account is deleted' }).waitFor();
    await laptop.goto(at('/login'));
    await submitSignInForm(laptop, { email, password: NEW_PASSWORD });
    await laptop.getByText('Wrong e-mail or password.').waitFor();
    const { client } = application.database;
    expect(await client.user.count({ where: { email } })).toBe(0);
    expect(await client.session.count({ where: { user: { email } } })).toBe(0);
  });
});

async function expectToast(page: Page, text: string) {
  await page.getByRole('status').filter({ hasText: text }).waitFor();
}

async function expectRows(rows: ReturnType<Page['getByRole']>, patterns: RegExp[]) {
  await rows.nth(patterns.length - 1).waitFor();
  await rows.nth(patterns.length).waitFor({ state: 'detached' });
  const texts = (await rows.allInnerTexts()).map((text) => text.replaceAll('\n', ''));
  expect(texts).toEqual(patterns.map((pattern) => expect.stringMatching(pattern) as string));
}
