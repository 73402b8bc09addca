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
 * GitHub: OAuth 2.0 with PKCE, and its API for who it is (docs.github.com, "Authorizing OAuth apps").
 * A person there is their number: a login name can be given up, and taken by somebody else.
 */
export function gitHubProvider(settings: GitHubSettings): Provider {
  const { id, name, url, apiUrl } = settings;
  const config = configure(settings);

  return {
    id,
    name,
    // Whoever is signed in there is sent back without a question; it has no "prompt=login".
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
    async identify(visit, search): Promise<IdentityResult> {
      try {
        const { access_token: accessToken } = await openid.authorizationCodeGrant(
          config,
          new URL(search, visit.redirectUri),
          { expectedState: visit.state, pkceCodeVerifier: visit.codeVerifier },
        );
        const user = userSchema.parse(await ask(config, accessToken, `${apiUrl}/user`));
        const emails = emailsSchema.parse(
          await ask(config, accessToken, `${apiUrl}/user/emails?per_page=${MAX_EMAILS}`),
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
      // By this name it would answer to RFC 9207.
      issuer: `${url}/login/oauth`,
      authorization_endpoint: `${url}/login/oauth/authorize`,
      token_endpoint: `${url}/login/oauth/access_token`,
    },
    clientId,
    clientSecret,
    openid.ClientSecretPost(clientSecret),
  );
  config.timeout = PROVIDER_TIMEOUT_SECONDS;
  // Only loopback gets as far as this without TLS; see `providers-env.server.ts`.
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- so marked to be noticed
  if (url.startsWith('http:')) openid.allowInsecureRequests(config);
  return config;
}

async function ask(
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
