import { readFileSync } from 'node:fs';
import { parseEnv as parseFile } from 'node:util';
import { expect, test } from 'vitest';
import { envExample } from '#app/config/env-example.server.ts';
import { parseEnv, settings } from '#app/config/env.server.ts';
import { parseProviders } from '#app/config/provider-settings.server.ts';

const example = readFileSync('.env.example', 'utf8');
const SETTING = /^# ([A-Z0-9_]+=.*)$/gm;
const uncommented = parseFile([...example.matchAll(SETTING)].map(([, line]) => line).join('\n'));

test('.env.example equals the output of "npm run env-example"', () => {
  expect(example).toBe(envExample());
});

test('.env.example has every setting except NODE_ENV, each with a description', () => {
  for (const [name, schema] of Object.entries(settings.shape)) {
    expect(schema.description, name).toMatch(/^\S.{10,}/);
    expect(name in uncommented, name).toBe(name !== 'NODE_ENV');
  }
});

test('.env.example with every line uncommented is the default environment', () => {
  expect(parseEnv(uncommented as Record<string, string>)).toEqual(parseEnv({}));
});

test('.env.example lists the variables that a provider needs', () => {
  const given = { OIDC_ACME_ISSUER: 'https://acme.example', OIDC_ACME_CLIENT_ID: 'id' };
  const filled = { ...uncommented, ...given, OIDC_ACME_CLIENT_SECRET: 'secret' };
  expect(parseProviders(filled)).toMatchObject([{ id: 'acme', name: 'Acme' }]);
});

test('.env.example sets nothing, because every line is a comment', () => {
  expect(parseFile(example)).toEqual({});
});
