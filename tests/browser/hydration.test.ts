import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { useChromium } from '../fixtures/chromium.ts';

const PRESSES = 20;

interface Keys {
  keys: { before: number };
}

const chromium = useChromium();
let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

// React 18 hydrates synchronously on an event, which fails if a part of the page is suspended. The failure
// appears in the browser's console, and that fails the test.
test('a key press before hydration breaks nothing', async () => {
  const page = await chromium.openDevice();
  await page.addInitScript((most) => {
    const keys = { before: 0, pressed: 0 };
    Object.assign(window, { keys });
    const press = () => {
      if (keys.pressed >= most) return;
      keys.pressed += 1;
      if (!('__remixRouter' in window)) keys.before += 1;
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'a', bubbles: true }));
    };
    // React schedules its work with a MessagePort. The key press comes before that work.
    const port = MessagePort.prototype;
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called on its own port below
    const { postMessage } = port;
    port.postMessage = function (this: MessagePort, ...message: [unknown]) {
      queueMicrotask(press);
      postMessage.apply(this, message);
    };
  }, PRESSES);
  await page.goto(`${application.origin}/login`);
  await expect.poll(() => page.evaluate(() => '__remixRouter' in window)).toBe(true);
  const { before } = await page.evaluate(() => (window as unknown as Keys).keys);
  expect(before).toBeGreaterThan(0);
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('Enter your password').first().waitFor();
});
