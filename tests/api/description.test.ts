import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeToken, publicIdOf } from '../fixtures/api-client.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { turnOnTotp } from '../fixtures/authenticator.ts';
import { describedApi, type DescribedApi } from '../fixtures/described-api.ts';
import { openBrowser, PASSWORD, signUp } from '../fixtures/users.ts';
import { textOf } from '../pages/form-on-page.ts';

const MINUTE_MS = 60_000;

let application: TestApplication;
let api: DescribedApi;
beforeAll(async () => {
  application = await startApplication({ env: { METRICS_TOKEN: 'm'.repeat(32) } });
  api = await describedApi(application);
});
afterAll(() => application.close());

test('every operation of the API answers as the OpenAPI description says', async () => {
  const user = await signUp(application);
  const totp = await turnOnTotp(application, user);
  const { email } = user;
  const wrong = await api.ask('signIn', { body: { email, password: 'not this one' } });
  expect(wrong.problem).toBe('wrong-credentials');
  expect((await api.ask('getCurrentSession')).problem).toBe('not-signed-in');

  const firstStep = await api.ask('signIn', { body: { email, password: PASSWORD } });
  const { pending } = firstStep.json;
  await api.ask('finishSignIn', { body: { pending, secondFactor: '000000' } });
  const finished = await api.ask('finishSignIn', {
    body: { pending, secondFactor: totp.nextCode(), name: 'Described' },
  });
  let token = finished.json.token!;
  expect((await api.ask('getCurrentSession', { token })).json.person.email).toBe(email);

  application.clock.advance(16 * MINUTE_MS);
  expect((await api.ask('download', { token })).problem).toBe('proof-required');
  const body = { password: PASSWORD, secondFactor: totp.nextCode() };
  token = (await api.ask('confirm', { token, body })).json.token!;
  expect((await api.ask('download', { token })).json.format).toBeTruthy();

  const accessToken = await makeTokenAfterReauthentication(user.browser, totp.nextCode());
  const listed = await api.ask('listSessions', { token });
  expect(listed.json.sessions).toHaveLength(3);
  await api.ask('listSessions', { token: accessToken });
  expect((await api.ask('download', { token: accessToken })).problem).toBe('scope-missing');
  await api.ask('nameSession', { token, id: publicIdOf(token), body: { name: 'Renamed' } });
  await api.ask('nameSession', { token, id: publicIdOf(token), body: { name: 'x'.repeat(41) } });
  await api.ask('endSession', { token, id: 'unknown' });
  await api.ask('endSession', { token, id: publicIdOf(accessToken) });
  await api.ask('endOtherSessions', { token, query: { tokens: 'revoke' } });
  await api.ask('signOut', { token });
  await api.ask('describe');
  expect([...api.asked].sort()).toEqual(api.operations.sort());
});

/** Makes an access token through the page, after re-authentication with both factors. */
async function makeTokenAfterReauthentication(
  browser: Parameters<typeof makeToken>[0],
  secondFactor: string,
) {
  await browser.post('/confirm', { password: PASSWORD, secondFactor, redirectTo: '/' });
  return makeToken(browser, ['sessions:read']);
}

test('the page for developers shows the description to every visitor, without scripts', async () => {
  const page = await openBrowser(application).get('/developers');
  expect(page.status).toBe(200);
  const text = textOf(page.text);
  for (const path of ['/api/login', '/api/sessions/{id}', '/api/download']) {
    expect(text).toContain(path);
  }
  expect(text).toContain('Whoever is signed in, and access tokens with sessions:read.');
  // The URL in the type of a problem points here.
  expect(page.text).toContain('id="proof-required"');
  expect(page.text).toContain('href="/api/openapi.json"');
});

test('API requests are counted in the metrics by the pattern of their path', async () => {
  const browser = openBrowser(application);
  await browser.ask('/api/sessions/abc', { method: 'DELETE' });
  await browser.get('/api/whatever/else');
  const { text } = await browser.get('/metrics', {
    headers: { Authorization: `Bearer ${'m'.repeat(32)}` },
  });
  expect(text).toContain(`method="DELETE",route="/api/sessions/:id"`);
  expect(text).not.toContain('whatever');
});
