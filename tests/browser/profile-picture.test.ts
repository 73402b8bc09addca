import type { Page } from 'playwright';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectAccessible } from '../fixtures/accessible.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { useChromium } from '../fixtures/chromium.ts';
import { signInOnPage } from '../fixtures/sign-in-form.ts';
import { signUp, type TestUser } from '../fixtures/users.ts';
import { plain } from '../fixtures/pictures.ts';

const PROFILE = '/settings/profile';
const MAX_BYTES = 10 * 1024 * 1024;

const chromium = useChromium();
let application: TestApplication;
/** A picture of a brass keyhole. */
let photo: Buffer;
beforeAll(async () => {
  application = await startApplication();
  photo = await keyhole();
});
afterAll(() => application.close());

/** Draws the picture pixel by pixel, because the server has blocked SVG for libvips in this process. */
function keyhole(): Promise<Buffer> {
  const [width, height] = [600, 400];
  const [brass, blue] = [
    [0xe0, 0xb4, 0x58],
    [0x31, 0x50, 0x6b],
  ] as const;
  const isHole = (x: number, y: number) =>
    Math.hypot(x - 300, y - 160) < 80 ||
    (y > 160 && y < 330 && Math.abs(x - 300) < (y - 160) / 3 + 10);
  const pixels = Array.from({ length: width * height }, (_none, index) =>
    isHole(index % width, Math.floor(index / width)) ? brass : blue,
  );
  const raw = { width, height, channels: 3 } as const;
  return sharp(Uint8Array.from(pixels.flat()), { raw }).jpeg().toBuffer();
}

const openProfile = async (page: Page, user: TestUser) => {
  await signInOnPage(page, application, user);
  await page.goto(application.origin + PROFILE);
};
const field = (page: Page) => page.getByLabel('Picture', { exact: true });
/** Returns the real width of the picture in this element; 0 if it did not load. */
const shownPixels = (page: Page, where: string) =>
  page.locator(`${where} img`).evaluate(async (image: HTMLImageElement) => {
    await image.decode().catch(() => undefined);
    return image.naturalWidth;
  });

describe.each([
  { mode: 'with scripts', scripts: true },
  { mode: 'without scripts', scripts: false },
])('$mode', ({ scripts }) => {
  test('a user sees an error for an invalid picture, adds a valid one, and removes it', async () => {
    const page = await chromium.openDevice({ scripts });
    await openProfile(page, await signUp(application));
    expect(await page.locator('img').count()).toBe(0);

    const wrong = Buffer.from('no picture');
    await field(page).setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: wrong });
    await page.getByRole('button', { name: 'Add picture' }).click();
    await page.getByText('That file is no picture that can be shown here.').waitFor();
    expect(await field(page).evaluate((input) => input === document.activeElement)).toBe(true);
    expect(await field(page).getAttribute('aria-invalid')).toBe('true');

    await field(page).setInputFiles({ name: 'me', mimeType: 'text/plain', buffer: photo });
    await page.getByRole('button', { name: 'Add picture' }).click();
    await page.getByText('Your picture is saved.').waitFor();
    expect(new URL(page.url()).pathname).toBe(PROFILE);
    expect(await shownPixels(page, 'header')).toBe(64);
    expect(await shownPixels(page, 'main')).toBe(256);

    await page.getByRole('link', { name: 'Remove your picture' }).click();
    await page.getByRole('dialog', { name: 'Remove your picture?' }).waitFor();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('Your picture is removed.').waitFor();
    expect(await page.locator('img').count()).toBe(0);
  });

  test('a picture that is too large shows an error on the page', async () => {
    const page = await chromium.openDevice({ scripts });
    await openProfile(page, await signUp(application));
    const large = Buffer.concat([photo], 2 * MAX_BYTES);
    const posts: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') posts.push(request.url());
    });
    await field(page).setInputFiles({ name: 'me.jpg', mimeType: 'image/jpeg', buffer: large });
    await page.getByRole('button', { name: 'Add picture' }).click();
    await page.getByText('That file is larger than 10 MB. Choose a smaller one.').waitFor();
    // With scripts the file is not even sent.
    expect(posts).toHaveLength(scripts ? 0 : 1);
    // A smaller file is accepted on the same page.
    await field(page).setInputFiles({ name: 'me.jpg', mimeType: 'image/jpeg', buffer: photo });
    await page.getByRole('button', { name: 'Add picture' }).click();
    await page.getByText('Your picture is saved.').waitFor();
  });
});

test('a chosen picture is previewed before it is sent, without a layout shift', async () => {
  const page = await chromium.openDevice();
  await openProfile(page, await signUp(application));
  const heading = page.getByLabel('Name', { exact: true });
  const before = await heading.boundingBox();
  const red = await plain('red').png().toBuffer();
  await field(page).setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: red });
  await page.getByRole('img', { name: 'The picture that you have chosen' }).waitFor();
  await page.waitForFunction(() => {
    const canvas = document.querySelector('canvas')!;
    const [r, , , alpha] = canvas.getContext('2d')!.getImageData(128, 128, 1, 1).data;
    return r! > 200 && alpha === 255;
  });
  expect(await heading.boundingBox()).toEqual(before);
});

test('a picture is cached, and is not shown after signing out', async () => {
  const page = await chromium.openDevice();
  const user = await signUp(application);
  await openProfile(page, user);
  await field(page).setInputFiles({ name: 'me.jpg', mimeType: 'image/jpeg', buffer: photo });
  await page.getByRole('button', { name: 'Add picture' }).click();
  await page.getByText('Your picture is saved.').waitFor();
  await shownPixels(page, 'header');
  const address = await page.locator('header img').getAttribute('src');
  const isCached = () =>
    page.evaluate(async (path) => {
      const answer = await fetch(path!, { cache: 'only-if-cached', mode: 'same-origin' }).catch(
        () => null,
      );
      return answer?.ok ?? false;
    }, address);
  expect(await isCached()).toBe(true);
  await page.goto(`${application.origin}/settings/sessions`);
  await page.locator('header summary').click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).last().click();
  await page.getByText('You are signed out.').waitFor();
  expect(page.url()).toBe(`${application.origin}/`);
  expect(await page.locator('img').count()).toBe(0);
});

test('every state of the picture form is accessible and fits the window', async () => {
  const page = await chromium.openDevice({ reducedMotion: 'reduce' });
  const look = (what: string) => expectAccessible(page, what, what);
  await openProfile(page, await signUp(application));
  await look('picture-none');
  await field(page).setInputFiles({ name: 'me.jpg', mimeType: 'image/jpeg', buffer: photo });
  await look('picture-chosen');
  await page.getByRole('button', { name: 'Add picture' }).click();
  await page.getByText('Your picture is saved.').waitFor();
  await shownPixels(page, 'main');
  await page.locator('header summary').click();
  await look('picture-menu');
  await page.goto(application.origin + PROFILE);
  await look('picture-saved');
  const wrong = Buffer.from('no picture');
  await field(page).setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer: wrong });
  await page.getByRole('button', { name: 'Change picture' }).click();
  await page.getByText('That file is no picture that can be shown here.').waitFor();
  await look('picture-wrong');
  await page.getByRole('link', { name: 'Remove your picture' }).click();
  await page.getByRole('dialog', { name: 'Remove your picture?' }).waitFor();
  await look('picture-remove');
});
