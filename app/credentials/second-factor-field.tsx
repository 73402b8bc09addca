import { Field, type Reply } from '#app/ui/field.tsx';

/** The field for a second factor: a code of an authenticator app, or a recovery code. */
export function SecondFactorField({ reply }: { reply: Reply }) {
  return (
    <Field
      name="secondFactor"
      label="Code from your authenticator"
      help="6 digits. If you have lost the authenticator, one of your recovery codes will do."
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      enterKeyHint="go"
      required
      reply={reply}
    />
  );
}
