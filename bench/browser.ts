import { setTimeout as delay } from 'node:timers/promises';
import { chromium, type BrowserContextOptions } from 'playwright';
import { freePort } from '../tests/fixtures/guarded-process.ts';
import { visitFirst } from '../tests/fixtures/first-visit.ts';

const DEBIAN_CHROMIUM = '/usr/bin/chromium';
const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 } };

/** "Slow 4G" of Chromium's developer tools, formerly "Fast 3G", in bytes per second and milliseconds. */
const SLOW_4G = {
  offline: false,
  latency: 562.5,
  downloadThroughput: (1.6 * 1_000_000 * 0.9) / 8,
  uploadThroughput: (750_000 * 0.9) / 8,
};
const CPU_SLOWDOWN = 4;
/** The wait after a page has loaded, for late requests and layout shifts. */
const SETTLE_MS = 5000;

/** Times from the start of the navigation, in milliseconds. */
export interface PaintedLoad {
  firstByteMs: number;
  firstPaintMs: number;
  largestPaintMs: number;
  /** The sum of all layout shifts, without a unit. Users notice less than this. */
  layoutShift: number;
}

export interface BenchBrowser {
  version: string;
  /** The port for other tools such as Lighthouse. */
  debuggingPort: number;
  /** Returns the paths of the scripts that a first visit runs. */
  scriptsOf(url: string): Promise<string[]>;
  /** Sets the session cookie in the default context, which other tools use. */
  signIn(url: string, token: string): Promise<void>;
  /** Loads a page with empty caches on a slow phone. @param token of a session; null without a session. */
  loadSlowly(url: string, token: string | null): Promise<PaintedLoad>;
  close(): Promise<void>;
}

export async function launchBrowser(): Promise<BenchBrowser> {
  const debuggingPort = await freePort();
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? DEBIAN_CHROMIUM,
    args: [
      `--remote-debugging-port=${debuggingPort}`,
      // Chromium's sandbox does not work as root, which is usual in containers.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
    ],
  });
  return {
    version: browser.version(),
    debuggingPort,
    async scriptsOf(url) {
      const context = await browser.newContext();
      const { scripts } = await visitFirst(await context.newPage(), url);
      await context.close();
      return [...scripts.keys()];
    },
    async signIn(url, token) {
      const devtools = await browser.newBrowserCDPSession();
      await devtools.send('Storage.setCookies', {
        cookies: [{ name: 'session', value: token, url, httpOnly: true, sameSite: 'Lax' }],
      });
      await devtools.detach();
    },
    async loadSlowly(url, token) {
      const context = await browser.newContext(PHONE);
      const { origin } = new URL(url);
      if (token) await context.addCookies([{ name: 'session', value: token, url: origin }]);
      const page = await context.newPage();
      const devtools = await context.newCDPSession(page);
      await devtools.send('Network.enable');
      await devtools.send('Network.emulateNetworkConditions', SLOW_4G);
      await devtools.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN });
      await page.addInitScript(observePaint);
      let loads = 0;
      page.on('load', () => (loads += 1));
      const answer = await page.goto(url, { waitUntil: 'load' });
      await delay(SETTLE_MS);
      if (answer?.status() !== 200 || page.url() !== url || loads !== 1) {
        throw new Error(`${url} led to ${page.url()} (${answer?.status()}, ${loads} loads)`);
      }
      const painted = await page.evaluate(() => ({
        ...(window as unknown as { painted: Omit<PaintedLoad, 'firstByteMs'> }).painted,
        firstByteMs: (performance.getEntriesByType('navigation')[0] as PerformanceNavigationTiming)
          .responseStart,
      }));
      await context.close();
      if (!(painted.firstPaintMs > 0) || !(painted.largestPaintMs > 0)) {
        throw new Error(`${url} painted nothing`);
      }
      return painted;
    },
    close: () => browser.close(),
  };
}

/** Runs in the page before its own scripts. Uses no named functions, because tsx would wrap them. */
function observePaint() {
  const painted = { firstPaintMs: 0, largestPaintMs: 0, layoutShift: 0 };
  Object.assign(window, { painted });
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.name === 'first-contentful-paint') painted.firstPaintMs = entry.startTime;
      if (entry.entryType === 'largest-contentful-paint') painted.largestPaintMs = entry.startTime;
      if (entry.entryType === 'layout-shift') {
        painted.layoutShift += (entry as PerformanceEntry & { value: number }).value;
      }
    }
  });
  for (const type of ['paint', 'largest-contentful-paint', 'layout-shift']) {
    observer.observe({ type, buffered: true });
  }
}
