import { Field, type Reply } from '#app/ui/field.tsx';

interface CodeFieldProps {
  reply: Reply;
  help?: string;
  /** Default: `code`. */
  name?: string;
}

/** The field for a code of an authenticator app. */
export function CodeField({ reply, help, name = 'code' }: CodeFieldProps) {
  return (
    <Field
      name={name}
      help={help}
      reply={reply}
      label="Code"
      inputMode="numeric"
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      enterKeyHint="go"
      required
    />
  );
}

/** The field for a recovery code. */
export function RecoveryCodeField({ reply, help, name = 'recoveryCode' }: CodeFieldProps) {
  return (
    <Field
      name={name}
      help={help}
      reply={reply}
      label="Recovery code"
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      enterKeyHint="go"
      required
    />
  );
}
