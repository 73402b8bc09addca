import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectAccessible } from '../fixtures/accessible.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { SAFARI_ON_IPHONE } from '../fixtures/browser-like.ts';
import { useChromium } from '../fixtures/chromium.ts';
import { submitSignInForm } from '../fixtures/sign-in-form.ts';
import { signIn, signUp } from '../fixtures/users.ts';
import { unzipInto } from '../fixtures/zip.ts';

const PAGE = '/settings/data';
const LONGER_THAN_FRESH_MS = 16 * 60_000;

const chromium = useChromium();
let application: TestApplication;
let folder: string;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-download-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (path: string) => application.origin + path;

/** Presses a button that downloads a file. Returns the path of the file. */
const downloadFile = async (page: Page, button: string): Promise<string> => {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button }).click(),
  ]);
  const file = join(folder, download.suggestedFilename());
  await download.saveAs(file);
  return file;
};

describe.each([
  { mode: 'with scripts', scripts: true },
  { mode: 'without scripts', scripts: false },
])('a download, $mode', ({ scripts }) => {
  test('a user downloads the data, re-authenticates when that is required, and reads them', async () => {
    const user = await signUp(application, { name: 'Ada <b>Lovelace</b>' });
    const phone = await signIn(application, user, { userAgent: SAFARI_ON_IPHONE });
    await phone.post('/logout', {});
    const page = await chromium.openDevice({ scripts });
    await page.goto(at(`/login?redirectTo=${encodeURIComponent(PAGE)}`));
    await submitSignInForm(page, user);
    await page.getByRole('heading', { name: 'Your data' }).waitFor();

    const json = await downloadFile(page, 'Only the JSON');
    expect(json).toMatch(/latchkey-data-2026-11-21\.json$/);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({
      profile: { email: user.email },
    });
    // The page stays open, and with scripts it shows a status.
    expect(page.url()).toBe(at(PAGE));
    if (scripts) await page.getByText('Your file is arriving').waitFor();

    application.clock.advance(LONGER_THAN_FRESH_MS);
    await page.reload();
    await page.getByRole('button', { name: 'Download your data' }).click();
    await page.getByLabel('Your password').fill(user.password);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('main').getByRole('button', { name: 'Go on' }).click(),
    ]);
    const zip = join(folder, 'data.zip');
    await download.saveAs(zip);
    const files = unzipInto(zip, join(folder, 'data'));
    expect(files).toContain('index.html');

    // Read the files from disk, offline: they must need no other resources.
    const reader = await chromium.openDevice({ scripts, reducedMotion: 'reduce' });
    await reader.context().setOffline(true);
    await reader.goto(pathToFileURL(join(folder, 'data', 'index.html')).href);
    await reader.getByRole('heading', { name: 'Your data', level: 1 }).waitFor();
    await reader.getByText('Ada <b>Lovelace</b>').first().waitFor();
    await reader.getByRole('link', { name: 'Where you are signed in' }).click();
    await reader.getByText('Safari 18 on iPhone').first().click();
    await reader.getByText('Signed out there').first().waitFor();
    if (scripts) await expectAccessible(reader, 'index.html', 'download-index');
  });
});
