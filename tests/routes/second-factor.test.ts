import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { turnOnTotp } from '../fixtures/authenticator.ts';
import { openBrowser, PASSWORD, signUp } from '../fixtures/people.ts';

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

describe('first', () => {
  test('signs in', async () => {
    const person = await signUp(application);
    const app = await turnOnTotp(application, person);
    const browser = openBrowser(application);
    const first = await browser.post('/login', { email: person.email, password: PASSWORD });
    expect(first.location).toBe('/login/code');
    expect(await browser.sessionToken()).toBeNull();
    const page = await browser.get('/login/code');
    expect(page.text).toContain(person.email);
    const second = await browser.post('/login/code', { code: app.nextCode() });
    expect(second.location, second.text).toBe('/');
    expect(await browser.sessionToken()).not.toBeNull();
  });
});
