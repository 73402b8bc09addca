import { codeCookies } from '#app/credentials/mailed-codes/code-cookies.server.ts';
import { keptFormCookie } from './kept-form.server.ts';
import { passkeyChallengeCookies } from '#app/credentials/passkeys/passkey-challenges.server.ts';
import { pendingSignInCookie } from '#app/sign-in/pending-sign-in.server.ts';
import { newRecoveryCodesCookie, newTokenCookie } from './one-time-cookie.server.ts';
import { pendingConnectionCookie } from '#app/sign-up/pending-connection.server.ts';
import { providerVisitCookie } from '#app/credentials/providers/provider-requests.server.ts';
import type { SealedCookieFactory } from './sealed-cookie.server.ts';
import { totpSetUpCookie } from '#app/credentials/totp/totp-set-up.server.ts';

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
