import { Script } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import { sessionIdOf } from '../fixtures/ids.ts';
import { addPasskey } from '../fixtures/passkeys.ts';
import { openBrowser, PASSWORD, signIn, signUp } from '../fixtures/users.ts';
import { dataPathOf } from './every-route.ts';
import { fieldOnPage, tags, textOf } from './form-on-page.ts';
import { sessionRows } from './session-rows.ts';

/** Each has at most 40 characters, so that it fits into the name of a device. */
const PAYLOADS = [
  '<script>alert(1)</script>',
  '</script><script>alert(1)//',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '" autofocus onfocus="alert(1)',
  '<svg/onload=alert(1)>',
  '<!--<script>',
  '--><b>',
  '</title></p></li></dialog>',
  '<a href=javascript:alert(1)>x',
  ']]>&lt;b&gt;&amp;&#60;',
  '\\u003cb\\u003e\\x3cb\\x3e\\"\\\\',
  '`${alert(1)}`{{7*7}}<%=7*7%>',
  'alert\u2028\u2029(1)',
  '%3Cscript%3E',
];

let application: TestApplication;
beforeAll(async () => {
  application = await startApplication();
});
afterAll(() => application.close());

/** Returns the tags and event handlers of a page, without its texts and its scripts (at the end). */
const skeleton = (html: string) => {
  const [page] = html.split('<script');
  const withoutValues = page!.replace(/="[^"]*"/g, '=""');
  return {
    tags: (withoutValues.match(/<[a-z/][\w-]*/gi) ?? []).map((tag) => tag.toLowerCase()),
    handlers: withoutValues.match(/<[^>]*\son\w+\s*=[^>]*>/gi),
  };
};
const scriptsOf = (html: string) =>
  [...html.matchAll(/<script\b([^>]*)>(.*?)<\/script>/gs)].map(([, attributes, code]) => ({
    isModule: attributes!.includes('type="module"'),
    code: code!,
  }));

/** Returns the paths of all pages that may show texts of the user, for this session and passkey. */
const pages = (id: string, passkeyId: string) => [
  '/',
  '/settings/sessions',
  '/settings/profile',
  '/settings/password',
  '/settings/data',
  '/settings/data/delete',
  '/settings/sessions/others/sign-out',
  '/settings/security',
  '/settings/activity',
  '/settings/passkeys',
  '/settings/two-factor',
  '/settings/connections',
  '/settings/email',
  `/settings/sessions/${id}/name`,
  `/settings/sessions/${id}/sign-out`,
  `/settings/passkeys/${passkeyId}/name`,
  `/settings/passkeys/${passkeyId}/remove`,
  '/nothing/here',
];

test.each(PAYLOADS)(
  'every page shows %s as text, wherever the user can enter a text',
  async (payload) => {
    // A header has one byte per character.
    const userAgent = /^[\x20-\x7e]*$/.test(payload) ? payload : 'curl/8';
    const plain = await signUp(application, { name: 'Ada', userAgent });
    const hostile = await signUp(application, { name: payload, userAgent });
    const passkeyIds: string[] = [];
    for (const [user, label] of [
      [plain, 'Ada'],
      [hostile, payload],
    ] as const) {
      await user.browser.get('/');
      const phone = await signIn(application, user, { userAgent: user.browser.userAgent });
      const id = await sessionIdOf(phone);
      await user.browser.post(`/settings/sessions/${id}/name`, { label });
      const passkey = await addPasskey(application, user.browser);
      await user.browser.post(`/settings/passkeys/${passkey.id}/name`, { name: label });
      await user.browser.get('/settings/passkeys');
      passkeyIds.push(passkey.id);
    }
    const idOf = async ({ browser }: typeof plain) => {
      const rows = sessionRows((await browser.get('/settings/sessions')).text);
      return rows[1]!.namePath!.split('/')[3]!;
    };
    const plainPages = pages(await idOf(plain), passkeyIds[0]!);
    const hostilePages = pages(await idOf(hostile), passkeyIds[1]!);
    const shown = payload.replace(/\s+/g, ' ').trim();
    for (const [index, path] of hostilePages.entries()) {
      const { text } = await hostile.browser.get(path);
      const benign = await plain.browser.get(plainPages[index]!);
      expect(skeleton(text), path).toEqual(skeleton(benign.text));
      expect(textOf(text), path).toContain(shown);
      for (const { isModule, code } of scriptsOf(text)) {
        if (!isModule) expect(() => new Script(code), path).not.toThrow();
        expect(code).not.toMatch(/<(?:!--|\/?(?:script|b|img|svg|a|title|p|li)\b)/);
      }
    }
    const namePage = await hostile.browser.get(`/settings/sessions/${await idOf(hostile)}/name`);
    expect(fieldOnPage(namePage.text, 'label').value).toBe(payload);
    const passkey = await hostile.browser.get(`/settings/passkeys/${passkeyIds[1]}/name`);
    expect(fieldOnPage(passkey.text, 'name').value).toBe(payload);
  },
);

describe('hostile user agents', () => {
  test.each([...PAYLOADS.filter((text) => /^[\x20-\x7e]*$/.test(text)), 'x'.repeat(10_000)])(
    'the user agent %s is never shown as received',
    async (userAgent) => {
      const { browser } = await signUp(application, { userAgent });
      const { status, text } = await browser.get('/settings/sessions');
      expect(status).toBe(200);
      expect(sessionRows(text)[0]!.name).toMatch(/^[\w. -]{1,40}$/);
      expect(text).not.toContain(userAgent);
    },
  );

  test('a user agent that is empty or no text is an unknown device', async () => {
    for (const userAgent of ['\u00ff\u00fe\u0080', '', ' ']) {
      const { browser } = await signUp(application, { userAgent });
      const { text } = await browser.get('/settings/sessions');
      expect(sessionRows(text)[0]!.name).toBe('Unknown device');
    }
  });

  test('a user agent of 10,000 characters is stored with 512', async () => {
    const user = await signUp(application, { userAgent: 'y'.repeat(10_000) });
    const [row] = application.sql<{ length: number }>(
      `SELECT length(s.userAgent) AS length FROM Session s JOIN User u ON u.id = s.userId
       WHERE u.email = ?`,
      user.email,
    );
    expect(row!.length).toBe(512);
  });
});

test('an e-mail with all allowed special characters is shown as text', async () => {
  const email = "o'brien+tag_x.y-z@example.com";
  const { browser } = await signUp(application, { email });
  for (const path of ['/settings/profile', '/settings/data/delete']) {
    const { text } = await browser.get(path);
    expect(textOf(text)).toContain(email);
  }
});

test.each(PAYLOADS)('a refused form shows the input %s as text', async (payload) => {
  const typed = { email: payload, name: `${payload}${'x'.repeat(81)}`, password: PASSWORD };
  const benign = await openBrowser(application).post('/signup', {
    email: 'x',
    name: 'x'.repeat(81),
    password: PASSWORD,
  });
  const { text } = await openBrowser(application).post('/signup', typed);
  expect(fieldOnPage(text, 'email').value).toBe(payload);
  expect(fieldOnPage(text, 'name').value).toBe(typed.name);
  expect(skeleton(text)).toEqual(skeleton(benign.text));
});

// No route matches line separators in a path, which Remix reports on the console.
const inPaths = PAYLOADS.filter((payload) => !payload.includes('\u2028'));
test.each(inPaths)('a page shows %s from its URL as text', async (payload) => {
  const visitor = openBrowser(application);
  const query = new URLSearchParams({ redirectTo: `/${payload}`, x: payload }).toString();
  for (const path of [`/login?${query}`, `/signup?${query}`, `/${encodeURIComponent(payload)}`]) {
    const { status, text } = await visitor.get(path);
    expect([200, 404]).toContain(status);
    expect(skeleton(text).handlers).toBeNull();
    if (/[<>"']/.test(payload)) expect(text).not.toContain(payload);
    for (const { isModule, code } of scriptsOf(text)) {
      if (!isModule) expect(() => new Script(code), path).not.toThrow();
    }
    expect(tags(text, 'img')).toEqual([]);
  }
});

test('hostile text is sent to scripts as data, never as HTML', async () => {
  const { browser } = await signUp(application, { name: PAYLOADS[0]! });
  for (const path of pages('x', 'x').slice(0, 13)) {
    const { headers } = await browser.get(dataPathOf(path));
    // A type that no browser shows as a page.
    expect(headers['content-type']).toBe('text/x-script; charset=utf-8');
    expect(headers['x-content-type-options']).toBe('nosniff');
  }
});
