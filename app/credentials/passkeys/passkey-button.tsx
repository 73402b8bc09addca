import { startTransition, useEffect, useRef, useState, type ReactNode } from 'react';
import { Button } from '#app/ui/button.tsx';
import type { Ceremony, Outcome } from './ceremony.ts';

interface PasskeyButtonProps {
  ceremony: Ceremony;
  /** The path that answers a POST with the options, and sets their challenge as a cookie. */
  optionsFrom: string;
  /** The button's text. */
  children: ReactNode;
  /** What was wrong with the submitted passkey; shown below the button. */
  error?: string | undefined;
  /** True while the form is being submitted. */
  pending?: boolean;
  pendingText?: string;
  look?: 'primary' | 'secondary';
  className?: string;
  /** Shown instead of the button without scripts, or in a browser without passkeys. */
  otherwise?: ReactNode;
  /** Called right before the form, with the passkey in it, is submitted. */
  onDone?: (form: HTMLFormElement) => void;
}

/**
 * A button that has the browser ask for a passkey. Put it into a form: the answer goes into the hidden
 * field `credential` as JSON text, and the form is submitted (`requestSubmit`), natively or by Remix.
 * Nothing is sent if the user cancels.
 *
 *     <Form method="post" action="/confirm/passkey">
 *       <PasskeyButton ceremony="use" optionsFrom="/confirm/passkey/options">
 *         Use a passkey
 *       </PasskeyButton>
 *     </Form>
 */
export function PasskeyButton(props: PasskeyButtonProps) {
  const { ceremony, optionsFrom, children, error, otherwise, onDone } = props;
  const { look = 'secondary', pending = false, pendingText = 'Checking…', className } = props;
  const field = useRef<HTMLInputElement>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [isAsking, setIsAsking] = useState(false);
  const support = usePasskeySupport();

  const ask = async () => {
    setIsAsking(true);
    setOutcome(null);
    const result = await import('./ceremony.ts')
      .then(({ runCeremony }) => runCeremony(ceremony, optionsFrom))
      .catch((): Outcome => ({ state: 'failed', text: 'We could not be reached. Try again.' }));
    setIsAsking(false);
    setOutcome(result);
    if (result.state === 'done' && field.current) submitWith(field.current, result.answer, onDone);
  };
  const formError = outcome === null || outcome.state === 'done' ? error : undefined;
  const isBusy = isAsking || pending;
  const problem = isBusy ? undefined : outcome?.state === 'failed' ? outcome.text : formError;
  return (
    <>
      <input type="hidden" name="credential" ref={field} />
      {support === 'none' ? (
        otherwise
      ) : (
        <div className={`grid gap-2 noscript:hidden ${support === 'unknown' ? 'invisible' : ''}`}>
          <Button
            type="button"
            look={look}
            className={className}
            pending={isBusy}
            pendingText={isAsking ? 'Waiting for your passkey…' : pendingText}
            onClick={() => void ask()}
          >
            {children}
          </Button>
          {problem && (
            <p role="alert" className="text-small font-medium text-danger">
              {problem}
            </p>
          )}
          {outcome?.state === 'cancelled' && (
            <p role="status" className="text-small text-muted">
              {outcome.text}
            </p>
          )}
        </div>
      )}
      {otherwise && support !== 'none' && <div className="hidden noscript:block">{otherwise}</div>}
    </>
  );
}

/** Puts the answer into the field and submits its form. */
export function submitWith(
  field: HTMLInputElement,
  answer: string,
  onDone?: (form: HTMLFormElement) => void,
): void {
  field.value = answer;
  if (!field.form) return;
  onDone?.(field.form);
  field.form.requestSubmit();
}

/** Returns whether this browser has passkeys; 'unknown' until scripts run. */
function usePasskeySupport(): 'unknown' | 'some' | 'none' {
  const [support, setSupport] = useState<'unknown' | 'some' | 'none'>('unknown');
  useEffect(() => {
    startTransition(() => setSupport(typeof PublicKeyCredential === 'function' ? 'some' : 'none'));
  }, []);
  return support;
}
