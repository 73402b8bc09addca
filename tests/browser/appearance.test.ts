import { mkdirSync } from 'node:fs';
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { FIREFOX_ON_MAC, SAFARI_ON_IPHONE } from '../fixtures/browser-like.ts';
import { LAPTOP, PHONE, useChromium } from '../fixtures/chromium.ts';
import { signIn, signUp, type TestPerson } from '../fixtures/people.ts';

const SCREENSHOTS = 'reports/screenshots';
const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

const chromium = useChromium();
let application: TestApplication;
let person: TestPerson;
let phoneSessionId: string;

beforeAll(async () => {
  mkdirSync(SCREENSHOTS, { recursive: true });
  application = await startApplication();
  person = await signUp(application, { userAgent: FIREFOX_ON_MAC });
  const phone = await signIn(application, person, { userAgent: SAFARI_ON_IPHONE });
  phoneSessionId = (await phone.sessionToken())?.split('.')[0] ?? '';
  const ended = await signIn(application, person, { userAgent: SAFARI_ON_IPHONE });
  await ended.post('/logout', {});
});
afterAll(() => application.close());

const publicPages = [
  ...['/', '/login', '/login?redirectTo=%2Fsettings%2Fdata', '/signup', '/nowhere'],
  ...['/signup/verify', '/forgot-password', '/reset-password', '/login/passkey'],
  ...['/email-change/undo', '/not-me', '/outbox'],
];
const privatePages = () => [
  '/',
  '/settings/sessions',
  `/settings/sessions/${phoneSessionId}/name`,
  `/settings/sessions/${phoneSessionId}/sign-out`,
  '/settings/sessions/others/sign-out',
  '/settings/profile',
  '/settings/password',
  '/settings/data',
  '/settings/data/delete',
  ...['/settings/security', '/settings/activity', '/settings/email', '/settings/email/verify'],
  ...['/settings/two-factor', '/settings/two-factor/set-up', '/settings/passkeys'],
  ...['/settings/passkeys/new', '/settings/connections'],
  '/nowhere',
];

describe.each([
  { theme: 'light', width: 390 },
  { theme: 'light', width: 1280 },
  { theme: 'dark', width: 390 },
  { theme: 'dark', width: 1280 },
] as const)('in the $theme theme at $width pixels', ({ theme, width }) => {
  const viewport = width === 390 ? PHONE : LAPTOP;

  test('every page is accessible and fits its width', { timeout: 180_000 }, async () => {
    const page = await chromium.openDevice({
      ...{ viewport, colorScheme: theme, reducedMotion: 'reduce' as const },
    });
    const look = async (path: string, state: string) => {
      await page.goto(application.origin + path);
      await expectAccessible(page, `${state} ${path}`);
      const name = `${theme}-${width}-${state}${path.replaceAll(/[^\w]+/g, '-')}`;
      await page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
    };
    for (const path of publicPages) await look(path, 'signed-out');

    await page.goto(`${application.origin}/login`);
    await page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText('Enter your password.').waitFor();
    await expectAccessible(page, 'a form with errors');

    await page.getByLabel('E-mail').fill(person.email);
    await page.getByLabel('Password').fill(person.password);
    await page.getByRole('main').getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'Hello' }).waitFor();
    for (const path of privatePages()) await look(path, 'signed-in');

    await page.goto(`${application.origin}/settings/sessions`);
    await page.locator('header summary').click();
    await page.getByText('Recently ended').click();
    await expectAccessible(page, 'with everything unfolded');
  });
});

test.each([true, false])('the theme is chosen and kept (scripts: %s)', async (scripts) => {
  const page = await chromium.openDevice({ scripts, colorScheme: 'light' });
  await page.goto(`${application.origin}/login`);
  const light = await ground(page);
  await page.getByRole('button', { name: 'Dark' }).click();
  await page.locator('html[data-theme="dark"]').waitFor();
  const dark = await ground(page);
  expect(dark).not.toBe(light);
  expect(new URL(page.url()).pathname).toBe('/login');

  await page.goto(`${application.origin}/signup`);
  expect(await ground(page)).toBe(dark);
  await page.getByRole('button', { name: 'As the system' }).click();
  await page.locator('html[data-theme="system"]').waitFor();
  expect(await ground(page)).toBe(light);
});

async function expectAccessible(page: Page, where: string) {
  const { violations } = await new AxeBuilder({ page }).withTags(WCAG).analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`,
  );
  expect(found, where).toEqual([]);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow, `${where}: pixels too wide`).toBeLessThanOrEqual(0);
}

async function ground(page: Page): Promise<string> {
  return page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
}
