import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import {
  newDatabase,
  newFolder,
  startApplication,
  type TestApplication,
} from '../fixtures/application.ts';
import { openBrowser } from '../fixtures/users.ts';
import { hatchCanary } from './two-users.ts';

const PAGE = '/settings/data/delete';
const CHILD = fileURLToPath(new URL('./erasing-process.js', import.meta.url));
/** Statements at which to kill the server. The last ones are beyond the end of an erasure. */
const ALL_POINTS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 14];
/** Three of them suffice on PostgreSQL, except in the nightly run. */
const postgresUrl = inject('postgresUrl') as string | undefined;
const isShort = postgresUrl !== undefined && !process.env.LATCHKEY_NIGHTLY;
const KILL_AT = isShort ? [2, 6, 14] : ALL_POINTS;

let application: TestApplication;
const folder = newFolder();
let databaseUrl: string;
const start = async () => {
  application = await startApplication({ folder, env: { DATABASE_URL: databaseUrl } });
};
beforeAll(async () => {
  databaseUrl = await newDatabase(folder);
  await start();
});
afterAll(async () => {
  await application.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts a server process on the same database, files and secrets. */
async function startChild(killAt: number) {
  const env = {
    NODE_ENV: 'production',
    PORT: '0',
    BCRYPT_COST: '4',
    PWNED_PASSWORDS: 'off',
    SECRETS_FILE: join(folder, 'secrets.json'),
    OUTBOX_FOLDER: join(folder, 'outbox'),
    ERASURE_JOURNAL: join(folder, 'erasures.jsonl'),
    DATABASE_URL: databaseUrl,
  };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(env), String(killAt)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  const port = await new Promise<number>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const match = /serving on (\d+)/.exec(output);
      if (match) resolve(Number(match[1]));
    });
  });
  const ended = once(child, 'exit');
  return { child, port, ended };
}

test.each(KILL_AT)(
  'an erasure killed at statement %i is all or nothing, and the next start completes it',
  async (killAt) => {
    const { user, userId, traces } = await hatchCanary(
      application,
      `killed-${killAt}-${Math.random().toString(36).slice(2)}`,
    );
    const token = (await user.browser.sessionToken())!;
    // A SQLite file allows one server at a time.
    await application.close();
    const { port, child, ended } = await startChild(killAt);
    const browser = openBrowser({ origin: `http://localhost:${port}`, port });
    await browser.plantToken(token);
    const answer = await browser.post(PAGE, { email: user.email }).catch(() => null);
    // A server that got past the last statement is still alive.
    if (answer !== null) child.kill('SIGKILL');
    const [, signal] = (await ended) as [number | null, string];
    expect(signal).toBe('SIGKILL');

    await start();
    const browserAfter = openBrowser(application);
    await browserAfter.plantToken(token);
    const usersLeft = application.sql('SELECT id FROM User WHERE id = ?', userId).length;
    if (usersLeft === 1) {
      // Nothing was deleted: every row is there, the session works, and a retry succeeds.
      for (const table of ['Session', 'Password', '"Totp"', '"Picture"', '"Passkey"']) {
        expect(
          application.sql(`SELECT userId FROM ${table} WHERE userId = ?`, userId),
        ).toHaveLength(1);
      }
      expect((await browserAfter.get('/settings/profile')).status).toBe(200);
      expect((await browserAfter.post(PAGE, { email: user.email })).location).toMatch(/^\/erased/);
    }
    // The start has completed the interrupted erasure.
    await application.mailWorker!.idle();
    const text = application.everything();
    expect(traces.filter((trace) => text.includes(trace))).toEqual([]);
    const receipts = application.sql<{ id: string; pending: string | null }>(
      'SELECT id, pending FROM "ErasureReceipt"',
    );
    expect(receipts.every(({ pending }) => pending === null)).toBe(true);
    const journal = join(application.folder, 'erasures.jsonl');
    const lines = existsSync(journal)
      ? readFileSync(journal, 'utf8').split('\n').filter(Boolean)
      : [];
    expect(lines.map((line) => (JSON.parse(line) as { id: string }).id).sort()).toEqual(
      receipts.map(({ id }) => id).sort(),
    );
    outcomes.push(usersLeft === 1 ? 'nothing' : answer === null ? 'cut off after' : 'all');
  },
);

const outcomes: string[] = [];
test('the servers were killed both before and after the commit of the erasure', () => {
  expect(outcomes).toHaveLength(KILL_AT.length);
  expect(new Set(outcomes)).toContain('nothing');
  expect(new Set(outcomes)).toContain('cut off after');
});
