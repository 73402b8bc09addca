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

// React 18 hydrates at once what is pressed, and cannot where it has to wait: what went wrong then
// stands in the browser's console, which fails the test.
test('a key that is pressed before the page has come to life breaks nothing', async () => {
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
    // React puts its work off by a message: the key comes before that does.
    const port = MessagePort.prototype;
    // eslint-disable-next-line @typescript-eslint/unbound-method -- It is called on its own port.
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
