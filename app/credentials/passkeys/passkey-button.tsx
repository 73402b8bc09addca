import { startTransition, useEffect, useRef, useState, type ReactNode } from 'react';
import { Button } from '#app/ui/button.tsx';
import type { Ceremony, Outcome } from './ceremony.ts';

interface PasskeyButtonProps {
  /** Use a passkey that there is, or make a new one. */
  ceremony: Ceremony;
  /** Path that answers a POST with the options, and keeps their challenge in a cookie. */
  optionsFrom: string;
  /** What the button says. */
  children: ReactNode;
  /** What is wrong with the passkey that was sent; it stands beside the button. */
  error?: string | undefined;
  /** True while the form is on its way. */
  pending?: boolean;
  pendingText?: string;
  look?: 'primary' | 'secondary';
  className?: string;
  /** In place of the button where there are no scripts, or the browser has no passkeys. */
  otherwise?: ReactNode;
  /** Before the form is sent, with its passkey in it. */
  onDone?: (form: HTMLFormElement) => void;
}

/**
 * A button that has the browser ask for a passkey. Put it into a form: when there is one, its JSON
 * text stands in the hidden field `credential`, and the form is sent as if it had been submitted
 * (`requestSubmit`), natively or by Remix, as the form is. Nothing is sent when the person cancels.
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
  const ability = usePasskeySupport();

  const ask = async () => {
    setIsAsking(true);
    setOutcome(null);
    const came = await import('./ceremony.ts')
      .then(({ runCeremony }) => runCeremony(ceremony, optionsFrom))
      .catch((): Outcome => ({ state: 'failed', text: 'We could not be reached. Try again.' }));
    setIsAsking(false);
    setOutcome(came);
    if (came.state === 'done' && field.current) submitWith(field.current, came.answer, onDone);
  };
  const own = outcome === null || outcome.state === 'done' ? error : undefined;
  const isBusy = isAsking || pending;
  const problem = isBusy ? undefined : outcome?.state === 'failed' ? outcome.text : own;
  return (
    <>
      <input type="hidden" name="credential" ref={field} />
      {ability === 'none' ? (
        otherwise
      ) : (
        <div className={`grid gap-2 noscript:hidden ${ability === 'unknown' ? 'invisible' : ''}`}>
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
      {otherwise && ability !== 'none' && <div className="hidden noscript:block">{otherwise}</div>}
    </>
  );
}

/** Sends the field's form with this in it. */
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

/** Whether this browser has passkeys; unknown until scripts run. */
export function usePasskeySupport(): 'unknown' | 'some' | 'none' {
  const [ability, setAbility] = useState<'unknown' | 'some' | 'none'>('unknown');
  useEffect(() => {
    startTransition(() => setAbility(typeof PublicKeyCredential === 'function' ? 'some' : 'none'));
  }, []);
  return ability;
}
