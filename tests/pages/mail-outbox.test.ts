import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MailContent } from '#app/mail/mail.ts';
import { LOG_WARN, startApplication, type TestApplication } from '../fixtures/application.ts';
import { openBrowser } from '../fixtures/users.ts';
import { mailbox } from '../fixtures/mailbox.ts';
import { startMailServer } from '../fixtures/smtp-server.ts';
import { everyMail } from '../mail/every-mail.ts';
import { tags, textOf } from './form-on-page.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const HOSTILE = '</title></pre></iframe><script>alert(1)</script>"><img src=x onerror=alert(1)>';
const content: MailContent = {
  kind: 'sign-up-code',
  code: '493817',
  link: 'http://localhost/verify#493817',
};

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

const send = async (to: string, what: MailContent, from = application) => {
  const now = from.clock.now();
  const expiresAt = new Date(now.getTime() + HOUR_MS);
  await from.application.mailer.send({ to, userId: null, content: what, expiresAt }, now);
  await from.mailWorker!.idle();
};
const folder = () => join(application.folder, 'outbox');
const newestId = async () => (await application.application.outbox!.list())[0]!.mailId;

test('a sent mail is a file in the outbox that only the owner of the process can read', async () => {
  await send('ada@example.com', content);
  await application.application.mailer.send(null, application.clock.now());
  const box = mailbox(application);
  const mail = await box.nextMailTo('ada@example.com', 'sign-up-code');
  expect(mail).toMatchObject({ code: '493817', kind: 'sign-up-code' });
  expect(mail.links[0]).toBe('http://localhost/verify#493817');
  expect(await box.unread()).toEqual([]);
  expect(application.sql('SELECT id FROM "OutgoingMail"')).toEqual([]);
  expect(statSync(folder()).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(folder())) {
    expect(name).toMatch(/^[\d-]+-[0-9a-f]{12}\.json$/);
    expect(statSync(join(folder(), name)).mode & 0o777).toBe(0o600);
  }
});

describe('the outbox', () => {
  beforeEach(() => application.clock.advance(MINUTE_MS));

  test('the outbox lists mails, newest first, and shows each as it would arrive', async () => {
    await send('first@example.com', content);
    application.clock.advance(MINUTE_MS);
    await send('second@example.com', everyMail()[1]!);
    const visitor = openBrowser(application);
    const list = await visitor.get('/outbox');
    expect(list.status).toBe(200);
    const shown = textOf(list.text);
    expect(shown).toContain('You have a Latchkey account already second@example.com just now');
    expect(shown).toMatch(/second@example\.com.+first@example\.com.+1 minute ago/s);
    // The list contains no code.
    expect(list.text).not.toContain('493817');

    const [, first] = await application.application.outbox!.list();
    const page = await visitor.get(`/outbox/${first!.mailId}`);
    expect(page.status).toBe(200);
    expect(textOf(page.text)).toContain('To first@example.com');
    expect(textOf(page.text)).toContain('493817');
    expect(textOf(page.text)).toContain('It was not sent');
    const [frame] = tags(page.text, 'iframe');
    expect(frame).toContain(`src="/outbox/${first!.mailId}/html"`);
    expect(frame).toContain('sandbox="allow-popups allow-popups-to-escape-sandbox"');
    const mail = await visitor.get(`/outbox/${first!.mailId}/html`);
    expect(mail.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(mail.text).toBe((await application.application.outbox!.read(first!.mailId))!.html);
  });

  test('the HTML of a mail has its own Content-Security-Policy, however its path is spelled', async () => {
    await send('ada@example.com', content);
    const visitor = openBrowser(application);
    const path = `/outbox/${await newestId()}/html`;
    const own = await visitor.get(path);
    for (const policy of String(own.headers['content-security-policy']).split(', ')) {
      expect(policy).toMatch(/^default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'/);
      expect(policy).toContain('sandbox allow-popups');
      expect(policy).toContain("frame-ancestors 'self'");
      expect(policy).not.toMatch(/script|img-src|connect|allow-same-origin|allow-scripts/);
    }
    expect(own.headers['x-frame-options']).toBe('SAMEORIGIN');
    expect(own.headers['cache-control']).toContain('no-store');
    for (const other of [path.toUpperCase(), `${path}/`, `${path}?x`, `/${path}`]) {
      const { status, headers } = await visitor.get(other);
      if (status === 200) expect(headers['content-security-policy']).toContain('sandbox');
    }
    // The page around the mail may frame our own origin, and is otherwise like every page.
    const around = await visitor.get('/outbox');
    expect(around.headers['content-security-policy']).toContain("frame-src 'self'");
    expect(around.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    const front = await visitor.get('/');
    expect(front.headers['content-security-policy']).not.toContain('frame-src');
  });

  test('the outbox shows hostile text in a mail as text', async () => {
    await send('ada@example.com', content);
    const benign = await newestId();
    application.clock.advance(MINUTE_MS);
    const mail = everyMail({ name: HOSTILE }).find(({ kind }) => kind === 'email-changed')!;
    await send('ada@example.com', mail);
    const id = await newestId();
    const visitor = openBrowser(application);
    const page = await visitor.get(`/outbox/${id}`);
    expect(textOf(page.text)).toContain(HOSTILE.replace(/\s+/g, ' '));
    const [markup] = page.text.split('<script');
    expect(tags(page.text, 'img')).toEqual([]);
    const plain = (await visitor.get(`/outbox/${benign}`)).text.split('<script')[0]!;
    const tagNames = (html: string) => (html.match(/<[a-z/][\w-]*/gi) ?? []).join('');
    expect(tagNames(markup!)).toBe(tagNames(plain));
  });

  test('the outbox serves no file that is not a mail', async () => {
    writeFileSync(join(folder(), 'notes.json'), '{"secret":"canary"}');
    const damaged = '00000000000001-000001-0123456789ab';
    writeFileSync(join(folder(), `${damaged}.json`), '{"subject":');
    const visitor = openBrowser(application);
    for (const id of [
      'notes',
      'notes.json',
      '..%2fsecrets',
      '..%2f..%2fpackage',
      'x',
      damaged,
      '00000000000000-000001-000000000000',
      'x'.repeat(5000),
      '%00',
    ]) {
      for (const path of [`/outbox/${id}`, `/outbox/${id}/html`]) {
        const { status, text } = await visitor.get(path);
        expect(status, path).toBe(404);
        expect(text).not.toContain('canary');
        expect(text).not.toContain('passwordPepper');
      }
    }
    expect((await visitor.get('/outbox')).status).toBe(200);
  });

  test('the outbox keeps the newest 200 mails', async () => {
    const { outbox } = application.application;
    const signal = new AbortController().signal;
    const letter = {
      id: 'x',
      kind: 'notice',
      to: 'a@b',
      subject: 's',
      html: 'h',
      text: 't',
    } as const;
    for (let count = 0; count < 205; count += 1) {
      const at = new Date(application.clock.now().getTime() + count);
      await outbox!.deliver({ ...letter, subject: `mail ${count}`, at }, signal);
    }
    const mails = await outbox!.list();
    expect(mails).toHaveLength(200);
    expect(mails[0]!.subject).toBe('mail 204');
    expect(mails.at(-1)!.subject).toBe('mail 5');
    const files = readdirSync(folder()).filter((name) => /^\d{14}-/.test(name));
    expect(files).toHaveLength(200);
    for (const name of files) JSON.parse(readFileSync(join(folder(), name), 'utf8'));
  });

  test('the outbox is a 404 for requests from another machine', async () => {
    const behindProxy = await startApplication({ env: { TRUSTED_PROXIES: '1' } });
    await send('ada@example.com', content, behindProxy);
    const [mail] = await behindProxy.application.outbox!.list();
    const neighbour = openBrowser(behindProxy, { headers: { 'X-Forwarded-For': '192.168.1.7' } });
    for (const path of ['/outbox', `/outbox/${mail!.mailId}`, `/outbox/${mail!.mailId}/html`]) {
      expect((await neighbour.get(path)).status).toBe(404);
      expect((await openBrowser(behindProxy).get(path)).status).toBe(200);
    }
    await behindProxy.close();
  });
});

describe('applications without an outbox', () => {
  const SECRETS = { PASSWORD_PEPPER: 'x'.repeat(32), ENCRYPTION_KEYS: `a:${'A'.repeat(43)}` };
  const publicOrigin = { ...SECRETS, ORIGIN: 'https://latchkey.example', BCRYPT_COST: '10' };
  const paths = (mailId: string) => [
    '/outbox',
    '/outbox.data',
    `/outbox/${mailId}`,
    `/outbox/${mailId}.data`,
    `/outbox/${mailId}/html`,
  ];

  test.each([
    ['on a public origin without SMTP_URL', publicOrigin],
    ['with SMTP_URL on a public origin', { ...publicOrigin, SMTP_URL: 'smtp://127.0.0.1:1' }],
    ['with SMTP_URL on this machine', { SMTP_URL: 'smtp://127.0.0.1:1' }],
  ])(
    '%s, the pages of the outbox are a 404, even if there are files in the folder',
    async (_what, env) => {
      await send('ada@example.com', content);
      const OUTBOX_FOLDER = folder();
      const other = await startApplication({ env: { ...env, OUTBOX_FOLDER } });
      const mailId = await newestId();
      for (const path of paths(mailId)) {
        const { status, text, headers } = await openBrowser(other).get(path);
        expect(status, path).toBe(404);
        expect(text).not.toContain('493817');
        expect(headers['content-security-policy']).not.toMatch(/frame-src|unsafe-inline/);
      }
      await other.close();
    },
  );

  test('without SMTP_URL on a public origin the start warns once, and mail is dropped', async () => {
    const other = await startApplication({ env: publicOrigin });
    const warnings = other.logged.filter(({ level }) => level >= LOG_WARN);
    expect(warnings.map(({ msg }) => msg)).toEqual([expect.stringMatching(/^SMTP_URL is not set/)]);
    expect(warnings[0]!.msg).toContain('password reset');
    const { mailer, outbox } = other.application;
    expect([mailer.isOn, outbox, other.mailWorker]).toEqual([false, null, null]);
    const now = other.clock.now();
    await mailer.send({ to: 'ada@example.com', userId: null, content, expiresAt: now }, now);
    expect(other.sql('SELECT id FROM "OutgoingMail"')).toEqual([]);
    await other.close();
  });

  test('with SMTP_URL the start logs that mail is sent, without the password', async () => {
    const server = await startMailServer();
    const SMTP_URL = server.url.replace('//', '//user:canary-password@');
    const other = await startApplication({ env: { SMTP_URL } });
    expect(other.logged.filter(({ level }) => level >= LOG_WARN)).toEqual([]);
    expect(other.logged.map(({ msg }) => msg)).toContain('mail is sent by SMTP_URL');
    expect(JSON.stringify(other.logged)).not.toContain('canary');
    await other.close();
    await server.stop();
  });

  test('on this machine the start logs the URL of the outbox', () => {
    expect(application.logged).toContainEqual(
      expect.objectContaining({ outbox: `${application.origin}/outbox` }),
    );
  });
});
