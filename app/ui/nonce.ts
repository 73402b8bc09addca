import { createContext, useContext } from 'react';

/**
 * The nonce of the Content-Security-Policy while the server renders a page. Empty in the browser, which
 * hides nonces from scripts.
 */
const NonceContext = createContext('');

export const NonceProvider = NonceContext.Provider;

/** Returns the nonce for the script elements of this page. */
export function useNonce(): string {
  return useContext(NonceContext);
}
