/** A user as a provider knows them. (issuer, subject) identifies the user; the rest describes them. */
export interface Identity {
  issuer: string;
  subject: string;
  /** The user's name there, on one line, so that the user can tell connections apart. */
  displayName: string;
  name: string | null;
  email: string | null;
  /** True if the provider has verified that `email` belongs to the user. */
  isEmailVerified: boolean;
  /** When the user last authenticated at the provider; `null` if it does not say. */
  authenticatedAt: Date | null;
}

/** The parameters of one request to a provider. */
export interface ProviderRequest {
  /** Exactly as registered at the provider. */
  redirectUri: string;
  state: string;
  nonce: string;
  /** PKCE (RFC 7636). */
  codeVerifier: string;
  /** True makes the provider authenticate the user again, even if they are signed in there. */
  again: boolean;
}

/**
 * Why a provider did not identify the user: `denied` if the user declined, `unavailable` if the provider
 * is down or slow, `refused` if its answer is not valid.
 */
export type ProviderFailure = 'denied' | 'unavailable' | 'refused';

type PreparedRequest = { state: 'ready'; url: string } | { state: 'unavailable'; error: unknown };
export type IdentityResult =
  { state: 'identified'; identity: Identity } | { state: ProviderFailure; error: unknown };

/** An identity provider. The methods never throw for a failure of the provider. */
export interface Provider {
  readonly id: string;
  readonly name: string;
  /** True if the provider can be made to authenticate the user again. */
  readonly canAskAgain: boolean;
  /** Returns the URL to redirect the user to. */
  prepare(request: ProviderRequest): Promise<PreparedRequest>;
  /**
   * Returns the identity of the user who came back.
   *
   * @param search the query of the callback's URL.
   */
  identify(request: ProviderRequest, search: string): Promise<IdentityResult>;
}

const MAX_DISPLAY_NAME_CHARACTERS = 120;

/** Returns a text of the provider on one line of at most 120 characters; `null` if nothing is left. */
export function singleLine(text: unknown): string | null {
  if (typeof text !== 'string') return null;
  const line = text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  return [...line].slice(0, MAX_DISPLAY_NAME_CHARACTERS).join('') || null;
}
