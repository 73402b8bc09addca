import { startTransition, useEffect, useState } from 'react';
import type {
  PasskeySignInForm,
  PasskeySignInProps,
} from '#app/credentials/passkeys/passkey-sign-in-form.tsx';

/**
 * The passkey form of the login page: loaded after hydration, and only if the browser supports passkeys.
 * Until then its space is reserved, so that the layout does not shift.
 */
export function PasskeySignIn(props: PasskeySignInProps) {
  const [LazyForm, setLazyForm] = useState<typeof PasskeySignInForm | null>(null);
  useEffect(() => {
    if (typeof PublicKeyCredential !== 'function') return;
    import('#app/credentials/passkeys/passkey-sign-in-form.tsx').then(
      ({ PasskeySignInForm }) => startTransition(() => setLazyForm(() => PasskeySignInForm)),
      () => {
        // Offline: the user still has the form for e-mail and password.
      },
    );
  }, []);
  return LazyForm ? (
    <LazyForm {...props} />
  ) : (
    <div className="min-h-11 sm:min-h-10 noscript:hidden" />
  );
}
