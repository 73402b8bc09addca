import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { MailContent } from '#app/mail/mail.ts';
import { LOG_ERROR, LOG_WARN, startApplication, TestClock } from '../fixtures/application.ts';
import type { TestApplication } from '../fixtures/application.ts';
import { openBrowser } from '../fixtures/users.ts';
import { startMailServer, type MailServer } from '../fixtures/smtp-server.ts';
import { everyMail, factsOf, nameOf } from '../mail/every-mail.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const TO = 'ada.lovelace@example.com';
const CODE = '493817';
const content: MailContent = {
  kind: 'sign-up-code',
  code: CODE,
  link: `https://latchkey.example/verify#${CODE}`,
};

const toClose: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

const startServer = async (...options: Parameters<typeof startMailServer>) => {
  const server = await startMailServer(...options);
  toClose.push(() => server.stop());
  return server;
};
const startWith = async (env: Record<string, string>, clock?: TestClock) => {
  const application = await startApplication({ env: { LOG_LEVEL: 'trace', ...env }, clock });
  toClose.push(() => application.close());
  return application;
};
const send = (
  { application, clock }: TestApplication,
  { forMs = 10 * MINUTE_MS, ...mail }: SendOptions = {},
) => {
  const now = clock.now();
  const expiresAt = new Date(now.getTime() + forMs);
  return application.mailer.send({ to: TO, userId: null, content, expiresAt, ...mail }, now);
};
interface SendOptions {
  to?: string;
  userId?: string | null;
  content?: MailContent;
  forMs?: number;
}
const queuedMails = (application: TestApplication) =>
  application.sql<{ id: string; sealed: string; tries: number; dueAt: number }>(
    'SELECT id, sealed, tries, dueAt FROM "OutgoingMail"',
  );
/** Advances the clock, and waits until the worker has sent what is due. */
const advance = async ({ clock, mailWorker }: TestApplication, ms: number) => {
  clock.advance(ms);
  mailWorker!.wake();
  await mailWorker!.idle();
};
const logOf = (application: TestApplication) =>
  application.logged.map((line) => JSON.stringify(line)).join('\n');

test('every kind of mail arrives by SMTP, in HTML and in plain text', async () => {
  const server = await startServer();
  const application = await startWith({
    SMTP_URL: server.url,
    MAIL_FROM: 'T\u00fcr <door@example.com>',
  });
  for (const content of everyMail()) await send(application, { content });
  await server.arrivals(everyMail().length);
  await application.mailWorker!.idle();
  expect(queuedMails(application)).toEqual([]);
  for (const content of everyMail()) {
    const { texts, links } = factsOf(content);
    const hasAllFacts = ({ text = '' }: { text?: string }) =>
      [...texts, ...links].every((fact) => text.includes(fact));
    const mail = server.arrived.find(hasAllFacts);
    expect(mail, nameOf(content)).toBeDefined();
    expect(mail!.recipients).toEqual([TO]);
    expect(mail!.from).toEqual({ name: 'T\u00fcr', address: 'door@example.com' });
    expect(mail!.to).toEqual([{ name: '', address: TO }]);
    expect(mail!.html).toContain('<html');
    expect(mail!.date).toBe(application.clock.now().toISOString());
    expect(mail!.messageId).toMatch(/^<\w+@example\.com>$/);
    expect(mail!.headers).toContainEqual(
      expect.objectContaining({ key: 'auto-submitted', value: 'auto-generated' }),
    );
    expect(mail!.attachments).toEqual([]);
  }
  expect(new Set(server.arrived.map(({ subject }) => subject)).size).toBe(everyMail().length);
});

test('without MAIL_FROM, mail is from no-reply at the host of ORIGIN', async () => {
  const server = await startServer();
  const application = await startWith({
    SMTP_URL: server.url,
    ORIGIN: 'https://latchkey.example',
    PASSWORD_PEPPER: 'x'.repeat(32),
    ENCRYPTION_KEYS: `a:${'A'.repeat(43)}`,
    BCRYPT_COST: '10',
  });
  await send(application);
  const [mail] = await server.arrivals(1);
  expect(mail!.from).toEqual({ name: 'Latchkey', address: 'no-reply@latchkey.example' });
  expect(mail!.text).toContain('https://latchkey.example');
  expect(application.application.mailer.isOn).toBe(true);
});

test.each([
  'ada@example.com\r\nBcc: eve@evil.example',
  'ada@example.com\r\nRCPT TO:<eve@evil.example>',
  'ada@example.com, eve@evil.example',
  'Ada <ada@example.com>, eve@evil.example',
  'ada@example.com>\r\nDATA',
])('a mail to more than one address (%j) is sent to nobody', async (to) => {
  const server = await startServer();
  const application = await startWith({ SMTP_URL: server.url });
  await send(application, { to });
  await send(application);
  const [mail] = await server.arrivals(1);
  await application.mailWorker!.idle();
  expect(server.arrived).toHaveLength(1);
  expect(mail!.recipients).toEqual([TO]);
  expect(queuedMails(application)).toEqual([]);
  expect(logOf(application)).not.toContain('evil.example');
});

test('a user name with line breaks injects no header', async () => {
  const server = await startServer();
  const application = await startWith({ SMTP_URL: server.url });
  const name = 'Ada\r\nBcc: eve@evil.example\r\n\r\nHello';
  for (const content of everyMail({ name })) await send(application, { content });
  const mails = await server.arrivals(everyMail().length);
  for (const { raw, recipients } of mails) {
    expect(recipients).toEqual([TO]);
    const [head] = raw.split('\r\n\r\n');
    expect(head).not.toMatch(/evil|^Bcc/im);
  }
});

describe('an outage of the mail server', () => {
  test('an outage of the mail server delays no page and loses no mail: sending backs off', async () => {
    const server = await startServer();
    await server.stop();
    const application = await startWith({ SMTP_URL: server.url });
    await send(application);
    await application.mailWorker!.idle();
    expect(queuedMails(application)[0]).toMatchObject({ tries: 1 });
    expect((await openBrowser(application).get('/')).status).toBe(200);
    const pauses: number[] = [];
    for (let tries = 2; tries <= 5; tries += 1) {
      const [row] = queuedMails(application);
      pauses.push((row!.dueAt - application.clock.now().getTime()) / SECOND_MS);
      // Not one millisecond earlier.
      await advance(application, pauses.at(-1)! * SECOND_MS - 1);
      expect(queuedMails(application)[0]).toMatchObject({ tries: tries - 1 });
      await advance(application, 1);
      expect(queuedMails(application)[0]).toMatchObject({ tries });
    }
    expect(pauses).toEqual([5, 10, 20, 40]);
    await server.start();
    await advance(application, 10 * SECOND_MS);
    expect(server.arrived).toEqual([]);
    await advance(application, 70 * SECOND_MS);
    expect(queuedMails(application)).toEqual([]);
    await advance(application, MINUTE_MS);
    expect(server.arrived.map(({ text }) => text?.includes(CODE))).toEqual([true]);
  });

  test('a mail is dropped and an error logged if the next attempt would be after its expiry', async () => {
    const server = await startServer();
    await server.stop();
    const application = await startWith({ SMTP_URL: server.url });
    await send(application, { forMs: 12 * SECOND_MS });
    await application.mailWorker!.idle();
    await advance(application, 5 * SECOND_MS);
    // The next attempt would come after the expiry.
    expect(queuedMails(application)).toEqual([]);
    const errors = application.logged.filter(({ level }) => level >= LOG_ERROR);
    expect(errors.map(({ msg }) => msg)).toEqual([
      'a mail could not be sent in time; it is given up',
    ]);
  });

  test('queued mails survive a restart, and expired ones are not sent', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'latchkey-restart-'));
    toClose.push(async () => rmSync(folder, { recursive: true }));
    const server = await startServer();
    await server.stop();
    const env = {
      SMTP_URL: server.url,
      DATABASE_URL: `file:${join(folder, 'latchkey.db')}`,
      SECRETS_FILE: join(folder, 'secrets.json'),
    };
    const clock = new TestClock();
    const first = await startApplication({ env, clock });
    await send(first);
    await send(first, { content: everyMail()[1]!, forMs: 8 * SECOND_MS });
    await first.mailWorker!.idle();
    await first.close();
    await server.start();
    clock.advance(9 * SECOND_MS);
    const second = await startWith(env, clock);
    await server.arrivals(1);
    await second.mailWorker!.idle();
    expect(server.arrived.map(({ text }) => text?.includes(CODE))).toEqual([true]);
    expect(queuedMails(second)).toEqual([]);
  });
});

test('a mail claimed by a process that died is sent by the next one after the claim expires', async () => {
  const server = await startServer();
  const application = await startWith({ SMTP_URL: server.url });
  const { mailWorker, clock } = application;
  await mailWorker!.idle();
  // A process that dies while sending leaves the mail claimed.
  await application.application.mailer.send(null, clock.now());
  await mailWorker!.idle();
  await server.stop();
  await send(application);
  await mailWorker!.idle();
  const claimedUntil = clock.now().getTime() + 2 * MINUTE_MS;
  const [row] = queuedMails(application);
  await application.application.db.outgoingMail.update({
    where: { id: row!.id },
    data: { dueAt: new Date(claimedUntil) },
  });
  await server.start();
  await advance(application, 2 * MINUTE_MS - 1);
  expect(server.arrived).toEqual([]);
  await advance(application, 1);
  expect(server.arrived).toHaveLength(1);
});

test('a permanently refused mail is not retried, and a temporarily refused one is', async () => {
  let reply: number | null = 550;
  const server = await startServer({ refuse: () => reply });
  const application = await startWith({ SMTP_URL: server.url });
  await send(application);
  await application.mailWorker!.idle();
  expect(queuedMails(application)).toEqual([]);
  reply = 450;
  await send(application);
  await application.mailWorker!.idle();
  expect(queuedMails(application)).toMatchObject([{ tries: 1 }]);
  reply = null;
  await advance(application, 5 * SECOND_MS);
  expect(server.arrived).toHaveLength(1);
});

test('with requireTLS no mail is sent without TLS', async () => {
  const server = await startServer();
  const application = await startWith({ SMTP_URL: `${server.url}?requireTLS=true` });
  await send(application);
  await application.mailWorker!.idle();
  expect(queuedMails(application)).toHaveLength(1);
  expect(server.arrived).toEqual([]);
});

test('the options of SMTP_URL cannot write mails to the console', async () => {
  const server = await startServer();
  const application = await startWith({ SMTP_URL: `${server.url}?logger=true&debug=true` });
  const written: unknown[] = [];
  const log = console.log;
  console.log = (...args: unknown[]) => written.push(args);
  try {
    await send(application);
    await server.arrivals(1);
  } finally {
    console.log = log;
  }
  expect(written).toEqual([]);
});

test('deleting a user also deletes their queued mails', async () => {
  const server = await startServer();
  await server.stop();
  const application = await startWith({ SMTP_URL: server.url });
  const user = await application.application.db.user.create({ data: { email: TO, name: 'Ada' } });
  await send(application, { userId: user.id });
  await application.mailWorker!.idle();
  expect(queuedMails(application)).toHaveLength(1);
  application.sql('DELETE FROM "User" WHERE id = ?', user.id);
  expect(queuedMails(application)).toEqual([]);
});

test('no log line and no row contains an address, code, link or text of a mail', async () => {
  const server = await startServer({ refuse: (to) => (to.startsWith('refused') ? 550 : null) });
  const application = await startWith({ SMTP_URL: server.url });
  await server.stop();
  await send(application);
  await send(application, { to: 'refused@example.com' });
  await application.mailWorker!.idle();
  const rows = application.everything();
  expect(queuedMails(application)).toHaveLength(2);
  await server.start();
  await advance(application, 5 * SECOND_MS);
  application.sql('ALTER TABLE "OutgoingMail" RENAME TO "Away"');
  await advance(application, MINUTE_MS);
  application.sql('ALTER TABLE "Away" RENAME TO "OutgoingMail"');
  const log = logOf(application);
  expect(application.logged.filter(({ level }) => level >= LOG_WARN).length).toBeGreaterThan(3);
  for (const secret of [TO, 'ada.lovelace', 'refused@', CODE, 'Is this your address', '/verify']) {
    expect(log).not.toContain(secret);
    expect(rows).not.toContain(secret);
    expect(rows).not.toContain(Buffer.from(secret).toString('base64').slice(0, 8));
  }
});

describe('a decoy mail', () => {
  test('a decoy runs the same statements and has a row like a real mail, but is never sent', async () => {
    const server = await startServer();
    await server.stop();
    const application = await startWith({ SMTP_URL: server.url });
    const { mailer, db } = application.application;
    const { clock, mailWorker, statements } = application;
    const statementsOf = async (act: () => Promise<void>) => {
      const cut = statements.length;
      await act();
      return statements.slice(cut);
    };
    await mailWorker!.idle();
    const decoyStatements = await statementsOf(() => mailer.send(null, clock.now()));
    const [decoy] = await db.outgoingMail.findMany();
    const mailStatements = await statementsOf(() => send(application));
    expect(decoyStatements).toEqual(mailStatements);
    const mail = await db.outgoingMail.findFirst({ where: { id: { not: decoy!.id } } });
    expect(Math.abs(decoy!.sealed.length - mail!.sealed.length)).toBeLessThan(120);
    await mailWorker!.idle();
    expect(queuedMails(application).map(({ id }) => id)).toEqual([mail!.id]);
    await server.start();
    await advance(application, 5 * SECOND_MS);
    expect(server.arrived.map(({ recipients }) => recipients)).toEqual([[TO]]);
  });
});

describe('shutdown', () => {
  test('closing the application waits for the mail that is being sent', async () => {
    const server: MailServer = await startServer({ thinksForMs: 300 });
    const application = await startApplication({ env: { SMTP_URL: server.url } });
    await send(application);
    while (queuedMails(application)[0]?.tries === 0) await new Promise((go) => setTimeout(go, 5));
    await application.close();
    expect(server.arrived).toHaveLength(1);
  });
});
