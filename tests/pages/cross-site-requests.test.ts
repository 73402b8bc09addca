import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { dataPathOf, everyRoute, goodFields, pathOf } from './every-route.ts';

/** What a browser says of where a form came from; undefined: nothing. */
const elsewhere: [what: string, headers: Record<string, string | undefined>][] = [
  ['from another site, by its own account', { 'Sec-Fetch-Site': 'cross-site' }],
  ['from a sister domain, by its own account', { 'Sec-Fetch-Site': 'same-site' }],
  ['from no page at all, by its own account', { 'Sec-Fetch-Site': 'none' }],
  ['from another origin', { Origin: 'https://evil.example', 'Sec-Fetch-Site': undefined }],
  ['from another port', { Origin: 'http://localhost:1', 'Sec-Fetch-Site': undefined }],
  [
    'from an origin that begins like ours',
    { 'Sec-Fetch-Site': undefined, Origin: 'SELF.evil.example' },
  ],
  ['from the same host by another scheme', { 'Sec-Fetch-Site': undefined, Origin: 'https://HOST' }],
  ['from a sandboxed frame', { Origin: 'null', 'Sec-Fetch-Site': undefined }],
  ['from a sandboxed frame that claims to be ours', { Origin: 'null' }],
  ['that says nothing of where from', { Origin: undefined, 'Sec-Fetch-Site': undefined }],
  ['with an empty origin', { Origin: '', 'Sec-Fetch-Site': undefined }],
  ['that contradicts itself', { 'Sec-Fetch-Site': 'cross-site', Origin: 'SELF' }],
  ['that contradicts itself the other way', { Origin: 'https://evil.example' }],
  ['with two origins', { Origin: 'SELF, https://evil.example', 'Sec-Fetch-Site': undefined }],
  [
    'with only a referrer of ours',
    { 'Sec-Fetch-Site': undefined, Origin: undefined, Referer: 'SELF/' },
  ],
];

const ownForm = {
  Origin: 'SELF',
  'Sec-Fetch-Site': 'same-origin',
  'Content-Type': 'application/x-www-form-urlencoded',
};
const actions = (await everyRoute()).filter(({ hasAction }) => hasAction);

let application: TestApplication;
let user: TestUser;
let phoneId: string;
beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application);
  const phone = await signIn(application, user);
  phoneId = await sessionIdOf(phone);
  await user.browser.get('/');
  // The page that hands out a secret to set up has done so.
  await user.browser.get('/settings/two-factor/set-up');
});
afterAll(() => application.close());

const cookies = async () => (await user.browser.jar.getCookies(application.origin)).map(String);
const withOwn = (headers: Record<string, string | undefined>) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      value?.replace('SELF', application.origin).replace('HOST', new URL(application.origin).host),
    ]),
  );

test('every action of the application is known here, with a form that does what it is for', () => {
  const forms = Object.keys(goodFields(user));
  expect(actions.map(({ id }) => id).sort()).toEqual(forms.sort());
});

describe.each(actions.map((route) => [route.id, route] as const))('%s', (id, route) => {
  let before: string;
  let held: string[];
  beforeAll(async () => {
    before = application.everything();
    held = await cookies();
  });
  // Looked at once: it is the same after every form that was refused, or one of them was not.
  afterAll(async () => {
    expect(application.everything()).toEqual(before);
    expect(await cookies()).toEqual(held);
  });

  test.each(elsewhere)('refuses a form %s', async (_what, headers) => {
    const fields = goodFields(user)[id]!;
    const path = pathOf(route, phoneId);
    for (const [method, address] of [
      ['POST', path],
      ['POST', dataPathOf(path)],
      ['DELETE', path],
    ] as const) {
      const answer = await user.browser.ask(address, {
        method,
        headers: withOwn({ ...ownForm, ...headers }),
        body: new URLSearchParams(fields).toString(),
      });
      expect(answer.status, `${method} ${address}`).toBe(403);
      expect(answer.headers['set-cookie']).toBeUndefined();
      expect(answer.text).toContain('was not sent from');
    }
  });

  test('does nothing when it is only asked for, whatever stands in its address', async () => {
    const query = new URLSearchParams(goodFields(user)[id]).toString();
    const path = pathOf(route, phoneId);
    for (const address of [`${path}?${query}`, `${dataPathOf(path)}?${query}`]) {
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        const answer = await user.browser.ask(address, {
          method,
          headers: { 'X-HTTP-Method-Override': 'POST', 'Sec-Fetch-Site': 'cross-site' },
        });
        expect(answer.status, `${method} ${address}`).toBeLessThan(500);
      }
    }
  });
});

test.each([
  ['with both headers', {}],
  ['of a browser without Sec-Fetch-Site', { 'Sec-Fetch-Site': undefined }],
  ['of a browser without Origin', { Origin: undefined }],
])('a form of our own page %s does what it is for', async (_what, headers) => {
  const answer = await user.browser.post('/settings/profile', { name: 'Renamed' }, { headers });
  expect(answer.location).toBe('/settings/profile');
});
