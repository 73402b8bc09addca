import { startTransition, useEffect, useState } from 'react';
import type {
  PasskeySignInForm,
  PasskeySignInProps,
} from '#app/credentials/passkeys/passkey-sign-in-form.tsx';

/**
 * Signing in with a passkey, for the login page: fetched once that has come to life, and only where
 * the browser has passkeys. Until then its place is kept, so that nothing jumps.
 */
export function PasskeySignIn(props: PasskeySignInProps) {
  const [Fetched, setFetched] = useState<typeof PasskeySignInForm | null>(null);
  useEffect(() => {
    if (typeof PublicKeyCredential !== 'function') return;
    import('#app/credentials/passkeys/passkey-sign-in-form.tsx').then(
      ({ PasskeySignInForm }) => startTransition(() => setFetched(() => PasskeySignInForm)),
      () => {
        // Offline: the form for e-mail and password is there.
      },
    );
  }, []);
  return Fetched ? (
    <Fetched {...props} />
  ) : (
    <div className="min-h-11 sm:min-h-10 noscript:hidden" />
  );
}
