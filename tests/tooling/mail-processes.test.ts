import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '#app/database/database.server.ts';
import { createKeyring } from '#app/config/keyring.server.ts';
import { createOutgoingMails } from '#app/mail/outgoing-mails.server.ts';
import { sharedPostgres, type SharedPostgres } from '../fixtures/postgres.ts';
import { startMailServer, type MailServer } from '../fixtures/smtp-server.ts';
import { startScript } from './run-script.ts';

const MAILS = 60;
const HOUR_MS = 3_600_000;
const SECRET = Buffer.alloc(32, 7);

let postgres: SharedPostgres;
let server: MailServer;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-mails-'));
  [postgres, server] = await Promise.all([sharedPostgres(), startMailServer({ thinksForMs: 400 })]);
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

test('several processes with one database send each mail once', async () => {
  const databaseUrl = await postgres.createDatabase();
  const log = { info: () => undefined, warn: () => undefined };
  const database = await openDatabase({ databaseUrl, log });
  const mails = createOutgoingMails(
    database.client,
    createKeyring([{ id: 'test', secret: SECRET }]),
  );
  const now = new Date();
  for (let index = 0; index < MAILS; index += 1) {
    const code = String(100_000 + index);
    const content = { kind: 'sign-up-code', code, link: `https://a.example/#${code}` } as const;
    const expiresAt = new Date(now.getTime() + HOUR_MS);
    await mails.enqueue({ to: `p${index}@example.com`, userId: null, content, expiresAt }, now);
  }
  const names = ['one', 'two', 'three'];
  const running = names.map((name) =>
    startScript('start.js', {
      PORT: '0',
      DATABASE_URL: databaseUrl,
      SMTP_URL: `${server.url}?name=${name}`,
      PASSWORD_PEPPER: 'x'.repeat(32),
      ENCRYPTION_KEYS: `test:${SECRET.toString('base64')}`,
    }),
  );
  onTestFinished(() => running.forEach(({ process }) => process.kill('SIGKILL')));
  await server.arrivals(MAILS);
  // Wait until no mail is left to send.
  while ((await database.client.outgoingMail.count()) > 0) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (const { process } of running) process.kill('SIGTERM');
  const ends = await Promise.all(running.map(({ finished }) => finished));
  await database.close();

  expect(ends.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  const recipients = server.arrived.map((mail) => mail.recipients[0]!);
  expect(recipients).toHaveLength(MAILS);
  expect(new Set(recipients).size).toBe(MAILS);
  // More than one process sent mail, so a race was possible.
  expect(new Set(server.arrived.map(({ sentBy }) => sentBy)).size).toBeGreaterThan(1);
  for (const { stdout } of ends) expect(stdout).not.toContain('@example.com');
});
