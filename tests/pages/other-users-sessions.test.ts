import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  besidesRequests,
  startApplication,
  type TestApplication,
} from '../fixtures/application.ts';
import type { Answer } from '../fixtures/browser-like.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { dataPathOf } from './every-route.ts';

const PAGE = '/settings/sessions';

let application: TestApplication;
let ada: TestUser;
let bob: TestUser;
let idsOfBob: string[];
beforeAll(async () => {
  application = await startApplication();
  ada = await signUp(application, { name: 'Ada' });
  bob = await signUp(application, { name: 'Bob' });
  const phone = await signIn(application, bob, { remember: true });
  const ended = await signIn(application, bob);
  idsOfBob = await Promise.all([bob.browser, phone, ended].map(sessionIdOf));
  await ended.post('/logout', {});
  await bob.browser.post(`${PAGE}/${idsOfBob[1]!}/name`, { label: "Bob's phone" });
  for (const { browser } of [ada, bob]) await browser.get('/');
});
afterAll(() => application.close());

/** The answer without the requested id, the nonce and the headers that differ in every answer. */
const withoutVariableParts = ({ status, headers, text }: Answer, id: string) => {
  const nonce = /'nonce-([^']+)'/.exec(String(headers['content-security-policy']))![1]!;
  const { date: _date, 'x-request-id': _id, ...rest } = headers;
  const mask = (content: string) => content.replaceAll(id, 'ID').replaceAll(nonce, 'NONCE');
  return { status, headers: mask(JSON.stringify(rest)), text: mask(text) };
};
const rowsOfBob = () =>
  application.sql(
    'SELECT * FROM Session WHERE userId IN (SELECT id FROM User WHERE name = ?)',
    'Bob',
  );

type SendRequest = (id: string) => Promise<Answer>;
const requests: [what: string, send: SendRequest][] = [
  ['opening the name page', (id) => ada.browser.get(`${PAGE}/${id}/name`)],
  ['opening the sign-out page', (id) => ada.browser.get(`${PAGE}/${id}/sign-out`)],
  ['naming it', (id) => ada.browser.post(`${PAGE}/${id}/name`, { label: 'Mine now' })],
  [
    'naming it with too long a name',
    (id) => ada.browser.post(`${PAGE}/${id}/name`, { label: 'x'.repeat(41) }),
  ],
  ['removing its name', (id) => ada.browser.post(`${PAGE}/${id}/name`, { label: '' })],
  ['signing it out', (id) => ada.browser.post(`${PAGE}/${id}/sign-out`, {})],
  ['loading the name page by script', (id) => ada.browser.get(dataPathOf(`${PAGE}/${id}/name`))],
  [
    'loading the sign-out page by script',
    (id) => ada.browser.get(dataPathOf(`${PAGE}/${id}/sign-out`)),
  ],
  [
    'naming it by script',
    (id) => ada.browser.post(dataPathOf(`${PAGE}/${id}/name`), { label: 'Mine now' }),
  ],
  ['signing it out by script', (id) => ada.browser.post(dataPathOf(`${PAGE}/${id}/sign-out`), {})],
];

describe("another user's session", () => {
  test.each(requests)(
    "%s: another user's session and a missing one get the same 404, byte for byte",
    async (_what, send) => {
      const before = rowsOfBob();
      const missing = 'A'.repeat(22);
      const expected = withoutVariableParts(await send(missing), missing);
      expect(expected.status).toBe(404);
      expect(idsOfBob).toHaveLength(3);
      for (const id of idsOfBob) expect(withoutVariableParts(await send(id), id)).toEqual(expected);
      expect(rowsOfBob()).toEqual(before);
    },
  );
});

test('signing out all other sessions ends no session of another user', async () => {
  const before = rowsOfBob();
  await ada.browser.post(`${PAGE}/others/sign-out`, { userId: 'x', exceptId: idsOfBob[0]! });
  expect(rowsOfBob()).toEqual(before);
});

test.each([
  'x',
  'null',
  'undefined',
  '0',
  '%00',
  'A%00',
  '%0d%0aSet-Cookie:%20a=b',
  "'%20OR%20'1'='1",
  '%25',
  '%F0%9F%94%91',
  '*',
  '__proto__',
  'constructor',
  'x'.repeat(6000),
])('the malformed session id "%s" is answered 404', async (id) => {
  const logStart = application.logged.length;
  for (const path of [`${PAGE}/${id}/name`, `${PAGE}/${id}/sign-out`]) {
    expect((await ada.browser.get(path)).status).toBe(404);
    const answer = await ada.browser.post(path, { label: 'x' }, { from: PAGE });
    expect(answer.status).toBe(404);
    expect(answer.headers['set-cookie']).toBeUndefined();
  }
  expect(besidesRequests(application.logged.slice(logStart))).toEqual([]);
});
