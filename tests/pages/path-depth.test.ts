import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { expectOnceWithin } from '../fixtures/best-round.ts';
import type { AskOptions } from '../fixtures/browser-like.ts';
import { openBrowser, signUp, type TestUser } from '../fixtures/users.ts';

const MAX_LOOP_DELAY_MS = 50;
const NANOSECONDS_PER_MS = 1e6;
/** The most segments that fit into the 8 KB that most clients and proxies allow for a path. */
const DEEP = '/a'.repeat(3700);

let application: TestApplication;
let user: TestUser;
let version: string;
beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application);
  const { text } = await openBrowser(application).get('/login');
  version = /manifest-(\w+)\.js/.exec(text)?.[1] ?? '';
  expect(version).not.toBe('');
});
afterAll(() => application.close());

const manifestPath = (paths: string[]) =>
  `/__manifest?${new URLSearchParams([...paths.map((path) => ['p', path]), ['version', version]])}`;

/** Returns for how many milliseconds `work` blocked the event loop at most. */
async function longestLoopDelay(work: () => Promise<unknown>): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  await nextTurn();
  await work();
  await nextTurn();
  delays.disable();
  return delays.max / NANOSECONDS_PER_MS;
}

test.each([
  ['a path of 3,700 segments', DEEP, {}],
  ['a path of 3,700 segments behind backslashes', '\\a'.repeat(3700).replace('\\', '/'), {}],
  ['a path of 7,400 empty segments', `/a${'/'.repeat(7400)}`, {}],
  ['page data at a path of 3,700 segments', `${DEEP}.data`, {}],
  ['a form submission to 3,700 segments', DEEP, { method: 'POST', body: 'a=b' }],
  ['a HEAD request for 3,700 segments', DEEP, { method: 'HEAD' }],
  ['an API path of 3,700 segments', `/api${DEEP}`, {}],
  ['3,700 segments below a page', `/settings/sessions${DEEP}`, {}],
] as [string, string, AskOptions][])(
  '%s is answered 404 without blocking the event loop',
  async (_what, path, options) => {
    await expectOnceWithin(MAX_LOOP_DELAY_MS, () =>
      longestLoopDelay(async () => {
        const { status, headers } = await openBrowser(application).ask(path, options);
        expect(status).toBe(404);
        expect(headers['content-type']).toContain('text/plain');
      }),
    );
  },
);

// Remix itself refuses a manifest URL of more than 7,680 characters. These are shorter.
test.each([
  ['two paths of 600 segments', ['/a'.repeat(600), '/b'.repeat(600)]],
  ['1,000 paths of one segment', Array.from({ length: 1000 }, (_none, index) => `${index}`)],
])(
  'a manifest request for %s is answered 404 without blocking the event loop',
  async (_what, paths) => {
    await expectOnceWithin(MAX_LOOP_DELAY_MS, () =>
      longestLoopDelay(async () => {
        const { status } = await openBrowser(application).get(manifestPath(paths));
        expect(status).toBe(404);
      }),
    );
  },
);

test('a path of 64 segments is answered with the "not found" page', async () => {
  const { status, headers } = await user.browser.get('/a'.repeat(64));
  expect(status).toBe(404);
  expect(headers['content-type']).toContain('text/html');
});

test('a path of 65 segments is refused with plain text before routing', async () => {
  const { status, headers } = await user.browser.get('/a'.repeat(65));
  expect(status).toBe(404);
  expect(headers['content-type']).toContain('text/plain');
});

test('a manifest request for 63 segments besides its own is answered', async () => {
  const paths = [
    '/settings/sessions',
    ...Array.from({ length: 61 }, (_none, index) => `/${index}`),
  ];
  const { status, text } = await user.browser.get(manifestPath(paths));
  expect(status).toBe(200);
  expect(text).toContain('routes/settings/sessions/page');
});

test('a manifest request for 64 segments besides its own is refused', async () => {
  const paths = [
    '/settings/sessions',
    ...Array.from({ length: 62 }, (_none, index) => `/${index}`),
  ];
  expect((await user.browser.get(manifestPath(paths))).status).toBe(404);
});
