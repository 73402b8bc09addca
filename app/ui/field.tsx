import type { SubmissionResult } from '@conform-to/dom';
import { useEffect, useId, useRef, type InputHTMLAttributes, type ReactNode } from 'react';

/** The server's response to a form: the submitted values, and their errors. */
export type Reply = SubmissionResult | null | undefined;

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  name: string;
  label: string;
  /** Shown below the field, unless there is an error. */
  help?: ReactNode;
  reply: Reply;
}

const inputLook =
  'block min-h-11 w-full rounded-xl border bg-raised px-3.5 py-2 text-base text-ink placeholder:text-muted';

/** A labelled input with its submitted value, and its error or help. */
export function Field({ name, label, help, reply, defaultValue, ...rest }: FieldProps) {
  const id = useId();
  const error = errorOf(reply, name);
  const typed = reply?.initialValue?.[name];
  const isFirstError = error !== undefined && firstFieldInError(reply) === name;
  return (
    <div className="grid gap-1.5">
      <label htmlFor={id} className="font-medium">
        {label}
      </label>
      <input
        {...rest}
        id={id}
        name={name}
        defaultValue={typeof typed === 'string' ? typed : defaultValue}
        aria-invalid={error ? true : undefined}
        aria-describedby={error || help ? `${id}-note` : undefined}
        // eslint-disable-next-line jsx-a11y/no-autofocus -- to the first error, also without scripts
        autoFocus={isFirstError}
        className={`${inputLook} ${error ? 'border-danger' : 'border-control'}`}
      />
      {error ? (
        <p id={`${id}-note`} className="text-small font-medium text-danger">
          {error}
        </p>
      ) : (
        help && (
          <p id={`${id}-note`} className="text-small text-muted">
            {help}
          </p>
        )
      )}
    </div>
  );
}

/** A hidden field that tells password managers which account the password belongs to. */
export function UsernameField({ email }: { email: string }) {
  return (
    <input
      type="email"
      autoComplete="username"
      value={email}
      readOnly
      tabIndex={-1}
      aria-hidden="true"
      className="sr-only"
    />
  );
}

interface CheckboxProps {
  name: string;
  label: string;
  help?: string;
  defaultChecked?: boolean;
  reply: Reply;
}

/** A labelled checkbox that keeps its submitted state when the form is shown again. */
export function Checkbox({ name, label, help, defaultChecked, reply }: CheckboxProps) {
  const id = useId();
  const checked = reply ? reply.initialValue?.[name] !== undefined : defaultChecked;
  return (
    <div className="flex gap-3">
      <input
        type="checkbox"
        id={id}
        name={name}
        defaultChecked={checked}
        aria-describedby={help ? `${id}-note` : undefined}
        className="mt-0.5 size-5 shrink-0 accent-(--accent)"
      />
      <div className="grid gap-0.5">
        <label htmlFor={id}>{label}</label>
        {help && (
          <p id={`${id}-note`} className="text-small text-muted">
            {help}
          </p>
        )}
      </div>
    </div>
  );
}

/** The error of the whole form; it takes the focus when it appears. */
export function FormError({ reply }: { reply: Reply }) {
  const ref = useRef<HTMLParagraphElement>(null);
  const error = errorOf(reply, '');
  useEffect(() => {
    if (error) ref.current?.focus();
  }, [reply, error]);
  if (!error) return null;
  return (
    <p
      ref={ref}
      role="alert"
      tabIndex={-1}
      className="rounded-xl bg-danger-glow px-4 py-3 font-medium text-danger"
    >
      {error}
    </p>
  );
}

/** Moves the focus to the first field with an error after a response; without scripts, `autofocus` does. */
export function useFocusOnError(reply: Reply) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (reply?.error) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [reply]);
  return form;
}

function errorOf(reply: Reply, name: string): string | undefined {
  return reply?.error?.[name]?.[0];
}

function firstFieldInError(reply: Reply): string | undefined {
  return Object.entries(reply?.error ?? {}).find(([name, errors]) => name !== '' && errors)?.[0];
}
