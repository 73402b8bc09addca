import type { Page } from 'playwright';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { expectAccessible } from '../fixtures/accessible.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { SAFARI_ON_IPHONE } from '../fixtures/browser-like.ts';
import { expectOnceWithin } from '../fixtures/best-round.ts';
import { useChromium } from '../fixtures/chromium.ts';
import { signInOnPage } from '../fixtures/sign-in-form.ts';
import { signIn, signUp, type TestUser } from '../fixtures/users.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const SECOND_MS = 1000;
const SESSIONS = '/settings/sessions';
const ELSEWHERE = 'You were signed out from another device.';

const chromium = useChromium();
let application: TestApplication;
let user: TestUser;
beforeAll(async () => {
  application = await startApplication();
});
beforeEach(async () => {
  user = await signUp(application, { name: 'Augusta Ada' });
});
afterAll(() => application.close());

const streams = () => application.application.streams;
const tick = () => streams().tick(application.clock.now());
/** Waits until exactly this many event streams are open. */
const waitForStreams = (count = 1) => expect.poll(() => streams().count()).toBe(count);

/** Opens three tabs of one browser on different private pages. */
async function openThreeTabs(): Promise<Page[]> {
  const first = await openSignedIn();
  const tabs = [first, await first.context().newPage(), await first.context().newPage()];
  const paths = [SESSIONS, '/settings/profile', '/'];
  await Promise.all(tabs.map((tab, index) => tab.goto(application.origin + paths[index]!)));
  await Promise.all(tabs.map((tab) => tab.getByText(user.name).first().waitFor()));
  await waitForStreams();
  await Promise.all(tabs.map(waitForListeners));
  return tabs;
}

const endAllOthers = () => user.browser.post(`${SESSIONS}/others/sign-out`, {});
/** Resolves to the time of the next event of the feed, in milliseconds since 1970. */
const nextFeedEvent = () =>
  new Promise<number>((resolve) => {
    const stop = application.application.feed.subscribe(() => {
      stop();
      resolve(Date.now());
    });
  });
/** Makes a tab record when the user's menu disappears, because polling from outside is too slow. */
const recordClearing = (tab: Page) =>
  tab.evaluate(() => {
    new MutationObserver(() => {
      if (document.querySelector('header summary') || sessionStorage.clearedAtMs) return;
      sessionStorage.clearedAtMs = String(Date.now());
    }).observe(document.body, { childList: true, subtree: true });
  });
const clearedAtMs = async (tab: Page) =>
  Number(await tab.evaluate(() => sessionStorage.clearedAtMs as string));
/** Returns a function for the milliseconds between the next feed event and the clearing of the last tab. */
async function measureClearing(tabs: Page[]): Promise<() => Promise<number>> {
  await Promise.all(tabs.map(recordClearing));
  const event = nextFeedEvent();
  return async () => Math.max(...(await Promise.all(tabs.map(clearedAtMs)))) - (await event);
}
const atLogin = (tab: Page) => tab.waitForURL(/\/login\b/);

test('all three tabs of a browser show within a second that another device signed them out', async () => {
  await expectOnceWithin(SECOND_MS, async () => {
    const tabs = await openThreeTabs();
    expect(streams().count()).toBe(1);
    const clearedAfterMs = await measureClearing(tabs);
    await endAllOthers();
    for (const tab of tabs) {
      await atLogin(tab);
      await tab.getByText(ELSEWHERE).waitFor();
      expect(await tab.content()).not.toContain(user.email);
    }
    await waitForStreams(0);
    return clearedAfterMs();
  });
});

test('after a sign-out from another device, the Back button shows no private page', async () => {
  const page = await openSignedIn();
  await page.goto(`${application.origin}/settings/profile`);
  await page.goto(application.origin + SESSIONS);
  await page.getByRole('link', { name: 'Your data' }).first().click();
  await page.getByRole('heading', { name: 'Your data' }).waitFor();
  await waitForStreams();
  await waitForListeners(page);
  await endAllOthers();
  await atLogin(page);
  await page.getByText(ELSEWHERE).waitFor();
  for (let steps = 0; steps < 2; steps += 1) {
    await page.goBack();
    await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
    expect(await page.content()).not.toContain(user.email);
  }
  await page.goBack();
  await page.getByRole('heading', { name: 'Know who holds' }).waitFor();
  expect(await page.content()).not.toContain(user.email);
});

// Chromium does not use its back/forward cache in a test, so the test dispatches the page events itself.
test('a page from the back/forward cache stays hidden until its session is known to be live', async () => {
  const page = await openSignedIn();
  await page.goto(`${application.origin}/settings/profile`);
  await waitForStreams();
  await waitForListeners(page);
  await dispatchPageEvent(page, 'pagehide');
  expect(await page.getByRole('heading', { name: 'Profile' }).isVisible()).toBe(false);
  await waitForStreams(0);
  await dispatchPageEvent(page, 'pageshow');
  await page.getByRole('heading', { name: 'Profile' }).waitFor();
  await waitForStreams();

  await dispatchPageEvent(page, 'pagehide');
  await waitForStreams(0);
  await endAllOthers();
  expect(await page.getByRole('heading', { name: 'Profile' }).isVisible()).toBe(false);
  await dispatchPageEvent(page, 'pageshow');
  await atLogin(page);
  await page.getByText(ELSEWHERE).waitFor();
});

test('signing out in one tab signs out the other tabs, and that tab follows its own redirect', async () => {
  await expectOnceWithin(SECOND_MS, async () => {
    const [first, ...others] = await openThreeTabs();
    await first!.locator('header summary').click();
    const clearedAfterMs = await measureClearing(others);
    await first!.getByRole('button', { name: 'Sign out', exact: true }).click();
    for (const tab of others) {
      await atLogin(tab);
      await tab.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
      expect(await tab.content()).not.toContain(user.email);
    }
    await expect.poll(() => new URL(first!.url()).pathname).toBe('/');
    await first!.getByText('You are signed out.').waitFor();
    return clearedAfterMs();
  });
});

test('a page whose form is being sent shows that its session ended, with a link to sign in', async () => {
  const page = await openSignedIn();
  await page.goto(`${application.origin}/settings/profile`);
  await waitForStreams();
  await waitForListeners(page);
  const isClosed = new Promise<void>((resolve) => page.once('close', () => resolve()));
  await page.route('**/*', async (route) => {
    if (route.request().method() === 'POST') await isClosed;
    await route.fallback().catch(() => {
      // The page is closed.
    });
  });
  await page.getByRole('button', { name: 'Save' }).first().click();
  await endAllOthers();
  await page.getByRole('heading', { name: 'You are signed out.' }).waitFor();
  await expectAccessible(page, 'a page whose session ended', 'page-that-is-over');
  const signIn = page.getByRole('link', { name: 'Sign in' });
  expect(await signIn.getAttribute('href')).toBe('/login?redirectTo=%2Fsettings%2Fprofile');
  await page.close();
});

test('signing out in one browser leaves another browser of the same user signed in', async () => {
  const staying = await openSignedIn();
  const leaving = await openSignedIn();
  await waitForStreams(2);
  await waitForListeners(leaving);
  await leaving.locator('header summary').click();
  await leaving.getByRole('button', { name: 'Sign out', exact: true }).click();
  await leaving.getByText('You are signed out.').waitFor();
  await waitForStreams(1);
  await staying.goto(application.origin + SESSIONS);
  await staying.getByRole('heading', { name: 'Your sessions' }).waitFor();
});

test('the sessions page updates itself, and keeps the focus and an open dialog', async () => {
  const page = await openSignedIn();
  await page.goto(application.origin + SESSIONS);
  await waitForStreams();
  await waitForListeners(page);
  const devices = page.getByRole('list', { name: 'Signed-in devices' }).getByRole('listitem');
  await expect.poll(() => devices.count()).toBe(2);
  const named = page.getByRole('link', { name: /^Name / }).first();
  await named.focus();

  const phone = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
  const phoneRow = devices.filter({ hasText: 'Safari on iPhone' });
  await phoneRow.waitFor();
  expect(await devices.count()).toBe(3);
  expect(await named.evaluate((link) => link === document.activeElement)).toBe(true);

  await page.getByRole('link', { name: 'Sign out everywhere else' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await phone.post('/logout', {});
  await phoneRow.waitFor({ state: 'detached' });
  expect(await dialog.isVisible()).toBe(true);
  expect(await devices.count()).toBe(2);
});

test('two minutes before it expires, a session can be extended by keyboard', async () => {
  const page = await openSignedIn();
  const other = await page.context().newPage();
  for (const tab of [other, page]) {
    await tab.goto(`${application.origin}/settings/profile`);
    await waitForListeners(tab);
  }
  await waitForStreams();
  application.clock.advance(58 * MINUTE_MS);
  tick();
  const notice = page.getByRole('alertdialog', { name: 'You will be signed out in 2 minutes' });
  await notice.waitFor();
  await other.getByRole('alertdialog').waitFor();
  await expectAccessible(page, 'the notice before expiry', 'about-to-expire');

  await page.bringToFront();
  await expect
    .poll(() => page.evaluate(() => document.activeElement?.textContent))
    .toBe('Stay signed in');
  await page.keyboard.press('Enter');
  await notice.waitFor({ state: 'detached' });
  await other.getByRole('alertdialog').waitFor({ state: 'detached' });
  application.clock.advance(HOUR_MS - 3 * MINUTE_MS);
  await page.reload();
  await page.getByRole('heading', { name: 'Profile' }).waitFor();
});

test('the notice before expiry does not take the focus from a field, and expiry is explained', async () => {
  const page = await openSignedIn();
  await page.goto(`${application.origin}/settings/profile`);
  await waitForStreams();
  await waitForListeners(page);
  await page.getByLabel('Name', { exact: true }).focus();
  application.clock.advance(58 * MINUTE_MS);
  tick();
  await page.getByRole('alertdialog').waitFor();
  await page.keyboard.type('!');
  expect(await page.getByLabel('Name', { exact: true }).inputValue()).toContain('!');
  application.clock.advance(2 * MINUTE_MS);
  tick();
  await atLogin(page);
  await page.getByText('You were signed out because you were inactive for a while.').waitFor();
});

test('a session can be extended while a dialog is open', async () => {
  const page = await openSignedIn();
  await page.goto(`${application.origin}${SESSIONS}/others/sign-out`);
  await waitForStreams();
  await waitForListeners(page);
  application.clock.advance(58 * MINUTE_MS);
  tick();
  await page.getByRole('button', { name: 'Stay signed in' }).click();
  await page.getByRole('alertdialog').waitFor({ state: 'detached' });
  expect(await page.getByRole('dialog').isVisible()).toBe(true);
});

test.each([
  ['SharedWorker', ['SharedWorker']],
  ['SharedWorker and BroadcastChannel', ['SharedWorker', 'BroadcastChannel']],
])('without %s, tabs are signed out live too', async (_what, missing) => {
  const first = await chromium.openDevice();
  await first.context().addInitScript((names) => {
    for (const name of names) Reflect.deleteProperty(window, name);
  }, missing);
  await signInOnPage(first, application, user);
  const second = await first.context().newPage();
  for (const tab of [first, second]) await tab.goto(application.origin + SESSIONS);
  await waitForStreams(missing.length === 1 ? 1 : 2);
  await Promise.all([first, second].map(waitForListeners));
  if (missing.length === 1) {
    // Close the tab that holds the stream; another one takes over.
    await first.close();
    await waitForStreams(1);
    await waitForListeners(second);
  }
  await endAllOthers();
  await atLogin(second);
  await second.getByText(ELSEWHERE).waitFor();
});

test('without scripts, the next click shows that the session ended', async () => {
  const page = await openSignedIn({ scripts: false });
  await page.goto(`${application.origin}/settings/profile`);
  await endAllOthers();
  expect(await page.content()).toContain(user.name);
  await page.getByRole('link', { name: 'Signing in' }).first().click();
  await page.getByText(ELSEWHERE).waitFor();
});

test('the login page loads no live scripts and opens no event stream', async () => {
  const page = await chromium.openDevice();
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`${application.origin}/login`);
  await page.waitForLoadState('networkidle');
  expect(asked.filter((url) => /live-session|session-worker|events/.test(url))).toEqual([]);
  expect(streams().count()).toBe(0);
});

/** Waits until the page's live script has loaded and listens: it would miss earlier events. */
async function waitForListeners(page: Page): Promise<void> {
  await page.waitForFunction(() =>
    performance.getEntriesByType('resource').some(({ name }) => name.includes('/live-session-')),
  );
  await page.evaluate(
    () => new Promise((resolve) => requestIdleCallback(() => setTimeout(resolve, 100))),
  );
}

async function dispatchPageEvent(page: Page, event: 'pagehide' | 'pageshow'): Promise<void> {
  await page.evaluate(
    (type) => window.dispatchEvent(new PageTransitionEvent(type, { persisted: true })),
    event,
  );
}

async function openSignedIn(options: { scripts?: boolean } = {}): Promise<Page> {
  const page = await chromium.openDevice(options);
  await signInOnPage(page, application, user);
  return page;
}
