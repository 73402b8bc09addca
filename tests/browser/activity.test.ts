import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible } from '../fixtures/accessible.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { FIREFOX_ON_MAC, SAFARI_ON_IPHONE } from '../fixtures/browser-like.ts';
import { useChromium } from '../fixtures/chromium.ts';
import { mailbox } from '../fixtures/mailbox.ts';
import { signInOnPage } from '../fixtures/sign-in-form.ts';
import { openBrowser, signIn, signUp, type TestUser } from '../fixtures/users.ts';

const DAY_MS = 86_400_000;

const chromium = useChromium();
let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

/** Creates a user with some activity. The newest entry is a sign-in on another device. */
async function createUserWithActivity(): Promise<TestUser> {
  const user = await signUp(application, { userAgent: FIREFOX_ON_MAC });
  await user.browser.post('/settings/data/download', {});
  application.clock.advance(DAY_MS);
  for (let count = 0; count < 3; count += 1) {
    await openBrowser(application, { userAgent: 'curl/8.1' }).post('/login', {
      email: user.email,
      password: 'not this one',
    });
  }
  await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
  return user;
}

test('the activity log and its confirmation pages are accessible and fit the window', async () => {
  const user = await createUserWithActivity();
  const page = await chromium.openDevice({ reducedMotion: 'reduce' });
  const look = (what: string) => expectAccessible(page, what, what);
  await signInOnPage(page, application, user);
  await page.goto(`${application.origin}/settings/activity`);
  await page.getByText('Wrong password, 3 times').waitFor();
  await look('activity');
  await page
    .getByRole('link', { name: /This wasn.t me/ })
    .nth(1)
    .click();
  await page.getByRole('button', { name: 'Sign out everything' }).waitFor();
  await look('activity-not-me');
  await page.goto(`${application.origin}/not-me`);
  await look('not-me');
});

describe.each([
  { mode: 'with scripts', scripts: true },
  { mode: 'without scripts', scripts: false },
])('$mode', ({ scripts }) => {
  test('a user reports an unknown sign-in in the activity log, and all sessions are signed out', async () => {
    const user = await createUserWithActivity();
    const page = await chromium.openDevice({ scripts });
    await signInOnPage(page, application, user);
    await page.goto(`${application.origin}/settings/activity`);
    await page.getByRole('link', { name: /This wasn.t me: Signed in, Safari/ }).click();
    await page.getByRole('heading', { name: 'This wasn’t you?' }).waitFor();
    await page.getByRole('button', { name: 'Sign out everything' }).click();
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
    await page.goto(`${application.origin}/settings/activity`);
    await page.getByRole('heading', { name: 'Sign in', exact: true }).waitFor();
  });

  test('the "not me" link of a mail fills in the key, which is removed from the address', async () => {
    const user = await createUserWithActivity();
    const box = mailbox(application);
    const isNotMe = (link: string) => link.includes('/not-me#');
    let link: string | undefined;
    while (!link) link = (await box.nextMailTo(user.email, 'notice')).links.find(isNotMe);
    const page = await chromium.openDevice({ scripts });
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url(), request.headers().referer ?? ''));
    await page.goto(link);
    const key = page.getByLabel('Key', { exact: true });
    if (scripts) {
      await page.getByText('From the link in the mail.').waitFor();
      await expect.poll(() => key.inputValue()).toBe(link.split('#')[1]);
      expect(page.url()).toBe(`${application.origin}/not-me`);
    } else {
      await key.fill(link);
    }
    await page.getByRole('button', { name: 'Sign out everything' }).click();
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
    const secret = link.split('.').at(-1)!;
    // Playwright lists the link with its fragment. No other URL or referrer may contain the key.
    expect(asked.filter((url) => url !== link && url.includes(secret))).toEqual([]);
  });
});

describe('signing out everything', () => {
  const RESPONSE_DELAY_MS = 4000;

  /** Signs a user in, and returns the address of the page that signs everything out. */
  async function openActivity() {
    const user = await createUserWithActivity();
    const page = await chromium.openDevice();
    await signInOnPage(page, application, user);
    await page.goto(`${application.origin}/settings/activity`);
    const link = page.getByRole('link', { name: /This wasn.t me: Signed in, Safari/ });
    return { page, address: `${application.origin}${await link.getAttribute('href')}` };
  }

  /** Delays the responses to later form submissions. Calls `onDone` once the server has responded. */
  async function delayResponses(page: Page, onDone = () => {}): Promise<void> {
    await page.route('**/*', async (route) => {
      if (route.request().method() !== 'POST') return route.fallback();
      const answer = await route.fetch({ maxRedirects: 0 });
      onDone();
      await page.waitForTimeout(RESPONSE_DELAY_MS);
      await route.fulfill({ response: answer });
    });
  }

  async function signEverythingOut(page: Page) {
    await page.getByRole('button', { name: 'Sign out everything' }).click();
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
  }

  test('the form for signing out everything follows its redirect after a slow response', async () => {
    const { page, address } = await openActivity();
    await page.goto(address);
    await page.waitForFunction(() => '__remixRouter' in window);
    await delayResponses(page);
    await signEverythingOut(page);
  });

  test('the form for signing out everything follows its redirect if submitted before hydration', async () => {
    const { page, address } = await openActivity();
    let onDone = () => {};
    const isDone = new Promise<void>((resolve) => (onDone = resolve));
    await delayResponses(page, onDone);
    await page.route('**/*.js', async (route) => {
      await isDone;
      await route.continue();
    });
    await page.goto(address, { waitUntil: 'commit' });
    await signEverythingOut(page);
  });

  // React schedules its work with a MessagePort, so with delayed messages it handles the submission late.
  test('the form for signing out everything follows its redirect if React handles it late', async () => {
    const { page, address } = await openActivity();
    await page.addInitScript((delayMs) => {
      let isSent = false;
      addEventListener('submit', () => (isSent = true));
      const port = MessagePort.prototype;
      // eslint-disable-next-line @typescript-eslint/unbound-method -- called on its own port below
      const { postMessage } = port;
      port.postMessage = function (this: MessagePort, ...message: [unknown]) {
        if (!isSent) return postMessage.apply(this, message);
        setTimeout(() => postMessage.apply(this, message), delayMs);
      };
    }, RESPONSE_DELAY_MS / 8);
    await page.goto(address);
    await page.waitForFunction(() => '__remixRouter' in window);
    await signEverythingOut(page);
  });
});
