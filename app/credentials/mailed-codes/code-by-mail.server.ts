import * as z from 'zod';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';
import type { Attempts } from '#app/limits/attempts.server.ts';
import type { AttemptPermit } from '#app/limits/rate-limits.server.ts';
import type { Mailer, MailContent } from '#app/mail/mail.ts';
import type { Visit } from '#app/visit/visit.ts';
import {
  CODE_LIFETIME_MS,
  type CodePurpose,
  type MailedCodes,
  type NewCode,
  type RedeemResult,
} from './mailed-codes.server.ts';

/** Codes that are typed into the browser that asked for them. */
type TypedCodePurpose = Extract<CodePurpose, 'sign-up' | 'password-reset' | 'email-change'>;

/** Sealed with every such code: the name for the mail's greeting, and what the purpose needs. */
interface CodePayload {
  name: string;
  [more: string]: unknown;
}

type SentCode = Omit<NewCode, 'purpose' | 'payload'> & {
  purpose: TypedCodePurpose;
  payload: CodePayload;
};

/** The page on which each code is typed; the link in the mail leads there. */
const PAGES = {
  'sign-up': '/signup/verify',
  'password-reset': '/reset-password',
  'email-change': '/settings/email/verify',
} as const;

/** A code is valid for ten minutes; within an hour a new one can replace an expired one. */
const MAX_AGE_SECONDS = 3600;

const waitingSchema = z.object({
  /** Id of the row; see `MailedCodes`. */
  id: z.string(),
  browserKey: z.string(),
  /** The address that the code was mailed to; the page shows it. */
  email: z.string(),
});

/** A code as a user types it: eight digits, grouped or not. */
export const typedCodeSchema = z
  .string('Enter the code from the mail.')
  .transform((text) => text.replaceAll(/[\s-]/g, ''))
  .pipe(z.string().regex(/^\d{8}$/, 'The code in the mail has eight digits.'));

/** The outcome of a check of a typed code. */
type CodeCheckResult =
  | (Extract<RedeemResult, { state: 'right' }> & { codeId: string; payload: CodePayload })
  /** `text` is the error of the field. */
  | { state: 'wrong'; text: string }
  /** Too many attempts. */
  | { state: 'later'; retryAfterSeconds: number }
  /** This browser does not wait for a code. */
  | { state: 'none' };

interface CodeByMailOptions {
  sealedCookie: SealedCookieFactory;
  mailedCodes: Pick<MailedCodes, 'issue' | 'replaceCode' | 'redeem'>;
  mailer: Pick<Mailer, 'send'>;
  attempts: Pick<Attempts, 'take' | 'takeMail'>;
  origin: string;
}

export type CodeByMail = ReturnType<typeof createCodeByMail>;

/** Codes that are mailed, and typed into the browser that waits for them. */
export function createCodeByMail(options: CodeByMailOptions) {
  const { sealedCookie, mailedCodes, mailer, attempts, origin } = options;
  const waitingCookie = (name: string) =>
    sealedCookie({ name, schema: waitingSchema, maxAgeSeconds: MAX_AGE_SECONDS });
  const cookies = {
    'sign-up': waitingCookie('sign-up-code'),
    'password-reset': waitingCookie('reset-code'),
    'email-change': waitingCookie('email-change-code'),
  };

  const contentOf = (
    purpose: TypedCodePurpose,
    code: string | null,
    { name }: CodePayload,
  ): MailContent | null => {
    // In the fragment, which no server and no log sees.
    const link = `${origin}${PAGES[purpose]}#${code}`;
    const taken: MailContent = {
      kind: 'sign-up-taken',
      loginLink: `${origin}/login`,
      resetLink: `${origin}/forgot-password`,
    };
    switch (purpose) {
      case 'sign-up':
        return code === null ? taken : { kind: 'sign-up-code', code, link };
      case 'password-reset':
        return code === null ? null : { kind: 'password-reset-code', name, code, link };
      case 'email-change':
        return code === null ? taken : { kind: 'email-change-code', name, code, link };
    }
  };

  const mailCode = async (
    { now }: Visit,
    details: Omit<SentCode, 'isDecoy'> & { code: string | null },
  ): Promise<void> => {
    const { purpose, code, payload, email, userId } = details;
    const content = contentOf(purpose, code, payload);
    const expiresAt = new Date(now.getTime() + CODE_LIFETIME_MS);
    await mailer.send(content && { to: email, userId, content, expiresAt }, now);
  };

  return {
    /** Mails a code, or nothing for a decoy, at the same cost. This browser waits for it. */
    async send(visit: Visit, details: SentCode): Promise<void> {
      const { purpose, userId, email, payload } = details;
      const { id, browserKey, code } = await mailedCodes.issue(details, visit.now);
      await mailCode(visit, { purpose, userId, email, payload, code });
      cookies[purpose].write(visit, { id, browserKey, email });
    },

    /** Returns the address of the code that this browser waits for; `null` if it waits for none. */
    findWaiting(visit: Visit, purpose: TypedCodePurpose): { email: string } | null {
      const waiting = cookies[purpose].read(visit);
      return waiting && { email: waiting.email };
    },

    /** Mails another code in place of the one that this browser waits for; `null` if it waits for none. */
    async resend(visit: Visit, purpose: TypedCodePurpose): Promise<AttemptPermit | null> {
      const waiting = cookies[purpose].read(visit);
      if (!waiting) return null;
      const permit = await attempts.takeMail(visit, waiting.email);
      if (!permit.isAllowed) return permit;
      const again = await mailedCodes.replaceCode({ ...waiting, purpose }, visit.now);
      if (!again) return null;
      await mailCode(visit, { purpose, ...again, payload: again.payload as CodePayload });
      return permit;
    },

    /** Checks the code that was typed into this browser. */
    async check(visit: Visit, purpose: TypedCodePurpose, code: string): Promise<CodeCheckResult> {
      const waiting = cookies[purpose].read(visit);
      if (!waiting) return { state: 'none' };
      const permit = await attempts.take(visit, 'mailed-code', { email: waiting.email });
      if (!permit.isAllowed) return { state: 'later', retryAfterSeconds: permit.retryAfterSeconds };
      const { id, browserKey } = waiting;
      const redeemed = await mailedCodes.redeem({ id, browserKey, purpose, code }, visit.now);
      switch (redeemed.state) {
        case 'right':
          await permit.refund();
          return { ...redeemed, codeId: id, payload: redeemed.payload as CodePayload };
        case 'wrong':
          return {
            state: 'wrong',
            text:
              redeemed.triesLeft === 0
                ? 'This is not the code, and it was the last try. Have another one sent.'
                : 'This is not the code. Look at the newest mail from us.',
          };
        case 'over':
          return {
            state: 'wrong',
            text: 'This code is used or too old: it lasts ten minutes. Have another one sent.',
          };
      }
    },

    /** This browser no longer waits for a code. */
    remove: (visit: Visit, purpose: TypedCodePurpose) => cookies[purpose].remove(visit),
  };
}
