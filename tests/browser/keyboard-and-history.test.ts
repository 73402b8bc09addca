import type { Page, Request } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { SAFARI_ON_IPHONE } from '../fixtures/browser-like.ts';
import { useChromium } from '../fixtures/chromium.ts';
import { signInOnPage } from '../fixtures/sign-in-form.ts';
import { signIn, signUp, type TestUser } from '../fixtures/users.ts';

const chromium = useChromium();
let application: TestApplication;
let user: TestUser;
beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application);
});
afterAll(() => application.close());

test('after signing out, the Back button shows no private page', async () => {
  const page = await openSignedIn();
  await page.goto(`${application.origin}/settings/profile`);
  await page.goto(`${application.origin}/settings/data`);
  await page.locator('header summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByText('You are signed out.').waitFor();

  await page.goBack();
  await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
  expect(await page.content()).not.toContain(user.email);
});

test('a form can be submitted by keyboard, and the focus moves to the first error', async () => {
  const page = await chromium.openDevice();
  await page.goto(`${application.origin}/login`);
  await page.waitForLoadState('networkidle');
  await page.keyboard.press('Tab');
  expect(await focusedText(page)).toBe('Skip to the content');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('no address');
  await page.keyboard.press('Enter');
  await page.getByText('Enter an e-mail address like').waitFor();
  expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('email');
  expect(await page.getByLabel('E-mail').inputValue()).toBe('no address');
});

test('a dialog keeps the focus, and Escape closes it', async () => {
  const page = await openSignedIn();
  await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
  await page.goto(`${application.origin}/settings/sessions`);
  await page.getByRole('link', { name: 'Sign out everywhere else' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  for (let presses = 0; presses < 6; presses += 1) {
    await page.keyboard.press('Tab');
    const isInDialog = await page.evaluate(
      () => document.activeElement === document.body || !!document.activeElement?.closest('dialog'),
    );
    expect(isInDialog).toBe(true);
  }
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  expect(new URL(page.url()).pathname).toBe('/settings/sessions');
});

test('the menu can be opened and closed by keyboard', async () => {
  const page = await openSignedIn();
  await page.locator('header summary').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Sign out' }).waitFor({ state: 'hidden' });
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('SUMMARY');
});

test('without a network, an offline page is shown', async () => {
  const page = await openSignedIn();
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  // Wait for the page's own requests before going offline. Its event stream never ends.
  const asked: Request[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/__manifest')) asked.push(request);
  });
  await page.reload();
  await expect.poll(() => asked.length).toBeGreaterThan(0);
  for (const request of asked) await request.response();
  await expect.poll(() => application.application.streams.count()).toBe(1);
  await page.context().setOffline(true);
  await page.goto(`${application.origin}/settings/profile`);
  await page.getByRole('heading', { name: 'You are offline' }).waitFor();
  const cachedPaths = await page.evaluate(async () => {
    const names = await caches.keys();
    const all = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
    return all.flat().map(({ url }) => new URL(url).pathname);
  });
  expect(cachedPaths.sort()).toEqual(['/offline.css', '/offline.html']);
  await page.context().setOffline(false);
  await page.getByRole('link', { name: 'Try again' }).click();
  await page.getByRole('heading', { name: 'Profile' }).waitFor();
});

test('times are shown as words, with the exact time as their title', async () => {
  const page = await openSignedIn();
  const other = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
  application.clock.advance(3 * 60_000);
  await page.goto(`${application.origin}/settings/sessions`);
  const time = page.getByText(/^Active 3 minutes ago/).first();
  expect(await time.getAttribute('title')).toMatch(/^21 November 2026 at \d\d:\d\d:\d\d /);
  expect(await time.getAttribute('datetime')).toMatch(/^2026-11-21T/);
  await other.post('/logout', {});
});

async function openSignedIn(): Promise<Page> {
  const page = await chromium.openDevice();
  await signInOnPage(page, application, user);
  return page;
}

async function focusedText(page: Page): Promise<string> {
  return page.evaluate(() => document.activeElement?.textContent ?? '');
}
