import { Form, useNavigation } from '@remix-run/react';
import { useEffect, useRef, type ReactNode, type RefObject } from 'react';
import { PasskeyButton, submitWith } from './passkey-button.tsx';

const ACTION = '/login/passkey';
const OPTIONS = '/login/passkey/options';

export interface PasskeySignInProps {
  redirectTo: string;
  /** What was wrong with the submitted passkey. */
  error?: string | undefined;
  /**
   * The other form of the page: its "remember me" counts here too, and its e-mail field offers passkeys
   * (`autocomplete="username webauthn"`). Without it, `children` has a checkbox of its own.
   */
  besides?: RefObject<HTMLFormElement>;
  /** More fields of the form. */
  children?: ReactNode;
  otherwise?: ReactNode;
}

/** Sign-in with a passkey: a button, and autofill at the e-mail field. */
export function PasskeySignInForm(props: PasskeySignInProps) {
  const { redirectTo, error, besides, children, otherwise } = props;
  const form = useRef<HTMLFormElement>(null);
  const { state, formAction } = useNavigation();
  const hasAutofill = besides !== undefined;
  const isIdle = state === 'idle';

  const copyRemember = (own: HTMLFormElement) => {
    const remember = own.elements.namedItem('remember');
    const beside = besides?.current?.elements.namedItem('remember');
    if (remember instanceof HTMLInputElement && beside instanceof HTMLInputElement) {
      remember.disabled = !beside.checked;
    }
  };

  // Runs while the page is idle. It ends with a submission or navigation, and restarts if the page stays.
  useEffect(() => {
    if (!hasAutofill || !isIdle || typeof PublicKeyCredential !== 'function') return;
    let hasEnded = false;
    let end: (() => void) | undefined;
    const use = (answer: string) => {
      const field = form.current?.elements.namedItem('credential');
      if (field instanceof HTMLInputElement) submitWith(field, answer, copyRemember);
    };
    import('./ceremony.ts').then(
      ({ startAutofill }) => {
        if (!hasEnded) end = startAutofill(OPTIONS, use);
      },
      () => {
        // Offline: the user still has the form.
      },
    );
    return () => {
      hasEnded = true;
      end?.();
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `besides` is read on use
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
        onDone={copyRemember}
      >
        Sign in with a passkey
      </PasskeyButton>
    </Form>
  );
}
