import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { openBrowser, signUp, type TestUser } from '../fixtures/users.ts';

const PAGE = '/settings/profile';
/** More than a thread that blocks on the lock could serve before its timeout. */
const REQUESTS_DURING_LOCK = 20;

let application: TestApplication;
let user: TestUser;
let holder: ChildProcess | null = null;

beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application);
});
afterEach(unlock);
afterAll(() => application.close());

/** Locks the database file from another process, as an administrator's program might. */
async function lock(): Promise<void> {
  const file = application.databaseUrl.slice('file:'.length);
  const script = `new (require('better-sqlite3'))(${JSON.stringify(file)}).exec('BEGIN EXCLUSIVE');
    process.stdout.write('locked'); process.stdin.resume()`;
  holder = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(holder.stdout!, 'data');
}

async function unlock(): Promise<void> {
  if (!holder) return;
  const ended = once(holder, 'exit');
  holder.kill('SIGKILL');
  holder = null;
  await ended;
}

/** Starts a write. `isOver` returns whether its response has arrived. */
const changeName = (name: string) => {
  let isOver = false;
  const answer = user.browser.post(PAGE, { name }).finally(() => (isOver = true));
  return { answer, isOver: () => isOver };
};

test('a locked SQLite file delays writes until it is unlocked, and nothing else', async () => {
  await lock();
  const writing = changeName('Grace Hopper');
  for (let count = 0; count < REQUESTS_DURING_LOCK; count += 1) {
    expect((await openBrowser(application).get('/healthz')).status).toBe(200);
  }
  expect((await openBrowser(application).get('/readyz')).status).toBe(200);
  expect((await user.browser.get(PAGE)).status).toBe(200);
  expect(writing.isOver()).toBe(false);
  await unlock();
  expect((await writing.answer).status).toBe(302);
  expect((await user.browser.get(PAGE)).text).toContain('Grace Hopper');
});

test('a write on a SQLite file that stays locked fails with 503, and signs no user out', async () => {
  await lock();
  const answer = await changeName('Ada Lovelace').answer;
  expect(answer.status).toBe(503);
  expect(answer.headers['retry-after']).toBe('10');
  await unlock();
  expect((await user.browser.get(PAGE)).text).toContain('Grace Hopper');
});
