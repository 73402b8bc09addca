import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible } from '../fixtures/accessible.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { codeOf } from '../fixtures/authenticator.ts';
import { useChromium } from '../fixtures/chromium.ts';
import { submitSignInForm } from '../fixtures/sign-in-form.ts';
import { PASSWORD, signUp } from '../fixtures/users.ts';

const STEP_MS = 30_000;
const CODE = /^[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}$/;

const chromium = useChromium();
let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

const at = (path: string) => application.origin + path;
/** Signs up a new user, and signs them in on this page. */
const signUpOn = async (page: Page, email: string) => {
  await signUp(application, { email, password: PASSWORD });
  await enterPassword(page, email);
  await page.getByRole('heading', { name: 'Hello, Ada Lovelace' }).waitFor();
};
const enterPassword = async (page: Page, email: string) => {
  await page.goto(at('/login'));
  await submitSignInForm(page, { email, password: PASSWORD });
};
const signInOn = async (page: Page, email: string) => {
  await enterPassword(page, email);
  await page.getByRole('heading', { name: 'Enter your code' }).waitFor();
};
const signOutOn = async (page: Page) => {
  await page.locator('header summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out.').waitFor();
};
const secretOn = async (page: Page) => {
  const uri = await page.getByRole('link', { name: 'Open it there' }).getAttribute('href');
  return new URL(uri!).searchParams.get('secret')!;
};
const nextCode = (secret: string) => {
  application.clock.advance(STEP_MS);
  return codeOf(secret, application.clock.now());
};
const codeField = (page: Page) => page.getByLabel('Code', { exact: true });
const codesOn = (page: Page) =>
  page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allInnerTexts();

describe.each([
  { mode: 'with scripts', scripts: true },
  { mode: 'without scripts', scripts: false },
])('two-factor sign-in, $mode', ({ scripts }) => {
  const email = `grace-${scripts ? 'with' : 'without'}@example.com`;

  test('a user sets up two-factor sign-in, uses codes and a recovery code, and turns it off', async () => {
    const page = await chromium.openDevice({ scripts });
    await signUpOn(page, email);

    // Set it up, with a wrong code first.
    await page.goto(at('/settings/two-factor'));
    await page.getByRole('link', { name: 'Set it up' }).click();
    await page.getByRole('img', { name: /^QR code/ }).waitFor();
    const secret = await secretOn(page);
    expect(
      (await page.getByRole('group', { name: 'type this key' }).innerText()).replaceAll(/\s/g, ''),
    ).toBe(secret);
    await codeField(page).fill('12345');
    await page.getByRole('button', { name: 'Turn it on' }).click();
    await page.getByText('Enter the 6 digits that your app shows.').waitFor();
    expect(await secretOn(page)).toBe(secret);
    const first = codeOf(secret, application.clock.now());
    await codeField(page).fill(`${first.slice(0, 3)} ${first.slice(3)}`);
    await page.getByRole('button', { name: 'Turn it on' }).click();

    // Download the recovery codes, which are shown once.
    await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
    const codes = await codesOn(page);
    expect(codes).toHaveLength(10);
    for (const code of codes) expect(code).toMatch(CODE);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('latchkey-recovery-codes.txt');
    const file = await readFile(await download.path(), 'utf8');
    for (const code of codes) expect(file).toContain(code);
    // "Done" needs the check mark.
    await page.getByRole('button', { name: 'Done' }).click();
    expect(new URL(page.url()).pathname).toBe('/settings/two-factor/recovery-codes');
    expect(await codesOn(page)).toEqual(codes);
    await page.getByLabel('I have saved them').check();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByText('10 of 10 left.').waitFor();
    await page.goto(at('/settings/two-factor/recovery-codes'));
    await page.getByText('They are shown once').waitFor();

    // Sign in with a code, then try the same code again.
    await signOutOn(page);
    await signInOn(page, email);
    await page.getByText(`To sign in as ${email}.`).waitFor();
    const code = nextCode(secret);
    await codeField(page).fill(code);
    await page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'Hello, Ada Lovelace' }).waitFor();
    await signOutOn(page);
    await signInOn(page, email);
    await codeField(page).fill(code);
    await page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('That code is wrong or was used before.').waitFor();
    await expect.poll(() => codeField(page).inputValue()).toBe(scripts ? code : '');

    // Sign in with a recovery code.
    await page.getByRole('link', { name: 'Use a recovery code' }).click();
    await page.getByLabel('Recovery code').fill(codes[0]!);
    await page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('That recovery code is used up; 9 are left.').waitFor();

    // Make new recovery codes, then turn it off.
    await page.goto(at('/settings/two-factor'));
    await page.getByText('9 of 10 left.').waitFor();
    await page.getByRole('link', { name: 'Make new codes' }).click();
    await page.getByRole('heading', { name: 'Make new recovery codes?' }).waitFor();
    await page.getByRole('button', { name: 'Make new codes' }).click();
    await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
    const fresh = await codesOn(page);
    expect(fresh.some((each) => codes.includes(each))).toBe(false);
    await page.getByLabel('I have saved them').check();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('link', { name: 'Turn it off' }).click();
    await page.getByRole('heading', { name: 'Turn off two-factor sign-in?' }).waitFor();
    await page.getByRole('button', { name: 'Turn it off' }).click();
    await page.getByText('Signing in takes no code any more.').waitFor();
    await page.getByText('It is off.').waitFor();
  });
});

test('leaving the page of new recovery codes without saving them asks for confirmation', async () => {
  const page = await chromium.openDevice();
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await signUpOn(page, 'careless@example.com');
  await page.goto(at('/settings/two-factor/set-up'));
  await codeField(page).fill(codeOf(await secretOn(page), application.clock.now()));
  await page.getByRole('button', { name: 'Turn it on' }).click();
  await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
  const codes = await codesOn(page);
  await page.getByRole('button', { name: 'Copy' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(codes.join('\n'));

  // Another form on the page does not hide the codes.
  await page.getByRole('button', { name: 'Dark' }).click();
  await page.locator('html[data-theme="dark"]').waitFor();
  expect(await codesOn(page)).toEqual(codes);

  const question = page.getByRole('heading', { name: 'Leave without having saved them?' });
  await page.getByRole('link', { name: 'Profile' }).first().click();
  await question.waitFor();
  await page.keyboard.press('Escape');
  await question.waitFor({ state: 'hidden' });
  expect(await codesOn(page)).toEqual(codes);
  await page.getByRole('link', { name: 'Profile' }).first().click();
  await page.getByRole('button', { name: 'Stay here' }).click();
  await question.waitFor({ state: 'hidden' });
  await page.getByRole('link', { name: 'Profile' }).first().click();
  await page.getByRole('button', { name: 'Leave', exact: true }).click();
  await page.getByRole('heading', { name: 'Profile' }).waitFor();
});

test('every page of two-factor sign-in is accessible and fits the window', async () => {
  const page = await chromium.openDevice({ reducedMotion: 'reduce' });
  const email = 'everywhere@example.com';
  await signUpOn(page, email);
  const look = async (path: string) => {
    await page.goto(at(path));
    await expectAccessible(page, path);
  };
  await look('/settings/two-factor');
  await look('/settings/two-factor/set-up');
  const secret = await secretOn(page);
  await page.getByRole('button', { name: 'Turn it on' }).click();
  await page.getByText('Enter the 6 digits').waitFor();
  await expectAccessible(page, 'set-up with an error');
  await codeField(page).fill(codeOf(secret, application.clock.now()));
  await page.getByRole('button', { name: 'Turn it on' }).click();
  await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
  await expectAccessible(page, 'recovery codes');
  await page.emulateMedia({ media: 'print' });
  expect(await page.getByRole('button', { name: 'Done' }).isVisible()).toBe(false);
  expect(await page.locator('header').isVisible()).toBe(false);
  expect(await codesOn(page)).toHaveLength(10);
  await page.emulateMedia({ media: 'screen' });
  await page.getByLabel('I have saved them').check();
  for (const path of ['', '/turn-off', '/new-codes', '/recovery-codes']) {
    await look(`/settings/two-factor${path}`);
  }
  await page.goto(at('/'));
  await signOutOn(page);
  await signInOn(page, email);
  await look('/login/code');
  await look('/login/recovery-code');
});
