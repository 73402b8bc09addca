import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { useChromium } from '../fixtures/chromium.ts';

const chromium = useChromium();
let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

// React 18 hydrates at once what is pressed, and cannot where it has to wait: what went wrong then
// stands in the browser's console, which fails the test.
test('who presses keys while the data of the page is being read breaks nothing', async () => {
  const page = await chromium.openDevice();
  await page.addInitScript(() => {
    const reader = ReadableStreamDefaultReader.prototype;
    // eslint-disable-next-line @typescript-eslint/unbound-method -- It is called on its own reader.
    const { read } = reader;
    reader.read = async function (this: ReadableStreamDefaultReader) {
      const part = await read.call(this);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return part as never;
    };
  });
  await page.goto(`${application.origin}/login`, { waitUntil: 'commit' });
  await page.getByLabel('E-mail').waitFor();
  const isAlive = () => page.evaluate(() => '__remixRouter' in window);
  expect(await isAlive()).toBe(false);
  do await page.keyboard.press('Shift');
  while (!(await isAlive()));
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByText('Enter your password').first().waitFor();
});
