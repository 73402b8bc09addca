import * as z from 'zod';

/** Spaces and dashes of every kind: users type codes in groups, as they are shown. */
const GROUP_SEPARATORS = /[\s\p{Pd}]/gu;
const MAX_TYPED_CHARACTERS = 64;

const typedCode = (message: string) =>
  z
    .string(message)
    .max(MAX_TYPED_CHARACTERS, 'That is longer than any code here.')
    .transform((text) => text.replace(GROUP_SEPARATORS, ''));

const ENTER_CODE = 'Enter the 6 digits that your app shows.';

/** A code of an authenticator app: six digits, with spaces anywhere. */
export const authenticatorCodeSchema = typedCode(ENTER_CODE).pipe(
  z.string().regex(/^\d{6}$/, ENTER_CODE),
);

/** Twelve of these are 58 bits. Without look-alikes: no 0 and o, no 1, i and l. */
export const RECOVERY_CODE_ALPHABET = 'abcdefghjkmnpqrstvwxyz23456789';
export const RECOVERY_CODE_CHARACTERS = 12;

const ENTER_RECOVERY_CODE = 'Enter one of your recovery codes, like abcd-efgh-jkmn.';

/** A recovery code, in any case and grouping. */
export const recoveryCodeSchema = typedCode(ENTER_RECOVERY_CODE).pipe(
  z
    .string()
    .toLowerCase()
    .regex(
      new RegExp(`^[${RECOVERY_CODE_ALPHABET}]{${RECOVERY_CODE_CHARACTERS}}$`),
      ENTER_RECOVERY_CODE,
    ),
);

/** A code of either kind; `null` if the text is neither, or empty. */
export type SecondFactorCode = { kind: 'totp' | 'recovery-code'; code: string } | null;

/** For a field that takes either a code of the app or a recovery code. */
export const secondFactorSchema = z
  .string()
  .optional()
  .transform((text): SecondFactorCode => {
    const totp = authenticatorCodeSchema.safeParse(text);
    if (totp.success) return { kind: 'totp', code: totp.data };
    const recovery = recoveryCodeSchema.safeParse(text);
    return recovery.success ? { kind: 'recovery-code', code: recovery.data } : null;
  });
