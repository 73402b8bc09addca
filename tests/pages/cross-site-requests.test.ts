import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { dataPathOf, everyRoute, goodFields, pathOf } from './every-route.ts';

/** Headers that show that a form is not ours. `undefined` leaves the header out. */
const foreign: [what: string, headers: Record<string, string | undefined>][] = [
  ['from another site, by Sec-Fetch-Site', { 'Sec-Fetch-Site': 'cross-site' }],
  ['from a sibling subdomain, by Sec-Fetch-Site', { 'Sec-Fetch-Site': 'same-site' }],
  ['from no page at all, by Sec-Fetch-Site', { 'Sec-Fetch-Site': 'none' }],
  ['from another origin', { Origin: 'https://evil.example', 'Sec-Fetch-Site': undefined }],
  ['from another port', { Origin: 'http://localhost:1', 'Sec-Fetch-Site': undefined }],
  [
    'from an origin that begins like ours',
    { 'Sec-Fetch-Site': undefined, Origin: 'SELF.evil.example' },
  ],
  ['from the same host by another scheme', { 'Sec-Fetch-Site': undefined, Origin: 'https://HOST' }],
  ['from a sandboxed frame', { Origin: 'null', 'Sec-Fetch-Site': undefined }],
  ['from a sandboxed frame, with Sec-Fetch-Site: same-origin', { Origin: 'null' }],
  ['without Origin and Sec-Fetch-Site', { Origin: undefined, 'Sec-Fetch-Site': undefined }],
  ['with an empty origin', { Origin: '', 'Sec-Fetch-Site': undefined }],
  [
    'with our Origin, but Sec-Fetch-Site: cross-site',
    { 'Sec-Fetch-Site': 'cross-site', Origin: 'SELF' },
  ],
  ['from another origin, but with Sec-Fetch-Site: same-origin', { Origin: 'https://evil.example' }],
  ['with two origins', { Origin: 'SELF, https://evil.example', 'Sec-Fetch-Site': undefined }],
  [
    'with nothing but our Referer',
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
  // The first visit of this page stores a pending secret. The comparison below must not see that.
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

test('every action of the application has a valid form in every-route.ts', () => {
  const forms = Object.keys(goodFields(user));
  expect(actions.map(({ id }) => id).sort()).toEqual(forms.sort());
});

describe.each(actions.map((route) => [route.id, route] as const))('%s', (id, route) => {
  let before: string;
  let cookiesBefore: string[];
  beforeAll(async () => {
    before = application.everything();
    cookiesBefore = await cookies();
  });
  // Compared once, after all forms: a single form that had an effect would show here.
  afterAll(async () => {
    expect(application.everything()).toEqual(before);
    expect(await cookies()).toEqual(cookiesBefore);
  });

  test.each(foreign)(`${id} refuses a form %s`, async (_what, headers) => {
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

  test(`${id} does nothing on GET, HEAD and OPTIONS, even with the fields in the query`, async () => {
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
])('a form of our own page %s is accepted', async (_what, headers) => {
  const answer = await user.browser.post('/settings/profile', { name: 'Renamed' }, { headers });
  expect(answer.location).toBe('/settings/profile');
});
