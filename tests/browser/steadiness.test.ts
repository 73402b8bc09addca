import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { untilAtRest } from '../fixtures/accessible.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { PHONE, useChromium } from '../fixtures/chromium.ts';
import { userWithEveryPage, publicPages } from '../fixtures/every-page.ts';
import { signInOnPage } from '../fixtures/sign-in-form.ts';
import type { TestUser } from '../fixtures/users.ts';

interface Noted {
  noted: { element: Element; place: string }[];
  placeOf: (element: Element) => string;
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

// A button that moves while it is pressed is not pressed, and another one may be.
test('nothing that can be pressed moves when a page comes to life', async () => {
  const page = await chromium.openDevice({ viewport: PHONE });
  let letScriptsCome = () => {};
  let mayScriptsCome = Promise.resolve();
  await page.route('**/assets/*.js', async (route) => {
    await mayScriptsCome;
    await route.continue();
  });
  const look = async (path: string, state: string) => {
    mayScriptsCome = new Promise((resolve) => (letScriptsCome = resolve));
    await page.goto(application.origin + path, { waitUntil: 'commit' });
    await page.locator('#last-of-page').waitFor({ state: 'attached' });
    await page.evaluate(untilAtRest);
    expect(await page.evaluate(notePlaces), `${state} ${path}`).toBeGreaterThan(0);
    letScriptsCome();
    await comeToLife(page);
    expect.soft(await page.evaluate(findMoved), `${state} ${path}`).toEqual([]);
  };
  for (const path of publicPages) await look(path, 'signed out');

  await signInOnPage(page, application, user);
  for (const path of privatePages) await look(path, 'signed in');
});

/** In the page: where everything stands that can be pressed; answers how much of it there is. */
function notePlaces(): number {
  const placeOf = (element: Element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return [x, y, width, height].map(Math.round).join(' ');
  };
  const noted = [...document.querySelectorAll('a, button, input, select, textarea, summary, label')]
    .filter((element) => element.checkVisibility())
    .map((element) => ({ element, place: placeOf(element) }));
  Object.assign(window, { noted, placeOf });
  return noted.length;
}

/** In the page: what does not stand where it was noted, or is gone. */
function findMoved(): string[] {
  const { noted, placeOf } = window as unknown as Noted;
  return noted.flatMap(({ element, place }) => {
    const now = placeOf(element);
    return now === place ? [] : [`${element.outerHTML.slice(0, 80)}: ${place}, then ${now}`];
  });
}

/** In the page: what follows on coming to life is done when there was nothing to do several times. */
async function untilIdle(): Promise<void> {
  for (let times = 0; times < 3; times += 1) {
    await new Promise((resolve) => requestIdleCallback(resolve));
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}

async function comeToLife(page: Page): Promise<void> {
  await page.waitForFunction(() => '__remixRouter' in window);
  await page.evaluate(untilIdle);
  await page.evaluate(untilAtRest);
}
