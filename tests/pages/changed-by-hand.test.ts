import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { expectOnceWithin } from '../fixtures/best-round.ts';

const PAGE = '/settings/profile';

let application: TestApplication;
let databaseUrl: string;
beforeAll(async () => {
  application = await startApplication();
  databaseUrl = application.databaseUrl;
});
afterAll(() => application.close());

test('deleting a session directly in the database signs it out within a second', async () => {
  const user = await signUp(application);
  await expectOnceWithin(1000, () => msUntilSignedOut(user));
  expect((await user.browser.get(PAGE)).status).toBe(200);
});

test('deleting a user signs out their sessions at once, through the cascade', async () => {
  const user = await signUp(application);
  await user.browser.get(PAGE);
  const { db, sessions } = application.application;
  await db.user.delete({ where: { email: user.email } });
  await sessions.settle();
  expect((await user.browser.get(PAGE)).status).toBe(302);
});

async function msUntilSignedOut(user: TestUser): Promise<number> {
  const phone = await signIn(application, user);
  expect((await phone.get(PAGE)).status).toBe(200);
  const phoneId = await sessionIdOf(phone);
  deleteInDatabase(phoneId);
  const deletedAt = performance.now();
  await expect.poll(async () => (await phone.get(PAGE)).status).toBe(302);
  return performance.now() - deletedAt;
}

function deleteInDatabase(sessionId: string): void {
  if (!databaseUrl.startsWith('file:')) {
    application.sql('DELETE FROM "Session" WHERE "id" = ?', sessionId);
    return;
  }
  // A second process, like an operator at a terminal.
  const file = databaseUrl.slice('file:'.length);
  const script = `new (require('better-sqlite3'))(${JSON.stringify(file)}).prepare('DELETE FROM "Session" WHERE id = ?').run(${JSON.stringify(sessionId)})`;
  expect(spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' }).stderr).toBe('');
}
