import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessByRoute } from '#app/http/route-access.ts';
import { urls } from '#app/routes.ts';
import { makeToken, publicIdOf } from '../fixtures/api-client.ts';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import type { Answer, BrowserLike } from '../fixtures/browser-like.ts';
import { turnOnTotp } from '../fixtures/authenticator.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { addPasskey } from '../fixtures/passkeys.ts';
import { openBrowser, signIn, signUp, type TestUser } from '../fixtures/users.ts';
import { SoftwarePasskey } from '../fixtures/software-authenticator.ts';
import { plain, sendPicture } from '../fixtures/pictures.ts';
import {
  dataPathOf,
  everyRoute,
  goodFields,
  PASSKEY_ID,
  pathOf,
  PICTURE_DIGEST,
} from './every-route.ts';

const access = accessByRoute(urls);
const isOpen = (id: string) => access.get(id)?.level === 'open';
const routes = await everyRoute();
const guarded = routes.filter(({ id }) => !isOpen(id));
const SECOND_STEPS = ['routes/login/code', 'routes/login/recovery-code'];
const open = routes.filter(({ id }) => isOpen(id));

let application: TestApplication;
let user: TestUser;
let phoneId: string;
/** A personal access token with all scopes. */
let token: string;
/** Texts of the user that no other visitor may read. */
let secrets: string[];
beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application, { name: 'A private person' });
  const phone = await signIn(application, user);
  phoneId = await sessionIdOf(phone);
  // One id then identifies a session and an activity.
  application.sql('UPDATE "Activity" SET id = ? WHERE sessionId = ?', phoneId, phoneId);
  await user.browser.post(`/settings/sessions/${phoneId}/name`, { label: 'A private device' });
  const passkey = new SoftwarePasskey(application.origin, false, undefined, PASSKEY_ID);
  await addPasskey(application, user.browser, passkey);
  await sendPicture(user.browser, await plain('red').png().toBuffer());
  application.sql('UPDATE "Picture" SET digest = ?', PICTURE_DIGEST);
  const scopes = ['sessions:read', 'sessions:manage', 'download'];
  token = await makeToken(user.browser, scopes);
  secrets = [user.name, user.email, 'A private device', phone.userAgent];
});
afterAll(() => application.close());

/** Browsers that are not signed in, for different reasons. */
const strangers: [who: string, make: () => Promise<BrowserLike>][] = [
  ['a visitor', () => Promise.resolve(openBrowser(application))],
  [
    'a browser with an unknown secret',
    async () => {
      const browser = openBrowser(application);
      await browser.plantToken(`${phoneId}.${'A'.repeat(43)}`);
      return browser;
    },
  ],
  [
    'a device that was signed out',
    async () => {
      const browser = await signIn(application, user);
      const token = (await browser.sessionToken())!;
      await browser.post('/logout', {});
      await browser.plantToken(token);
      return browser;
    },
  ],
  [
    'an access token in place of a session',
    async () => {
      const headers = { Authorization: `Bearer ${token}` };
      const browser = openBrowser(application, { headers });
      await browser.plantToken(token.replace('latchkey_', ''));
      return browser;
    },
  ],
  [
    'a browser that has not passed its second factor',
    async () => {
      const owner = await signUp(application, { name: user.name });
      await turnOnTotp(application, owner);
      return signIn(application, owner);
    },
  ],
];

/**
 * Returns the redirect of an answer: the location of a 302 without a body, or the text of a 202 that
 * gives a script the redirect in place of data. Empty if the answer is no redirect.
 */
const redirectOf = ({ status, headers, location, text }: Answer): string => {
  if (headers['content-type']?.startsWith('text/x-script')) return status === 202 ? text : '';
  return status === 302 && text === '' ? (location ?? '') : '';
};
const expectLogin = (answer: Answer, what: string) => {
  expect(redirectOf(answer), what).toMatch(/^\/login\b|"redirect","\/login\b/);
  expect(answer.headers['set-cookie'], what).toBeUndefined();
  expect(answer.headers['cache-control'], what).toContain('no-store');
  for (const secret of secrets) expect(answer.text, what).not.toContain(secret);
};

test('the table of URLs and the build name the same routes', () => {
  expect(guarded.length).toBeGreaterThan(8);
  expect(routes.map(({ id }) => id).sort()).toEqual([...access.keys()].sort());
});

test.each(guarded.map((route) => [route.id, route] as const))(
  '%s has a loader, without which Remix would show the page to every visitor',
  (_id, { hasLoader }) => {
    expect(hasLoader).toBe(true);
  },
);

describe.each(strangers)('%s', (who, make) => {
  let browser: BrowserLike;
  let before: string;
  beforeAll(async () => {
    browser = await make();
    // Wait for mails that are still being sent, because sending changes the database.
    await application.mailWorker?.idle();
    before = application.everything();
  });
  afterAll(() => expect(application.everything()).toEqual(before));

  test.each(guarded.map((route) => [route.id, route] as const))(
    `%s redirects ${who} to the login page, shows no data and changes nothing`,
    async (id, route) => {
      const path = pathOf(route, phoneId);
      const fields = goodFields(user)[id] ?? { name: 'x' };
      for (const address of [
        path,
        dataPathOf(path),
        `${path}/`,
        `${dataPathOf(path)}?_routes=${id}`,
        `${path}?index`,
        path.toUpperCase(),
      ]) {
        expectLogin(await browser.get(address), `GET ${address}`);
        const post = await browser.post(address, fields, { from: path });
        // 405 if the page takes no form at this address.
        if (post.status !== 405) expectLogin(post, `POST ${address}`);
        else for (const secret of secrets) expect(post.text).not.toContain(secret);
      }
      // Remix used to fetch data this way.
      expect((await browser.get(`${path}?_data=${id}`)).status).toBe(400);
      const head = await browser.ask(path, { method: 'HEAD' });
      expect(head.status).toBe(302);
    },
  );
});

/** Pages in the middle of a flow. A visitor who has not started it is redirected to the start. */
const MIDDLE_OF_A_FLOW = [
  'routes/login/provider',
  'routes/login/provider-callback',
  'routes/signup/connection',
];
/** True for open routes that answer 404, because the ids in the tested paths do not exist. */
const isExpected404 = (id: string) => /^routes\/(not-found$|outbox\/mail|erased$)/.test(id);

test.each(open.map((route) => [route.id, route] as const))(
  '%s is open to a visitor',
  async (id, route) => {
    const { status, location } = await openBrowser(application).get(pathOf(route, phoneId));
    // The second step redirects visitors who have not taken the first one.
    if (SECOND_STEPS.includes(id)) return expect(location).toBe('/login');
    expect(status).toBe(isExpected404(id) ? 404 : location === null ? 200 : 302);
    if (MIDDLE_OF_A_FLOW.includes(id)) expect(location).toBe('/login');
    else expect(location ?? '').not.toContain('/login');
  },
);

/** The user of these tests has no connection. */
const isWithoutRow = (id: string) => id === 'routes/settings/connections/disconnect';

test.each(guarded.map((route) => [route.id, route] as const))(
  '%s is open to its user',
  async (_id, route) => {
    const id = route.pattern.includes(':tokenId') ? publicIdOf(token) : phoneId;
    const { status, location } = await user.browser.get(pathOf(route, id));
    expect(isWithoutRow(route.id) ? [404] : [200, 302]).toContain(status);
    expect(location ?? '').not.toContain('/login');
  },
);

test('the route manifest for scripts contains no data of the user', async () => {
  const { text } = await user.browser.get('/__manifest?p=/settings/sessions&version=x');
  for (const secret of [...secrets, phoneId]) expect(text).not.toContain(secret);
});

test('files of the server outside the client build are a 404', async () => {
  const visitor = openBrowser(application);
  for (const path of [
    '/package.json',
    '/server.ts',
    '/.env',
    '/.git/config',
    '/data/latchkey.db',
    '/assets/..%2f..%2fserver%2findex.js',
    '/..%2f..%2fpackage.json',
    '/%2e%2e/%2e%2e/package.json',
    '/assets/%2e%2e/%2e%2e/server/index.js',
    '/assets',
    '/assets/',
  ]) {
    const { status, text } = await visitor.get(path);
    expect(status, path).toBe(404);
    expect(text).not.toContain('"dependencies"');
  }
});
