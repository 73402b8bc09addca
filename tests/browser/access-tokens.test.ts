import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askApi } from '../fixtures/api-client.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { useChromium } from '../fixtures/chromium.ts';
import { signUp } from '../fixtures/users.ts';

const chromium = useChromium();
let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

describe.each([
  { mode: 'with scripts', scripts: true },
  { mode: 'without scripts', scripts: false },
])('$mode', ({ scripts }) => {
  test('a user creates a token, sees it once, uses it, and revokes it', async () => {
    const user = await signUp(application);
    const page = await chromium.openDevice({ scripts });
    const main = page.getByRole('main');
    const at = (path: string) => application.origin + path;
    await page.goto(at('/login?redirectTo=%2Fsettings%2Ftokens'));
    await page.getByLabel('E-mail').fill(user.email);
    await page.getByLabel('Password').fill(user.password);
    await main.getByRole('button', { name: 'Sign in', exact: true }).click();

    await page.getByRole('link', { name: 'Make a token' }).click();
    await page.getByLabel('What is it for?').fill('Backup script');
    await page.getByLabel('In 90 days').check();
    await main.getByRole('button', { name: 'Make token' }).click();
    // The form keeps its input when it shows the error.
    await page.getByText('Choose at least one').waitFor();
    expect(await page.getByLabel('What is it for?').inputValue()).toBe('Backup script');
    expect(await page.getByLabel('In 90 days').isChecked()).toBe(true);
    await page.getByLabel('See sessions').check();
    await main.getByRole('button', { name: 'Make token' }).click();

    await page.getByRole('heading', { name: 'Take your token along' }).waitFor();
    const token = await page.getByLabel('Access token').innerText();
    if (scripts) {
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      await page.getByRole('button', { name: 'Copy' }).click();
      await page.getByRole('button', { name: 'Copied' }).waitFor();
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(token);
    }
    expect((await askApi(application, 'GET /api/session', { token })).status).toBe(200);
    await page.reload();
    await page.getByText('It is shown once').waitFor();
    expect(await page.content()).not.toContain(token);

    await page.getByRole('link', { name: 'Your access tokens' }).click();
    await page.getByRole('link', { name: 'Revoke Backup script' }).click();
    await page.getByRole('heading', { name: 'Revoke Backup script?' }).waitFor();
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('A token lets a program of yours').waitFor();
    expect((await askApi(application, 'GET /api/session', { token })).status).toBe(401);
  });
});
