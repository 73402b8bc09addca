import * as z from 'zod';
import { StartupError } from './startup-error.ts';

/** An OpenID Connect issuer with which users can sign in. */
export interface OpenIdSettings {
  kind: 'openid';
  /** Part of URLs and of stored connections: must not change while users have connections to it. */
  id: string;
  /** The name that users see. */
  name: string;
  issuer: string;
  clientId: string;
  clientSecret: string;
  scope: string;
}

/** GitHub, or a GitHub Enterprise Server. */
export interface GitHubSettings {
  kind: 'github';
  id: 'github';
  name: string;
  /** The URL of its website; also the issuer of its users' identities. */
  url: string;
  apiUrl: string;
  clientId: string;
  clientSecret: string;
}

export type ProviderSettings = OpenIdSettings | GitHubSettings;

type Variables = Record<string, string | undefined>;

const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);
const ID = /^[a-z][a-z0-9]{0,30}$/;
const GITHUB = 'github';
const MAX_NAME_CHARACTERS = 40;

const secureUrl = z.url({ protocol: /^https?$/ }).refine(isSecure, {
  error: 'it must start with https:// (http:// is only for localhost)',
});
const text = z.string().min(1).max(1000);
const name = z
  .string()
  .min(1)
  .max(MAX_NAME_CHARACTERS)
  .regex(/^\P{Cc}+$/u, 'it must not contain control characters');
const scope = z
  .string()
  .max(500)
  .refine((value) => value.split(' ').includes('openid'), { error: 'it must include "openid"' });

/**
 * Returns the providers with which users can sign in. `OIDC_PROVIDERS` lists any number of OpenID
 * Connect issuers ("google,acme"). Each needs its `OIDC_GOOGLE_ISSUER`, `…_CLIENT_ID` and
 * `…_CLIENT_SECRET`; `…_NAME` and `…_SCOPE` are optional. `GITHUB_CLIENT_ID` and
 * `GITHUB_CLIENT_SECRET` add GitHub.
 *
 * @throws {StartupError} one sentence that names the first invalid variable, never its value.
 */
export function parseProviders(variables: Variables): ProviderSettings[] {
  const ids = (variables.OIDC_PROVIDERS ?? '')
    .split(',')
    .map((id) => id.trim())
    .filter(Boolean);
  if (ids.some((id) => !ID.test(id)) || new Set(ids).size < ids.length || ids.includes(GITHUB)) {
    throw unusable(
      'OIDC_PROVIDERS',
      'it is a list such as "google,acme": lower-case letters and digits, no duplicates, and not "github"',
    );
  }
  return [...ids.map((id) => parseOpenId(variables, id)), ...parseGitHub(variables)];
}

function parseOpenId(variables: Variables, id: string): OpenIdSettings {
  const prefix = `OIDC_${id.toUpperCase()}_`;
  return {
    kind: 'openid',
    id,
    name: read(variables, `${prefix}NAME`, name, id[0]!.toUpperCase() + id.slice(1)),
    issuer: read(variables, `${prefix}ISSUER`, secureUrl),
    clientId: read(variables, `${prefix}CLIENT_ID`, text),
    clientSecret: read(variables, `${prefix}CLIENT_SECRET`, text),
    scope: read(variables, `${prefix}SCOPE`, scope, 'openid email profile'),
  };
}

function parseGitHub(variables: Variables): GitHubSettings[] {
  const isWanted = [variables.GITHUB_CLIENT_ID, variables.GITHUB_CLIENT_SECRET].some(Boolean);
  if (!isWanted) return [];
  const url = originOf(read(variables, 'GITHUB_URL', secureUrl, 'https://github.com'));
  const usualApi = url === 'https://github.com' ? 'https://api.github.com' : `${url}/api/v3`;
  return [
    {
      kind: 'github',
      id: GITHUB,
      name: 'GitHub',
      url,
      apiUrl: read(variables, 'GITHUB_API_URL', secureUrl, usualApi).replace(/\/+$/, ''),
      clientId: read(variables, 'GITHUB_CLIENT_ID', text),
      clientSecret: read(variables, 'GITHUB_CLIENT_SECRET', text),
    },
  ];
}

function read(
  variables: Variables,
  variable: string,
  schema: z.ZodType<string>,
  fallback?: string,
): string {
  const given = variables[variable];
  if (given === undefined || given === '') {
    if (fallback !== undefined) return fallback;
    throw unusable(variable, 'it is missing');
  }
  const result = schema.safeParse(given);
  if (!result.success) throw unusable(variable, result.error.issues[0]!.message);
  return result.data;
}

const unusable = (variable: string, why: string) =>
  new StartupError(`The environment variable ${variable} is not usable: ${why}.`);

const originOf = (url: string) => new URL(url).origin;

// Must be encrypted: authorization codes and client secrets are sent to these URLs.
function isSecure(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || isLoopback(hostname);
}

const isLoopback = (hostname: string) => LOOPBACK_HOSTS.has(hostname);
