/** Somebody as a provider knows them. Who they are is (issuer, subject); the rest is what it says of them. */
export interface Identity {
  issuer: string;
  subject: string;
  /** What they are called there, on one line: for them to tell connections apart. */
  displayName: string;
  name: string | null;
  email: string | null;
  /** True when the provider says that mail to `email` reaches them. */
  isEmailVerified: boolean;
  /** When they last proved to the provider who they are; null: it does not say. */
  authenticatedAt: Date | null;
}

/** What one visit to a provider is known by; it comes back with the visitor. */
export interface ProviderRequest {
  /** Exactly as it is registered there. */
  redirectUri: string;
  state: string;
  nonce: string;
  /** PKCE (RFC 7636). */
  codeVerifier: string;
  /** The person is to prove again who they are, though the provider may know. */
  again: boolean;
}

/**
 * Why a provider did not say who it is: `denied` when the person did not want it to, `unavailable`
 * when it is down or slow, `refused` when what came back is not to be believed.
 */
export type ProviderFailure = 'denied' | 'unavailable' | 'refused';

export type PreparedRequest =
  { state: 'ready'; url: string } | { state: 'unavailable'; error: unknown };
export type IdentityResult =
  { state: 'identified'; identity: Identity } | { state: ProviderFailure; error: unknown };

/** Someone else who can say who a person is. Nothing here throws for what the provider does. */
export interface Provider {
  readonly id: string;
  readonly name: string;
  /** True when it can be told to ask the person again who they are. */
  readonly canAskAgain: boolean;
  /** Where to send the person. */
  prepare(visit: ProviderRequest): Promise<PreparedRequest>;
  /** Who came back, `search` being the query of the address that they came back to. */
  identify(visit: ProviderRequest, search: string): Promise<IdentityResult>;
}

const MAX_DISPLAY_NAME_CHARACTERS = 120;

/** A text of somebody else's on one line of bearable length; null when nothing is left. */
export function singleLine(text: unknown): string | null {
  if (typeof text !== 'string') return null;
  const line = text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  return [...line].slice(0, MAX_DISPLAY_NAME_CHARACTERS).join('') || null;
}
