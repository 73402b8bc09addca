import * as z from 'zod';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';

/** A code lasts ten minutes; one that ran out can be asked for again a little longer. */
const MAX_AGE_SECONDS = 3600;
/** Time to think of a new password. */
const RESET_SECONDS = 600;

const waitingSchema = z.object({
  /** Of the row; see `MailedCodes`. */
  id: z.string(),
  browserKey: z.string(),
  /** Where the code went, for the page to say. */
  email: z.string(),
});

/** A code that was mailed, and the browser that waits for it. */
export type WaitingCode = z.infer<typeof waitingSchema>;

const resetSchema = z.object({
  userId: z.string(),
  email: z.string(),
  /** Of the code that was brought back. */
  codeId: z.string(),
  provenAt: z.number(),
});

/** A browser that brought the mailed code back, and may set a new password. */
export type PasswordReset = z.infer<typeof resetSchema>;

/** Cookies for codes that are under way, each for one purpose. */
export function codeCookies(sealedCookie: SealedCookieFactory) {
  const waiting = (name: string) =>
    sealedCookie<WaitingCode>({ name, schema: waitingSchema, maxAgeSeconds: MAX_AGE_SECONDS });
  return {
    signUpCode: waiting('sign-up-code'),
    resetCode: waiting('reset-code'),
    emailChangeCode: waiting('email-change-code'),
    passwordReset: sealedCookie<PasswordReset>({
      name: 'password-reset',
      schema: resetSchema,
      maxAgeSeconds: RESET_SECONDS,
    }),
  };
}
