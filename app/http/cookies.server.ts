import { passkeyChallengeCookies } from './passkey-challenge.server.ts';
import { pendingSignInCookie } from './pending-sign-in.server.ts';
import type { SealedCookieFactory } from './sealed-cookie.server.ts';

/** The sealed cookies of the application, each of one purpose. */
export function createCookies(sealedCookie: SealedCookieFactory) {
  return {
    pendingSignIn: pendingSignInCookie(sealedCookie),
    passkeyChallenges: passkeyChallengeCookies(sealedCookie),
  };
}

export type Cookies = ReturnType<typeof createCookies>;
