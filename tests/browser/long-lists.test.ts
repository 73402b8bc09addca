import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { useChromium } from '../fixtures/chromium.ts';
import { signIn, signUp, type TestUser } from '../fixtures/users.ts';

const DEVICES = 40;

const chromium = useChromium();
let application: TestApplication;
let user: TestUser;
beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application);
  for (let count = 1; count < DEVICES; count += 1) await signIn(application, user);
});
afterAll(() => application.close());

async function openSignedIn(path: string): Promise<Page> {
  const page = await chromium.openDevice();
  const value = (await user.browser.sessionToken()) ?? '';
  await page.context().addCookies([{ name: 'session', value, url: application.origin }]);
  const asked = page.waitForResponse((response) => response.url().includes('/__manifest?'));
  await page.goto(application.origin + path);
  expect((await asked).status()).toBe(200);
  return page;
}

test('a page with forty devices requests no more routes than the server allows', async () => {
  const page = await openSignedIn('/settings/sessions');
  const list = page.getByRole('list', { name: 'Signed-in devices' });
  expect(await list.getByRole('listitem').count()).toBeGreaterThan(20);
  await list
    .getByRole('link', { name: /^Sign out/ })
    .last()
    .click();
  await page.getByRole('heading', { name: /^Sign out/ }).waitFor();
});

test('a page with forty sign-ins requests no more routes than the server allows', async () => {
  const page = await openSignedIn('/settings/activity');
  const links = page.getByRole('link', { name: /^This wasn’t me/ });
  expect(await links.count()).toBeGreaterThan(20);
  await links.last().click();
  await page.getByRole('heading', { name: /wasn’t/ }).waitFor();
});
