import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { pastPostgres, pastSqlite } from '../fixtures/past-the-application.ts';
import { signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { sharedPostgres, type SharedPostgres } from '../fixtures/postgres.ts';
import { runScript } from './run-script.ts';

const PAGE = '/settings/data/delete';
const DAY_MS = 86_400_000;

let postgres: SharedPostgres;
beforeAll(async () => {
  postgres = await sharedPostgres();
});

describe.each(['SQLite', 'PostgreSQL'] as const)('on %s', (provider) => {
  let folder: string;
  let env: Record<string, string>;
  let backup: string;
  let journal: string;
  let erasedUser: TestUser;
  let keptUser: TestUser;
  const run = (args: string[], more: Record<string, string> = {}) =>
    runScript('run.js', { ...env, ...more }, { args });
  const start = (): Promise<TestApplication> => startApplication({ env });
  const past = () =>
    provider === 'SQLite'
      ? pastSqlite(env.DATABASE_URL!.slice('file:'.length))
      : pastPostgres(env.DATABASE_URL!);
  const emails = () => {
    const open = past();
    const rows = open.sql<{ email: string }>('SELECT email FROM User ORDER BY email');
    open.close();
    return rows.map(({ email }) => email);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'latchkey-backup-'));
    const databaseUrl =
      provider === 'SQLite'
        ? `file:${join(folder, 'latchkey.db')}`
        : await postgres.createDatabase();
    journal = join(folder, 'erasures.jsonl');
    backup = join(folder, 'backups', 'one');
    env = {
      DATABASE_URL: databaseUrl,
      ERASURE_JOURNAL: journal,
      SECRETS_FILE: join(folder, 'secrets.json'),
    };
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('a backup works during writes, is readable by its owner only, and overwrites no file', async () => {
    const application = await start();
    erasedUser = await signUp(application, { email: 'gone@example.com' });
    keptUser = await signUp(application, { email: 'stays@example.com' });
    const { db } = application.application;
    let isWriting = true;
    let written = 0;
    const expiresAt = new Date(Date.now() + DAY_MS);
    const writer = (async () => {
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- changed below, during an await
      while (isWriting) {
        await db.spent.create({ data: { digest: `row ${written}`, expiresAt } });
        written += 1;
        // Let other work run.
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const end = await run(['backup', backup]);
    isWriting = false;
    await writer;
    expect(end.stderr).toBe('');
    expect(end.exitCode).toBe(0);
    expect(end.stdout).toContain(`${backup}: `);
    expect(end.stdout).toMatch(/\d(\.\d)? KB/);
    expect(end.stdout).toContain('The backup does not contain PASSWORD_PEPPER');
    expect(statSync(backup).mode & 0o777).toBe(0o600);
    expect(written).toBeGreaterThan(10);

    const bytes = readFileSync(backup);
    const again = await run(['backup', backup]);
    expect(again.stderr).toMatch(/is there already, and is left as it is/);
    expect(again.exitCode).toBe(1);
    expect(readFileSync(backup).equals(bytes)).toBe(true);

    // After the backup, one account is erased and one is created. A restore is refused while the server runs.
    await erasedUser.browser.post(PAGE, { email: erasedUser.email });
    await signUp(application, { email: 'new@example.com' });
    const refused = await run(['restore', backup, '--yes']);
    expect(refused.stderr).toMatch(/is in use.*stop the server/);
    expect(refused.exitCode).toBe(1);
    await application.close();
    expect(emails()).toEqual(['new@example.com', 'stays@example.com']);
  });

  test('a restore without a terminal and without --yes is refused', async () => {
    const end = await run(['restore', backup]);
    expect(end.stderr).toMatch(/add --yes/);
    expect(end.exitCode).toBe(1);
    expect(emails()).toEqual(['new@example.com', 'stays@example.com']);
  });

  test.each([
    ['is damaged', () => readFileSync(backup).subarray(0, 9000), /is damaged/],
    [
      'is from the other kind of database',
      () => Buffer.from(provider === 'SQLite' ? 'PGDMP and more' : 'SQLite format 3\0 and more'),
      /restore it to one of its own kind/,
    ],
    ['is not a backup', () => Buffer.from('buy milk '.repeat(100)), /is no backup/],
  ])('a file that %s is refused, and nothing changes', async (_what, bytes, message) => {
    const file = join(folder, 'other');
    writeFileSync(file, bytes());
    const before = readdirSync(folder).filter((name) => !/-(wal|shm)$/.test(name));
    const end = await run(['restore', file, '--yes']);
    expect(end.stderr).toMatch(message);
    expect(end.stderr).toMatch(/^[^\n]+\.\n$/);
    expect(end.exitCode).toBe(1);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(before));
    expect(emails()).toEqual(['new@example.com', 'stays@example.com']);
  });

  test('a restore brings back all users except those erased since, and keeps the replaced database', async () => {
    rmSync(journal);
    const end = await run(['restore', backup, '--yes']);
    expect(end.stderr).toBe('');
    expect(end.exitCode).toBe(0);
    expect(end.stdout).toContain(
      '1 account that was erased after the backup was made is erased again.',
    );
    expect(emails()).toEqual(['stays@example.com']);
    const aside = /kept as (.+); remove it/.exec(end.stdout)![1]!;
    if (provider === 'SQLite') expect(statSync(aside).size).toBeGreaterThan(0);
    else expect(aside).toMatch(/^schema public_replaced_\d{8}_\d{6}$/);
    // The restored database works, and the server finishes the repeated erasure.
    const application = await start();
    await signIn(application, keptUser);
    expect(application.sql('SELECT id FROM "ErasureReceipt" WHERE pending IS NULL')).toHaveLength(
      1,
    );
    // The backup has all rows that were written before one point in time, and none after it.
    const rows = application.sql<{ digest: string }>(
      `SELECT digest FROM "Spent" WHERE digest LIKE 'row %'`,
    );
    expect(new Set(rows.map(({ digest }) => digest))).toEqual(
      new Set(rows.map((_row, index) => `row ${index}`)),
    );
    await application.close();
  });

  test('a restore repeats erasures from the journal alone if the replaced database is lost', async () => {
    const lines = readFileSync(journal, 'utf8');
    expect(lines).not.toContain('gone');
    if (provider === 'SQLite') rmSync(env.DATABASE_URL!.slice('file:'.length));
    else env = { ...env, DATABASE_URL: await postgres.createDatabase() };
    const end = await run(['restore', backup, '--yes']);
    expect(end.stderr).toBe('');
    expect(end.stdout).toContain(
      '1 account that was erased after the backup was made is erased again.',
    );
    expect(emails()).toEqual(['stays@example.com']);
  });

  test('retention --dry-run counts the rows without a change, and retention deletes them', async () => {
    const open = past();
    const old = Date.now() - 400 * DAY_MS;
    open.sql(`INSERT INTO "Spent" (digest, expiresAt) VALUES (?, ?)`, 'an old one', old);
    open.sql('UPDATE "Activity" SET "at" = ?', old);
    const { length } = open.sql('SELECT id FROM "Activity"');
    const before = open.everything();
    const dry = await run(['retention', '--dry-run']);
    expect(dry.stderr).toBe('');
    expect(dry.stdout).toMatch(new RegExp(`^activity entries +${length}  180 days after`, 'm'));
    expect(dry.stdout).toMatch(/^spent things +[1-9]/m);
    expect(dry.stdout).toContain('Nothing was deleted.');
    expect(open.everything()).toBe(before);
    const real = await run(['retention']);
    expect(real.stdout).toMatch(new RegExp(`^activity entries +${length} `, 'm'));
    expect(open.sql('SELECT id FROM "Activity"')).toEqual([]);
    expect((await run(['retention'])).stdout).toMatch(/^total +0$/m);
    open.close();
  });
});

test('a backup without pg_dump on the PATH fails and says what to install', async () => {
  const end = await runScript(
    'run.js',
    { DATABASE_URL: await postgres.createDatabase(), PATH: '/nowhere' },
    { args: ['backup', join(tmpdir(), 'latchkey-never-made')] },
  );
  expect(end.stderr).toMatch(/^pg_dump is needed and not found on PATH; install .*\.\n$/);
  expect(end.exitCode).toBe(1);
});
