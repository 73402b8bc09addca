import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { mailbox } from '../fixtures/mailbox.ts';

const HOUR_MS = 3_600_000;

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

test('a mail that is asked for can be read in the outbox folder', async () => {
  const { mailer } = application.application;
  const now = application.clock.now();
  const expiresAt = new Date(now.getTime() + HOUR_MS);
  const link = `${application.origin}/verify#123456`;
  const content = { kind: 'sign-up-code', code: '123456', link } as const;
  await mailer.send({ to: 'ada@example.com', userId: null, content, expiresAt }, now);
  await mailer.send(null, now);
  const mail = await mailbox(application).nextMailTo('ada@example.com', 'sign-up-code');
  expect(mail.code).toBe('123456');
  expect(mail.links[0]).toBe(link);
  const box = mailbox(application);
  expect(await box.unread()).toHaveLength(1);
  expect(application.sql('SELECT id FROM "OutgoingMail"')).toEqual([]);
});
