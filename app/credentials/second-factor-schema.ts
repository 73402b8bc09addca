import * as z from 'zod';

/** Spaces and dashes, of which there are many: people type codes in groups, as they are shown. */
const BETWEEN_GROUPS = /[\s\p{Pd}]/gu;
const MAX_TYPED_CHARACTERS = 64;

const typedCode = (what: string) =>
  z
    .string(what)
    .max(MAX_TYPED_CHARACTERS, 'That is longer than any code here.')
    .transform((text) => text.replace(BETWEEN_GROUPS, ''));

const ENTER_CODE = 'Enter the 6 digits that your app shows.';

/** A code of an authenticator app: six digits, with spaces wherever somebody puts them. */
export const authenticatorCodeSchema = typedCode(ENTER_CODE).pipe(
  z.string().regex(/^\d{6}$/, ENTER_CODE),
);

/** Twelve of these make a code of 58 bits. Nothing that could be taken for something else: no 0 and o, no 1, i and l. */
export const RECOVERY_CODE_ALPHABET = 'abcdefghjkmnpqrstvwxyz23456789';
export const RECOVERY_CODE_CHARACTERS = 12;

const ENTER_RECOVERY_CODE = 'Enter one of your recovery codes, like abcd-efgh-jkmn.';

/** A recovery code, as it was shown or however somebody copied it. */
export const recoveryCodeSchema = typedCode(ENTER_RECOVERY_CODE).pipe(
  z
    .string()
    .toLowerCase()
    .regex(
      new RegExp(`^[${RECOVERY_CODE_ALPHABET}]{${RECOVERY_CODE_CHARACTERS}}$`),
      ENTER_RECOVERY_CODE,
    ),
);

/** A code of either kind; null: what was typed is neither, or nothing was. */
export type SecondFactorCode = { kind: 'totp' | 'recovery-code'; code: string } | null;

/** Where one field takes either: a code of the app, or a recovery code. */
export const secondFactorSchema = z
  .string()
  .optional()
  .transform((text): SecondFactorCode => {
    const totp = authenticatorCodeSchema.safeParse(text);
    if (totp.success) return { kind: 'totp', code: totp.data };
    const recovery = recoveryCodeSchema.safeParse(text);
    return recovery.success ? { kind: 'recovery-code', code: recovery.data } : null;
  });
