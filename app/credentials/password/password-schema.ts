import * as z from 'zod';

const MIN_CHARACTERS = 8;
const MAX_CHARACTERS = 256;

const countCharacters = (text: string) => [...text].length;

/** A new password: 8 to 256 characters of any kind, exactly as typed (NIST SP 800-63B-4 §3.1.1.2). */
export const newPasswordSchema = z
  .string('Choose a password.')
  .refine((text) => countCharacters(text) >= MIN_CHARACTERS, {
    error: `Use at least ${MIN_CHARACTERS} characters.`,
  })
  .refine((text) => countCharacters(text) <= MAX_CHARACTERS, {
    error: `Use at most ${MAX_CHARACTERS} characters.`,
  });

/** A password to be checked: anything that could ever have been set. */
export const passwordSchema = z
  .string('Enter your password.')
  .refine((text) => countCharacters(text) <= MAX_CHARACTERS, {
    error: 'That is longer than any password here.',
  });

/**
 * An e-mail address, trimmed and in lower case: it identifies an account. It must be ASCII before it is
 * converted: "\u212a", the Kelvin sign, would become the "k" of another user's address.
 */
export const emailSchema = z
  .string('Enter your e-mail address.')
  .trim()
  .max(254, 'That is longer than an e-mail address can be.')
  .pipe(z.email('Enter an e-mail address like name@example.com.').toLowerCase());
