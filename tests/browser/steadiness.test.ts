import type { Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { LAPTOP, PHONE, useChromium } from '../fixtures/chromium.ts';
import { personWithEveryPage, publicPages } from '../fixtures/every-page.ts';
import type { TestPerson } from '../fixtures/people.ts';

interface Noted {
  noted: { element: Element; name: string; place: string }[];
}

const chromium = useChromium();
let application: TestApplication;
let person: TestPerson;
let privatePages: string[];

beforeAll(async () => {
  application = await startApplication();
  ({ person, privatePages } = await personWithEveryPage(application));
});
afterAll(() => application.close());

// A button that moves while it is pressed is not pressed, and another one may be.
test.each([
  { device: 'laptop', viewport: LAPTOP },
  { device: 'phone', viewport: PHONE },
])(
  'nothing that can be pressed moves when a page comes to life, on a $device',
  { timeout: 180_000 },
  async ({ viewport }) => {
    const page = await chromium.openDevice({ viewport });
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
      expect(await page.evaluate(notePlaces), `${state} ${path}`).toBeGreaterThan(0);
      letScriptsCome();
      expect.soft(await movedUntilAlive(page), `${state} ${path}`).toEqual([]);
    };
    for (const path of publicPages) await look(path, 'signed out');

    await page.goto(`${application.origin}/login`);
    await page.getByLabel('E-mail').fill(person.email);
    await page.getByLabel('Password').fill(person.password);
    await page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'Hello' }).waitFor();
    for (const path of privatePages) await look(path, 'signed in');
  },
);

/** In the page: where everything stands that can be pressed; answers how much of it there is. */
async function notePlaces(): Promise<number> {
  const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  await nextFrame();
  await nextFrame();
  for (const animation of document.getAnimations()) {
    if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
  }
  const pressable = 'a, button, input, select, textarea, summary, label';
  const noted = [...document.querySelectorAll<HTMLElement>(pressable)]
    .filter((element) => element.checkVisibility())
    .map((element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      const place = [x, y, width, height].map(Math.round).join(' ');
      return { element, name: element.outerHTML.slice(0, 80), place };
    });
  Object.assign(window, { noted });
  return noted.length;
}

async function movedUntilAlive(page: Page): Promise<string[]> {
  await page.waitForFunction(() => '__remixRouter' in window);
  return page.evaluate(async () => {
    // What follows on coming to life is done when there has been nothing to do several times.
    for (let times = 0; times < 5; times += 1) {
      await new Promise((resolve) => requestIdleCallback(resolve));
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    for (const animation of document.getAnimations()) {
      if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
    }
    return (window as unknown as Noted).noted.flatMap(({ element, name, place }) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      const now = [x, y, width, height].map(Math.round).join(' ');
      return now === place ? [] : [`${name}: ${place}, then ${now}`];
    });
  });
}
