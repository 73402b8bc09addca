import { pendingSignInCookie } from './pending-sign-in.server.ts';
import { pendingConnectionCookie } from './pending-connection.server.ts';
import { providerVisitCookie } from './provider-visit.server.ts';
import type { SealedCookieFactory } from './sealed-cookie.server.ts';

/** The sealed cookies of the application, each of one purpose. */
export function createCookies(sealedCookie: SealedCookieFactory) {
  return {
    pendingSignIn: pendingSignInCookie(sealedCookie),
    providerVisit: providerVisitCookie(sealedCookie),
    pendingConnection: pendingConnectionCookie(sealedCookie),
  };
}

export type Cookies = ReturnType<typeof createCookies>;
