import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  besidesRequests,
  startApplication,
  type TestApplication,
} from '../fixtures/application.ts';
import { openBrowser, signUp, type TestUser } from '../fixtures/users.ts';
import { textOf } from './form-on-page.ts';

let application: TestApplication;
let user: TestUser;
beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application);
  await user.browser.get('/');
});
afterAll(() => application.close());

const PATHS = [
  '/nothing',
  '/nothing/here',
  '/settings/nothing',
  '/settings/sessions/x',
  '/login/x',
  '/settings/sessions/x/y',
  '/favicon.ico',
  '/wp-admin.php',
  '/%F0%9F%94%91',
  '/a%20b',
];

test.each(PATHS)('the unknown path %s is answered with the 404 page', async (path) => {
  const cut = application.logged.length;
  for (const browser of [openBrowser(application), user.browser]) {
    const { status, text, headers } = await browser.get(path);
    expect(status).toBe(404);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(textOf(text)).toContain('There is nothing at this address');
    expect(text).toContain('href="/"');
  }
  // An unknown path is logged like every request, without a warning or error.
  expect(besidesRequests(application.logged.slice(cut))).toEqual([]);
});

test('the 404 page shows the menu of a signed-in user', async () => {
  const { text } = await user.browser.get('/nothing/here');
  expect(textOf(text)).toContain(`Menu of ${user.name}`);
  const stranger = await openBrowser(application).get('/nothing/here');
  expect(textOf(stranger.text)).not.toContain(user.name);
});

test('a POST to an unknown path is a 404', async () => {
  for (const browser of [openBrowser(application), user.browser]) {
    const answer = await browser.post('/nothing/here', { a: 'b' });
    expect(answer.status).toBe(404);
    expect(answer.headers['set-cookie']).toBeUndefined();
  }
});

test('a POST to a page without a form is a 405 and no error in the log', async () => {
  const cut = application.logged.length;
  for (const path of ['/', '/settings/sessions', '/settings']) {
    const { status } = await user.browser.post(path, { a: 'b' });
    expect(status, path).toBe(405);
  }
  expect(application.logged.slice(cut).filter(({ level }) => level >= 50)).toEqual([]);
});
