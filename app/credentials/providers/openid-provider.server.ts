import * as openid from 'openid-client';
import type { OpenIdSettings } from '#app/config/provider-settings.server.ts';
import { classifyProviderError } from './provider-failure.server.ts';
import { singleLine, type IdentityResult, type Identity, type Provider } from './provider.ts';

/** For each request to a provider: a user waits for it. */
export const PROVIDER_TIMEOUT_SECONDS = 5;

type Claims = Record<string, unknown>;

/** Any OpenID Connect issuer (OpenID Connect Core 1.0; code flow with PKCE). */
export function openIdProvider(settings: OpenIdSettings): Provider {
  const { id, name, scope } = settings;
  let discovered: Promise<openid.Configuration> | null = null;
  // Fetched on first use, once: an issuer that is down does not stop the server's start, and the next
  // request tries again.
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
    async identify(request, search): Promise<IdentityResult> {
      try {
        const config = await configuration();
        // Our address comes from the configuration, not from the request's `Host`. This call checks the
        // state, the issuer (RFC 9207), nonce, audience, signature and times.
        const tokens = await openid.authorizationCodeGrant(
          config,
          new URL(search, request.redirectUri),
          {
            expectedState: request.state,
            expectedNonce: request.nonce,
            pkceCodeVerifier: request.codeVerifier,
            idTokenExpected: true,
          },
        );
        const claims = tokens.claims()!;
        const allClaims = await fetchAllClaims(config, tokens.access_token, claims);
        return {
          state: 'identified',
          identity: toIdentity(claims, allClaims),
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
  return openid.discovery(url, clientId, clientSecret, clientAuthFor(clientSecret), {
    timeout: PROVIDER_TIMEOUT_SECONDS,
    execute: [
      // Checks the signature too; the standard would accept TLS alone.
      openid.enableNonRepudiationChecks,
      // Only for loopback: the configuration refuses other addresses without TLS.
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked only to draw attention
      ...(url.protocol === 'http:' ? [openid.allowInsecureRequests] : []),
    ],
  });
}

// The default is "client_secret_basic" (OpenID Connect Discovery §3).
function clientAuthFor(clientSecret: string): openid.ClientAuth {
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

// Many issuers leave name and e-mail out of the ID token. The library checks the subject of the answer.
async function fetchAllClaims(
  config: openid.Configuration,
  accessToken: string,
  claims: Claims & { sub: string },
): Promise<Claims> {
  if (typeof claims.email === 'string' || !config.serverMetadata().userinfo_endpoint) return claims;
  const userInfo = await openid.fetchUserInfo(config, accessToken, claims.sub);
  return { ...claims, ...userInfo };
}

function toIdentity(claims: Claims & { iss: string; sub: string }, allClaims: Claims): Identity {
  const email = singleLine(allClaims.email);
  const name = singleLine(allClaims.name);
  return {
    issuer: claims.iss,
    subject: claims.sub,
    displayName:
      email ?? singleLine(allClaims.preferred_username) ?? name ?? singleLine(claims.sub) ?? '',
    name,
    email,
    // Some issuers send the boolean as a string.
    isEmailVerified: allClaims.email_verified === true || allClaims.email_verified === 'true',
    authenticatedAt:
      typeof claims.auth_time === 'number' ? new Date(claims.auth_time * 1000) : null,
  };
}
