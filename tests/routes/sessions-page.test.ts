import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { SAFARI_ON_IPHONE } from '../fixtures/browser-like.ts';
import { signIn, signUp } from '../fixtures/people.ts';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

test('a phone that is signed out from the laptop lands on the login page and is told why', async () => {
  const person = await signUp(application);
  const phone = await signIn(application, person, { userAgent: SAFARI_ON_IPHONE });
  const page = await person.browser.get('/settings/sessions');
  expect(page.text).toContain('Safari on iPhone');

  const answer = await person.browser.post('/settings/sessions/others/sign-out', {});
  expect(answer.location).toBe('/settings/sessions');

  const refused = await phone.get('/settings/profile');
  expect(refused.status).toBe(302);
  expect(refused.location).toBe('/login?redirectTo=%2Fsettings%2Fprofile');
  const login = await phone.follow(refused);
  expect(login.text).toContain('You were signed out from another device.');
});
