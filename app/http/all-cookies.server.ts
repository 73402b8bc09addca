import { codeCookies } from './code-cookies.server.ts';
import { keptFormCookie } from './kept-form.server.ts';
import { passkeyChallengeCookies } from './passkey-challenge.server.ts';
import { pendingSignInCookie } from './pending-sign-in.server.ts';
import { newRecoveryCodesCookie, newTokenCookie } from './one-time-cookie.server.ts';
import { pendingConnectionCookie } from './pending-connection.server.ts';
import { providerVisitCookie } from './provider-visit.server.ts';
import type { SealedCookieFactory } from './sealed-cookie.server.ts';
import { totpSetUpCookie } from './totp-set-up.server.ts';

/** The sealed cookies of the application, each of one purpose. */
export function createCookies(sealedCookie: SealedCookieFactory) {
  return {
    pendingSignIn: pendingSignInCookie(sealedCookie),
    keptForm: keptFormCookie(sealedCookie),
    ...codeCookies(sealedCookie),
    totpSetUp: totpSetUpCookie(sealedCookie),
    newRecoveryCodes: newRecoveryCodesCookie(sealedCookie),
    newToken: newTokenCookie(sealedCookie),
    passkeyChallenges: passkeyChallengeCookies(sealedCookie),
    providerVisit: providerVisitCookie(sealedCookie),
    pendingConnection: pendingConnectionCookie(sealedCookie),
  };
}

export type Cookies = ReturnType<typeof createCookies>;
