import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { useChromium } from '../fixtures/chromium.ts';
import { gzipBytes, visitFirst } from '../fixtures/first-visit.ts';

/** The budget for all JavaScript that a first visit to /login fetches, with gzip: 95 KiB. */
const MAX_BYTES = 95 * 1024;

const chromium = useChromium();
let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

test(`the sign-in page fetches at most ${MAX_BYTES} bytes of JavaScript`, async () => {
  const page = await chromium.openDevice();
  const { scripts } = await visitFirst(page, `${application.origin}/login`);
  // The page is complete.
  expect(await page.getByRole('button', { name: 'Sign in with a passkey' }).isVisible()).toBe(true);
  const sizes = gzipBytes(scripts);
  const bytes = sizes.reduce((sum, [, size]) => sum + size, 0);
  expect(
    bytes,
    `${bytes} bytes: ${sizes.map((size) => size.join(' ')).join(', ')}`,
  ).toBeLessThanOrEqual(MAX_BYTES);
});

describe.each(['/', '/login'])('a first visit to %s', (path) => {
  test('a first visit makes no request to another origin, and loads no font', async () => {
    const page = await chromium.openDevice();
    const fonts: string[] = [];
    page.on('request', (request) => {
      if (request.resourceType() === 'font') fonts.push(request.url());
    });
    const { addresses } = await visitFirst(page, application.origin + path);
    expect(addresses.length).toBeGreaterThan(5);
    for (const address of addresses) expect(new URL(address).origin).toBe(application.origin);
    expect(fonts).toEqual([]);
  });

  test('a first visit causes no layout shift', async () => {
    const page = await chromium.openDevice();
    await page.addInitScript(() => {
      const shifts: number[] = [];
      Object.assign(window, { shifts });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifts.push((entry as LayoutShift).value);
      }).observe({ type: 'layout-shift', buffered: true });
    });
    await visitFirst(page, application.origin + path);
    const shifts = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts);
    expect(shifts).toEqual([]);
  });
});

/** The part that we use of the interface in https://wicg.github.io/layout-instability/. */
interface LayoutShift extends PerformanceEntry {
  value: number;
}
