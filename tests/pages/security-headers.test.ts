import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApplication, type TestApplication } from '../fixtures/application.ts';
import type { Answer } from '../fixtures/browser-like.ts';
import { openBrowser, signUp, type TestUser } from '../fixtures/users.ts';
import { attributeOf, tags } from './form-on-page.ts';

let application: TestApplication;
let user: TestUser;
beforeAll(async () => {
  application = await startApplication();
  user = await signUp(application);
});
afterAll(() => application.close());

const policyOf = ({ headers }: Answer) =>
  Object.fromEntries(
    String(headers['content-security-policy'])
      .split(';')
      .map((directive) => {
        const [name, ...values] = directive.trim().split(' ');
        return [name!, values.join(' ')];
      }),
  );
const nonceOf = (answer: Answer) => /'nonce-([\w+/=]+)'/.exec(policyOf(answer)['script-src']!)![1]!;

/** Requests one answer of every kind that a browser can display. */
const everyKindOfAnswer = async (): Promise<[string, Answer][]> => {
  const visitor = openBrowser(application);
  const { browser } = user;
  return [
    ['the home page', await visitor.get('/')],
    ['the home page of a signed-in user', await browser.get('/')],
    ['the sessions page', await browser.get('/settings/sessions')],
    ['the data of a page', await browser.get('/settings/sessions.data')],
    ['a redirect', await visitor.get('/settings/sessions')],
    ['a redirect of a data request', await visitor.get('/settings/sessions.data')],
    ['an invalid form', await visitor.post('/login', { email: 'x' })],
    ['a valid form', await browser.post('/settings/profile', { name: 'Ada' })],
    ['a missing page', await visitor.get('/nothing/here')],
    ['the data of a missing page', await visitor.get('/nothing/here.data')],
    ['a cross-site form', await browser.post('/logout', {}, { headers: { Origin: 'null' } })],
    ['a form that is too large', await browser.post('/login', { email: 'x'.repeat(70_000) })],
    ['the data download', await browser.post('/settings/data/download', {})],
    ['the route manifest', await visitor.get('/__manifest?p=/&version=x')],
    ['a style sheet', await visitor.get(await styleSheet())],
    ['the icon', await visitor.get('/favicon.svg')],
    ['the service worker', await visitor.get('/service-worker.js')],
  ];
};
const styleSheet = async () => {
  const { text } = await openBrowser(application).get('/');
  return tags(text, 'link')
    .map((link) => attributeOf(link, 'href')!)
    .find((href) => href.endsWith('.css'))!;
};

test('every kind of answer has the security headers', async () => {
  for (const [what, answer] of await everyKindOfAnswer()) {
    expect(answer.headers, what).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': expect.stringContaining('camera=()'),
    });
    expect(policyOf(answer), what).toEqual({
      'default-src': "'none'",
      'base-uri': "'none'",
      'connect-src': "'self'",
      'style-src': "'self'",
      'font-src': "'self'",
      'form-action': "'self'",
      'frame-ancestors': "'none'",
      'img-src': "'self'",
      'manifest-src': "'self'",
      'script-src': expect.stringMatching(/^'self' 'nonce-[\w+/]{22}=='$/),
      'worker-src': "'self'",
    });
    expect(answer.headers['x-powered-by'], what).toBeUndefined();
    expect(answer.headers.server, what).toBeUndefined();
    // Plain HTTP on this machine must not be pinned to HTTPS for two years.
    expect(answer.headers['strict-transport-security'], what).toBeUndefined();
    expect(answer.headers['access-control-allow-origin'], what).toBeUndefined();
  }
});

test('only built files and public files may be cached', async () => {
  for (const [what, { headers }] of await everyKindOfAnswer()) {
    const cacheControl = headers['cache-control'];
    if (what === 'a style sheet') expect(cacheControl).toBe('public, max-age=31536000, immutable');
    else if (what === 'the icon' || what === 'the service worker')
      expect(cacheControl, what).toBe('public, max-age=3600');
    // no-transform, because compression would hold a copy of the data in memory.
    else if (what === 'the data download') expect(cacheControl).toMatch(/no-store, no-transform$/);
    // The route manifest is public, and its URL changes with its content.
    else if (what !== 'the route manifest')
      expect(cacheControl, what).toMatch(/^no-store(, no-store)?$/);
    else expect(cacheControl).not.toBeUndefined();
  }
});

/** Returns the files that have a URL. Compressed files are served at the URL of their original. */
const filesWithUrl = (folder: string) =>
  readdirSync(folder).filter((name) => !/\.(br|gz)$/.test(name));

test('only files with a hash in their name are immutable', async () => {
  const visitor = openBrowser(application);
  const assets = filesWithUrl('build/client/assets').map((name) => `/assets/${name}`);
  expect(assets.length).toBeGreaterThan(10);
  for (const path of assets) {
    expect(path).toMatch(/-[\w-]{8}\.\w+$/);
    expect((await visitor.get(path)).headers['cache-control']).toContain('immutable');
  }
  for (const name of filesWithUrl('build/client').filter((file) => file.includes('.'))) {
    if (name.startsWith('.')) continue;
    const { status, headers } = await visitor.get(`/${name}`);
    expect(status, name).toBe(200);
    expect(headers['cache-control'], name).not.toContain('immutable');
  }
  expect((await visitor.get('/assets/gone-12345678.js')).headers['cache-control']).toBe('no-store');
});

describe('the script policy', () => {
  const paths = [
    '/',
    '/settings/sessions',
    '/settings/profile',
    '/settings/password',
    '/settings/data',
    '/settings/data/delete',
    '/settings/sessions/others/sign-out',
    '/nothing/here',
  ];

  test('every answer has a new nonce', async () => {
    const nonces = new Set<string>();
    for (let count = 0; count < 20; count += 1) {
      nonces.add(nonceOf(await user.browser.get('/')));
      nonces.add(nonceOf(await user.browser.get('/favicon.svg')));
    }
    expect(nonces.size).toBe(40);
  });

  test.each([...paths, '/login', '/signup'])(
    '%s complies with the content security policy',
    async (path) => {
      const browser = paths.includes(path) ? user.browser : openBrowser(application);
      const answer = await browser.get(path);
      const nonce = nonceOf(answer);
      const scripts = tags(answer.text, 'script');
      expect(scripts.length).toBeGreaterThan(2);
      for (const script of scripts) expect(attributeOf(script, 'nonce')).toBe(nonce);
      const markup = answer.text.replace(/<script\b.*?<\/script>/gs, '');
      expect(markup).not.toMatch(/<[^>]*\sstyle=/);
      expect(markup).not.toMatch(/<style\b/);
      expect(markup).not.toMatch(/<[^>]*\son[a-z]+=/i);
      expect(markup).not.toMatch(/(href|src|action)="(javascript|data):/i);
      expect(markup).not.toMatch(/(href|src|action)="https?:/i);
      // The nonce appears only on script tags, where other markup cannot read it.
      expect(markup).not.toContain(nonce);
    },
  );
});

describe('behind a proxy that speaks HTTPS', () => {
  let secure: TestApplication;
  beforeAll(async () => {
    secure = await startApplication({ env: { ORIGIN: 'https://localhost' } });
  });
  afterAll(() => secure.close());

  test('an HTTPS origin sends HSTS for two years and upgrades insecure requests', async () => {
    const visitor = openBrowser(secure);
    for (const path of ['/', '/settings/sessions', '/favicon.svg', '/nothing/here']) {
      const answer = await visitor.get(path);
      expect(answer.headers['strict-transport-security']).toBe(
        'max-age=63072000; includeSubDomains; preload',
      );
      expect(policyOf(answer)).toHaveProperty('upgrade-insecure-requests');
    }
  });
});
