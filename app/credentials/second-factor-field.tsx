import { Field, type Reply } from '#app/ui/field.tsx';

/** Where two factors are asked for: a code of the authenticator, or one that was put away for the day it is lost. */
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
