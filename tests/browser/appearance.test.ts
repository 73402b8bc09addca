import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectAccessible } from '../fixtures/accessible.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { useChromium } from '../fixtures/chromium.ts';
import { userWithEveryPage, publicPages } from '../fixtures/every-page.ts';
import { submitSignInForm } from '../fixtures/sign-in-form.ts';
import type { TestUser } from '../fixtures/users.ts';

const chromium = useChromium();
let application: TestApplication;
let user: TestUser;
let privatePages: string[];

beforeAll(async () => {
  application = await startApplication();
  ({ user, privatePages } = await userWithEveryPage(application));
});
afterAll(() => application.close());

test('every page is accessible and fits the window', { timeout: 180_000 }, async () => {
  const page = await chromium.openDevice({ reducedMotion: 'reduce' });
  const look = async (path: string, state: string) => {
    await page.goto(application.origin + path);
    await expectAccessible(page, `${state} ${path}`, state + path.replaceAll(/[^\w]+/g, '-'));
  };
  for (const path of publicPages) await look(path, 'signed-out');

  await page.goto(`${application.origin}/login`);
  await page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('Enter your password.').waitFor();
  await expectAccessible(page, 'a form with errors');

  await submitSignInForm(page, user);
  await page.getByRole('heading', { name: 'Hello' }).waitFor();
  for (const path of privatePages) await look(path, 'signed-in');

  await page.goto(`${application.origin}/settings/sessions`);
  await page.locator('header summary').click();
  await page.getByText('Recently ended').click();
  await expectAccessible(page, 'with the menu and details open');
});

test.each([true, false])(
  'a chosen theme is applied and remembered (scripts: %s)',
  async (scripts) => {
    const page = await chromium.openDevice({ scripts, colorScheme: 'light' });
    await page.goto(`${application.origin}/login`);
    const light = await backgroundColor(page);
    await page.getByRole('button', { name: 'Dark' }).click();
    await page.locator('html[data-theme="dark"]').waitFor();
    const dark = await backgroundColor(page);
    expect(dark).not.toBe(light);
    expect(new URL(page.url()).pathname).toBe('/login');
    // With scripts the theme shows before the form is sent, and leaving at once would cancel the request.
    await page.waitForLoadState('networkidle');

    await page.goto(`${application.origin}/signup`);
    expect(await backgroundColor(page)).toBe(dark);
    await page.getByRole('button', { name: 'As the system' }).click();
    await page.locator('html[data-theme="system"]').waitFor();
    expect(await backgroundColor(page)).toBe(light);
  },
);

async function backgroundColor(page: Page): Promise<string> {
  return page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
}
