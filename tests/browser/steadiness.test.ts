import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { untilAtRest } from '../fixtures/accessible.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { PHONE, useChromium } from '../fixtures/chromium.ts';
import { userWithEveryPage, publicPages } from '../fixtures/every-page.ts';
import { signInOnPage } from '../fixtures/sign-in-form.ts';
import type { TestUser } from '../fixtures/users.ts';

interface Recorded {
  recorded: { element: Element; position: string }[];
  positionOf: (element: Element) => string;
}

const chromium = useChromium();
let application: TestApplication;
let user: TestUser;
let privatePages: string[];

beforeAll(async () => {
  application = await startApplication();
  ({ user, privatePages } = await userWithEveryPage(application));
});
afterAll(() => application.close());

// If a button moves during a click, the click misses it or hits another button.
test('no control moves when a page is hydrated', async () => {
  const page = await chromium.openDevice({ viewport: PHONE });
  let releaseScripts = () => {};
  let areScriptsReleased = Promise.resolve();
  await page.route('**/assets/*.js', async (route) => {
    await areScriptsReleased;
    await route.continue();
  });
  const look = async (path: string, state: string) => {
    areScriptsReleased = new Promise((resolve) => (releaseScripts = resolve));
    await page.goto(application.origin + path, { waitUntil: 'commit' });
    await page.locator('#last-of-page').waitFor({ state: 'attached' });
    await page.evaluate(untilAtRest);
    expect(await page.evaluate(recordPositions), `${state} ${path}`).toBeGreaterThan(0);
    releaseScripts();
    await waitForHydration(page);
    expect.soft(await page.evaluate(findMoved), `${state} ${path}`).toEqual([]);
  };
  for (const path of publicPages) await look(path, 'signed out');

  await signInOnPage(page, application, user);
  for (const path of privatePages) await look(path, 'signed in');
});

/** Runs in the page: records the positions of all visible controls. Returns their number. */
function recordPositions(): number {
  const positionOf = (element: Element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return [x, y, width, height].map(Math.round).join(' ');
  };
  const CONTROLS = 'a, button, input, select, textarea, summary, label';
  const recorded = [...document.querySelectorAll(CONTROLS)]
    .filter((element) => element.checkVisibility())
    .map((element) => ({ element, position: positionOf(element) }));
  Object.assign(window, { recorded, positionOf });
  return recorded.length;
}

/** Runs in the page: returns the controls that have moved or are gone. */
function findMoved(): string[] {
  const { recorded, positionOf } = window as unknown as Recorded;
  return recorded.flatMap(({ element, position }) => {
    const now = positionOf(element);
    return now === position ? [] : [`${element.outerHTML.slice(0, 80)}: ${position}, then ${now}`];
  });
}

/** Runs in the page: waits until it has been idle three times, so that effects after hydration are done. */
async function untilIdle(): Promise<void> {
  for (let times = 0; times < 3; times += 1) {
    await new Promise((resolve) => requestIdleCallback(resolve));
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}

async function waitForHydration(page: Page): Promise<void> {
  await page.waitForFunction(() => '__remixRouter' in window);
  await page.evaluate(untilIdle);
  await page.evaluate(untilAtRest);
}
