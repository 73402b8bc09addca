import * as openid from 'openid-client';
import * as z from 'zod';
import type { GitHubSettings } from '#app/config/provider-settings.server.ts';
import { classifyProviderError } from './provider-failure.server.ts';
import { PROVIDER_TIMEOUT_SECONDS } from './openid-provider.server.ts';
import { singleLine, type IdentityResult, type Provider } from './provider.ts';

const SCOPE = 'read:user user:email';
const MAX_EMAILS = 100;

const userSchema = z.object({
  id: z.int().positive(),
  login: z.string(),
  name: z.string().nullish(),
});
const emailsSchema = z.array(
  z.object({ email: z.string(), primary: z.boolean(), verified: z.boolean() }),
);

/**
 * GitHub: OAuth 2.0 with PKCE, and its API for the identity (docs.github.com, "Authorizing OAuth apps").
 * The subject is the user's number: a login name can be given up, and taken by another user.
 */
export function gitHubProvider(settings: GitHubSettings): Provider {
  const { id, name, url, apiUrl } = settings;
  const config = configure(settings);

  return {
    id,
    name,
    // GitHub has no "prompt=login": it sends users who are signed in there back without asking.
    canAskAgain: false,
    async prepare({ redirectUri, state, codeVerifier }) {
      const address = openid.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: SCOPE,
        state,
        code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      });
      return { state: 'ready', url: address.href };
    },
    async identify(request, search): Promise<IdentityResult> {
      try {
        const { access_token: accessToken } = await openid.authorizationCodeGrant(
          config,
          new URL(search, request.redirectUri),
          { expectedState: request.state, pkceCodeVerifier: request.codeVerifier },
        );
        const user = userSchema.parse(await fetchFromApi(config, accessToken, `${apiUrl}/user`));
        const emails = emailsSchema.parse(
          await fetchFromApi(config, accessToken, `${apiUrl}/user/emails?per_page=${MAX_EMAILS}`),
        );
        const primary = emails.find((one) => one.primary && one.verified);
        return {
          state: 'identified',
          identity: {
            issuer: url,
            subject: String(user.id),
            displayName: singleLine(user.login) ?? String(user.id),
            name: singleLine(user.name),
            email: singleLine(primary?.email),
            isEmailVerified: primary !== undefined,
            authenticatedAt: null,
          },
        };
      } catch (error) {
        return { state: classifyProviderError(error), error };
      }
    },
  };
}

function configure({ url, clientId, clientSecret }: GitHubSettings): openid.Configuration {
  const config = new openid.Configuration(
    {
      // The issuer that it would name in a response by RFC 9207.
      issuer: `${url}/login/oauth`,
      authorization_endpoint: `${url}/login/oauth/authorize`,
      token_endpoint: `${url}/login/oauth/access_token`,
    },
    clientId,
    clientSecret,
    openid.ClientSecretPost(clientSecret),
  );
  config.timeout = PROVIDER_TIMEOUT_SECONDS;
  // Only for loopback: the configuration refuses other addresses without TLS.
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked only to draw attention
  if (url.startsWith('http:')) openid.allowInsecureRequests(config);
  return config;
}

async function fetchFromApi(
  config: openid.Configuration,
  accessToken: string,
  address: string,
): Promise<unknown> {
  const headers = new Headers({
    Accept: 'application/vnd.github+json',
    'User-Agent': 'Latchkey',
    'X-GitHub-Api-Version': '2022-11-28',
  });
  const answer = await openid.fetchProtectedResource(
    config,
    accessToken,
    new URL(address),
    'GET',
    null,
    headers,
  );
  if (!answer.ok) throw new Error(`The API answered with ${answer.status}.`, { cause: answer });
  return answer.json();
}
