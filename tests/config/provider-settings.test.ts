import { expect, test } from 'vitest';
import { parseProviders } from '#app/config/provider-settings.server.ts';
import { startupErrorOf } from '../fixtures/startup-error.ts';

const acme = {
  OIDC_PROVIDERS: 'acme',
  OIDC_ACME_ISSUER: 'https://id.acme.example',
  OIDC_ACME_CLIENT_ID: 'latchkey',
  OIDC_ACME_CLIENT_SECRET: 'canary-secret',
};
const github = { GITHUB_CLIENT_ID: 'latchkey', GITHUB_CLIENT_SECRET: 'canary-secret' };

test('without settings there are no providers', () => {
  expect(parseProviders({})).toEqual([]);
  expect(parseProviders({ OIDC_PROVIDERS: '', GITHUB_CLIENT_ID: '' })).toEqual([]);
});

test('a provider has a default name and scope, which settings override', () => {
  expect(parseProviders({ ...acme, ...github })).toEqual([
    {
      kind: 'openid',
      id: 'acme',
      name: 'Acme',
      issuer: 'https://id.acme.example',
      clientId: 'latchkey',
      clientSecret: 'canary-secret',
      scope: 'openid email profile',
    },
    {
      kind: 'github',
      id: 'github',
      name: 'GitHub',
      url: 'https://github.com',
      apiUrl: 'https://api.github.com',
      clientId: 'latchkey',
      clientSecret: 'canary-secret',
    },
  ]);
  const named = { ...acme, OIDC_ACME_NAME: 'Acme & Sons', OIDC_ACME_SCOPE: 'openid email' };
  expect(parseProviders(named)).toMatchObject([{ name: 'Acme & Sons', scope: 'openid email' }]);
});

test('the default API of a GitHub Enterprise Server is at /api/v3 of its URL', () => {
  const own = { ...github, GITHUB_URL: 'https://git.acme.example/' };
  expect(parseProviders(own)).toMatchObject([
    { url: 'https://git.acme.example', apiUrl: 'https://git.acme.example/api/v3' },
  ]);
  expect(parseProviders({ ...own, GITHUB_API_URL: 'https://api.acme.example/' })).toMatchObject([
    { apiUrl: 'https://api.acme.example' },
  ]);
});

test.each(['http://localhost:4000', 'http://127.0.0.1:4000', 'http://[::1]:4000'])(
  'the local issuer %s needs no TLS',
  (OIDC_ACME_ISSUER) => {
    expect(parseProviders({ ...acme, OIDC_ACME_ISSUER })).toHaveLength(1);
  },
);

test.each([
  [{ ...acme, OIDC_ACME_ISSUER: undefined }, 'OIDC_ACME_ISSUER'],
  [{ ...acme, OIDC_ACME_ISSUER: 'http://id.acme.example/canary' }, 'OIDC_ACME_ISSUER'],
  [{ ...acme, OIDC_ACME_ISSUER: 'http://localhost.canary.example' }, 'OIDC_ACME_ISSUER'],
  [{ ...acme, OIDC_ACME_ISSUER: 'http://127.0.0.1@canary.example' }, 'OIDC_ACME_ISSUER'],
  [{ ...acme, OIDC_ACME_ISSUER: 'canary' }, 'OIDC_ACME_ISSUER'],
  [{ ...acme, OIDC_ACME_ISSUER: 'file:///canary' }, 'OIDC_ACME_ISSUER'],
  [{ ...acme, OIDC_ACME_CLIENT_ID: '' }, 'OIDC_ACME_CLIENT_ID'],
  [{ ...acme, OIDC_ACME_CLIENT_SECRET: undefined }, 'OIDC_ACME_CLIENT_SECRET'],
  [{ ...acme, OIDC_ACME_NAME: 'canary'.repeat(10) }, 'OIDC_ACME_NAME'],
  [{ ...acme, OIDC_ACME_NAME: 'canary\nx' }, 'OIDC_ACME_NAME'],
  [{ ...acme, OIDC_ACME_SCOPE: 'email canary' }, 'OIDC_ACME_SCOPE'],
  [{ ...acme, OIDC_PROVIDERS: 'acme,acme' }, 'OIDC_PROVIDERS'],
  [{ ...acme, OIDC_PROVIDERS: 'Canary' }, 'OIDC_PROVIDERS'],
  [{ ...acme, OIDC_PROVIDERS: '../canary' }, 'OIDC_PROVIDERS'],
  [{ ...acme, OIDC_PROVIDERS: 'acme,github' }, 'OIDC_PROVIDERS'],
  [{ ...acme, OIDC_PROVIDERS: 'acme,beta' }, 'OIDC_BETA_ISSUER'],
  [{ GITHUB_CLIENT_ID: 'canary' }, 'GITHUB_CLIENT_SECRET'],
  [{ GITHUB_CLIENT_SECRET: 'canary' }, 'GITHUB_CLIENT_ID'],
  [{ GITHUB_CLIENT_ID: '', GITHUB_CLIENT_SECRET: 'canary' }, 'GITHUB_CLIENT_ID'],
  [{ ...github, GITHUB_URL: 'http://canary.example' }, 'GITHUB_URL'],
  [{ ...github, GITHUB_API_URL: 'canary' }, 'GITHUB_API_URL'],
])('a value that is wrong stops the start by its name, and is not shown (%#)', (given, name) => {
  const message = startupErrorOf(() => parseProviders(given));
  expect(message).toMatch(new RegExp(`^The environment variable ${name} is not usable: .+\\.$`));
  expect(message).not.toMatch(/canary/i);
});
