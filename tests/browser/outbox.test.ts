import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { useChromium } from '../fixtures/chromium.ts';
import { everyMail } from '../mail/every-mail.ts';

const chromium = useChromium();
const HOUR_MS = 3_600_000;

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

test('a mail can be read in the outbox, and its link opens a new page with the code', async () => {
  const now = application.clock.now();
  const link = `${application.origin}/login#493817`;
  const content = { kind: 'sign-up-code', code: '493817', link } as const;
  const expiresAt = new Date(now.getTime() + HOUR_MS);
  const mail = { to: 'ada@example.com', userId: null, content, expiresAt };
  await application.application.mailer.send(mail, now);
  await application.mailWorker!.idle();

  const page = await chromium.openDevice();
  const asked: string[] = [];
  page.context().on('request', (request) => asked.push(request.url()));
  await page.goto(`${application.origin}/outbox`);
  await page.getByRole('link', { name: 'Your code to create a Latchkey account' }).click();
  const frame = page.frameLocator('iframe');
  await expect.poll(() => frame.getByText('493817', { exact: true }).isVisible()).toBe(true);
  const opening = page.context().waitForEvent('page');
  await frame.getByRole('link', { name: 'Confirm your address' }).click();
  const opened = await opening;
  await opened.waitForLoadState();
  expect(new URL(opened.url()).hash).toBe('#493817');
  expect(await opened.evaluate(() => document.referrer)).toBe('');
  expect(await opened.evaluate(() => window.opener === null)).toBe(true);
  for (const url of asked) expect(url.startsWith(application.origin)).toBe(true);
});

test.each(everyMail({ name: '<img src=x onerror=alert(1)>' }).map((content) => [content]))(
  'a mail loads no resources and runs no scripts (%j)',
  async (content) => {
    const now = application.clock.now();
    const expiresAt = new Date(now.getTime() + HOUR_MS);
    const mail = { to: 'ada@example.com', userId: null, content, expiresAt };
    await application.application.mailer.send(mail, now);
    await application.mailWorker!.idle();
    const [{ mailId } = { mailId: '' }] = await application.application.outbox!.list();
    const { html } = (await application.application.outbox!.read(mailId))!;
    // As in a mail program that blocks nothing.
    const page = await chromium.openDevice();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('dialog', (dialog) => asked.push(dialog.message()));
    await page.setContent(html, { waitUntil: 'load' });
    expect(asked).toEqual([]);
  },
);
