import { createContext, useContext } from 'react';

/** The Content-Security-Policy's nonce while a page is rendered on the server; empty in the browser, which hides nonces from scripts. */
const NonceContext = createContext('');

export const NonceProvider = NonceContext.Provider;

/** The nonce for script elements of this page. */
export function useNonce(): string {
  return useContext(NonceContext);
}
