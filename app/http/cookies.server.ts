import { codeCookies } from './code-cookies.server.ts';
import { keptFormCookie } from './kept-form.server.ts';
import { pendingSignInCookie } from './pending-sign-in.server.ts';
import type { SealedCookieFactory } from './sealed-cookie.server.ts';

/** The sealed cookies of the application, each of one purpose. */
export function createCookies(sealedCookie: SealedCookieFactory) {
  return {
    pendingSignIn: pendingSignInCookie(sealedCookie),
    keptForm: keptFormCookie(sealedCookie),
    ...codeCookies(sealedCookie),
  };
}

export type Cookies = ReturnType<typeof createCookies>;
