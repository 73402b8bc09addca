import { Form, useNavigation } from '@remix-run/react';
import { useEffect, useRef, type ReactNode, type RefObject } from 'react';
import { PasskeyButton, submitWith } from './passkey-button.tsx';

const ACTION = '/login/passkey';
const OPTIONS = '/login/passkey/options';

export interface PasskeySignInProps {
  redirectTo: string;
  /** What was wrong with the passkey that was sent. */
  error?: string | undefined;
  /**
   * The form beside it whose "remember me" counts here too, and whose e-mail field offers passkeys
   * (`autocomplete="username webauthn"`). Left out: `children` holds a box of its own.
   */
  besides?: RefObject<HTMLFormElement>;
  /** More fields of the form. */
  children?: ReactNode;
  otherwise?: ReactNode;
}

/** Signing in with a passkey: a button, and the browser's own offer at the e-mail field. */
export function PasskeySignInForm(props: PasskeySignInProps) {
  const { redirectTo, error, besides, children, otherwise } = props;
  const form = useRef<HTMLFormElement>(null);
  const { state, formAction } = useNavigation();
  const hasAutofill = besides !== undefined;
  const isIdle = state === 'idle';

  const rememberAsBeside = (own: HTMLFormElement) => {
    const remember = own.elements.namedItem('remember');
    const beside = besides?.current?.elements.namedItem('remember');
    if (remember instanceof HTMLInputElement && beside instanceof HTMLInputElement) {
      remember.disabled = !beside.checked;
    }
  };

  // As long as nothing is sent and nobody leaves: then it ends, and begins anew if the page stays.
  useEffect(() => {
    if (!hasAutofill || !isIdle || typeof PublicKeyCredential !== 'function') return;
    let hasEnded = false;
    let end: (() => void) | undefined;
    const use = (answer: string) => {
      const field = form.current?.elements.namedItem('credential');
      if (field instanceof HTMLInputElement) submitWith(field, answer, rememberAsBeside);
    };
    import('./ceremony.ts').then(
      ({ startAutofill }) => {
        if (!hasEnded) end = startAutofill(OPTIONS, use);
      },
      () => {
        // Offline: the form is still there.
      },
    );
    return () => {
      hasEnded = true;
      end?.();
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the rest is read when it is used
  }, [hasAutofill, isIdle]);

  return (
    <Form method="post" action={ACTION} ref={form} className="grid gap-6">
      <input type="hidden" name="redirectTo" value={redirectTo} />
      {hasAutofill && <input type="hidden" name="remember" value="on" disabled />}
      {children}
      <PasskeyButton
        ceremony="use"
        optionsFrom={OPTIONS}
        error={error}
        pending={formAction === ACTION}
        pendingText="Signing in…"
        className="w-full"
        otherwise={otherwise}
        onDone={rememberAsBeside}
      >
        Sign in with a passkey
      </PasskeyButton>
    </Form>
  );
}
