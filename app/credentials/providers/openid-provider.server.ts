import * as openid from 'openid-client';
import type { OpenIdSettings } from '#app/config/provider-settings.server.ts';
import { classifyProviderError } from './provider-failure.server.ts';
import { singleLine, type IdentityResult, type Identity, type Provider } from './provider.ts';

/** A person waits for each of the requests to a provider. */
export const PROVIDER_TIMEOUT_SECONDS = 5;

type Claims = Record<string, unknown>;

/** Any OpenID Connect issuer (OpenID Connect Core 1.0; code flow with PKCE). */
export function openIdProvider(settings: OpenIdSettings): Provider {
  const { id, name, scope } = settings;
  let discovered: Promise<openid.Configuration> | null = null;
  // Asked for when it is needed, once: an issuer that is down stops nobody's start-up, and is asked
  // again by the next person.
  const configuration = () =>
    (discovered ??= discover(settings).catch((error: unknown) => {
      discovered = null;
      throw error;
    }));

  return {
    id,
    name,
    canAskAgain: true,
    async prepare({ redirectUri, state, nonce, codeVerifier, again }) {
      try {
        const url = openid.buildAuthorizationUrl(await configuration(), {
          response_type: 'code',
          redirect_uri: redirectUri,
          scope,
          state,
          nonce,
          code_challenge: await openid.calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: 'S256',
          ...(again ? { prompt: 'login', max_age: '0' } : {}),
        });
        return { state: 'ready', url: url.href };
      } catch (error) {
        return { state: 'unavailable', error };
      }
    },
    async identify(visit, search): Promise<IdentityResult> {
      try {
        const config = await configuration();
        // The address is ours by configuration, whatever host the request claims to have asked. The
        // state, the issuer (RFC 9207), nonce, audience, signature and times are checked in here.
        const tokens = await openid.authorizationCodeGrant(
          config,
          new URL(search, visit.redirectUri),
          {
            expectedState: visit.state,
            expectedNonce: visit.nonce,
            pkceCodeVerifier: visit.codeVerifier,
            idTokenExpected: true,
          },
        );
        const claims = tokens.claims()!;
        const told = await everythingTold(config, tokens.access_token, claims);
        return {
          state: 'identified',
          identity: asIdentity(claims, told),
        };
      } catch (error) {
        return { state: classifyProviderError(error), error };
      }
    },
  };
}

function discover({
  issuer,
  clientId,
  clientSecret,
}: OpenIdSettings): Promise<openid.Configuration> {
  const url = new URL(issuer);
  return openid.discovery(url, clientId, clientSecret, authenticatedBy(clientSecret), {
    timeout: PROVIDER_TIMEOUT_SECONDS,
    execute: [
      // TLS alone would do by the standard; a signature that is checked does better.
      openid.enableNonRepudiationChecks,
      // Only loopback gets as far as this without TLS; see `providers-env.server.ts`.
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- so marked to be noticed
      ...(url.protocol === 'http:' ? [openid.allowInsecureRequests] : []),
    ],
  });
}

// What an issuer does not say otherwise is "client_secret_basic" (OpenID Connect Discovery §3).
function authenticatedBy(clientSecret: string): openid.ClientAuth {
  const [basic, post] = [
    openid.ClientSecretBasic(clientSecret),
    openid.ClientSecretPost(clientSecret),
  ];
  return (issuer, client, body, headers) => {
    const methods = issuer.token_endpoint_auth_methods_supported;
    const authenticate = methods?.includes('client_secret_post') ? post : basic;
    authenticate(issuer, client, body, headers);
  };
}

// Many issuers keep name and e-mail out of the ID token. Whom the answer is about is checked.
async function everythingTold(
  config: openid.Configuration,
  accessToken: string,
  claims: Claims & { sub: string },
): Promise<Claims> {
  if (typeof claims.email === 'string' || !config.serverMetadata().userinfo_endpoint) return claims;
  const userInfo = await openid.fetchUserInfo(config, accessToken, claims.sub);
  return { ...claims, ...userInfo };
}

function asIdentity(claims: Claims & { iss: string; sub: string }, told: Claims): Identity {
  const email = singleLine(told.email);
  const name = singleLine(told.name);
  return {
    issuer: claims.iss,
    subject: claims.sub,
    displayName:
      email ?? singleLine(told.preferred_username) ?? name ?? singleLine(claims.sub) ?? '',
    name,
    email,
    // Some issuers write the boolean as a text.
    isEmailVerified: told.email_verified === true || told.email_verified === 'true',
    authenticatedAt:
      typeof claims.auth_time === 'number' ? new Date(claims.auth_time * 1000) : null,
  };
}
