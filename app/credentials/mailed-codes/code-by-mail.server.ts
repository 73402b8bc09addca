import * as z from 'zod';
import type { CodePurpose, NewCode, Redeemed } from './mailed-codes.server.ts';
import type { PageContext } from '#app/context.server.ts';
import type { MailContent } from '#app/mail/mail.ts';
import { MINUTE_MS } from '#app/sessions/index.ts';
import type { AttemptPermit } from '#app/limits/rate-limits.server.ts';
import { takeMailAttempt, takeAttempt } from '#app/limits/attempts.server.ts';

/** Codes that are typed into the browser that asked for them. */
type TypedCodePurpose = Extract<CodePurpose, 'sign-up' | 'password-reset' | 'email-change'>;

/** What goes along with every such code: whom the mail greets, and what the purpose needs. */
interface CodePayload {
  name: string;
  [more: string]: unknown;
}

type SentCode = Omit<NewCode, 'purpose' | 'payload'> & {
  purpose: TypedCodePurpose;
  payload: CodePayload;
};

const COOKIES = {
  'sign-up': 'signUpCode',
  'password-reset': 'resetCode',
  'email-change': 'emailChangeCode',
} as const;

/** The page on which each code is typed; the link in the mail leads there. */
const PAGES = {
  'sign-up': '/signup/verify',
  'password-reset': '/reset-password',
  'email-change': '/settings/email/verify',
} as const;

const CODE_LIFETIME_MS = 10 * MINUTE_MS;

/** A code as it is typed: eight digits, however they are grouped. */
export const typedCodeSchema = z
  .string('Enter the code from the mail.')
  .transform((text) => text.replaceAll(/[\s-]/g, ''))
  .pipe(z.string().regex(/^\d{8}$/, 'The code in the mail has eight digits.'));

/** Sends a code, or nothing for a decoy, at the same cost. Answers the `Set-Cookie` value of the browser that waits. */
export async function sendCode(context: PageContext, details: SentCode): Promise<string> {
  const { purpose, userId, email, payload } = details;
  const { id, browserKey, code } = await context.mailedCodes.issue(details, context.now);
  await send(context, { purpose, userId, email, payload, code });
  return context.cookies[COOKIES[purpose]].write({ id, browserKey, email }, context.now);
}

/** Where the code of this purpose went that this browser waits for; null when it waits for none. */
export function findWaitingCode(
  context: PageContext,
  request: Request,
  purpose: TypedCodePurpose,
): { email: string } | null {
  const waiting = context.cookies[COOKIES[purpose]].read(
    request.headers.get('cookie'),
    context.now,
  );
  return waiting && { email: waiting.email };
}

/**
 * Sends another code in place of the one that this browser waits for. Null when it waits for none
 * any more.
 */
export async function resendCode(
  context: PageContext,
  request: Request,
  purpose: TypedCodePurpose,
): Promise<AttemptPermit | null> {
  const cookie = context.cookies[COOKIES[purpose]];
  const waiting = cookie.read(request.headers.get('cookie'), context.now);
  if (!waiting) return null;
  const leave = await takeMailAttempt(context, waiting.email);
  if (!leave.isAllowed) return leave;
  const again = await context.mailedCodes.replaceCode({ ...waiting, purpose }, context.now);
  if (!again) return null;
  await send(context, { purpose, ...again, payload: again.payload as CodePayload });
  return leave;
}

/** What became of a code that was typed. */
export type CodeCheckResult =
  | (Extract<Redeemed, { state: 'right' }> & { codeId: string; payload: CodePayload })
  /** What to say beside the field. */
  | { state: 'wrong'; text: string }
  | { state: 'later'; retryAfterSeconds: number }
  /** This browser waits for no code. */
  | { state: 'none' };

/** Tries the code that was typed into this browser. */
export async function checkCode(
  context: PageContext,
  request: Request,
  purpose: TypedCodePurpose,
  code: string,
): Promise<CodeCheckResult> {
  const cookie = context.cookies[COOKIES[purpose]];
  const waiting = cookie.read(request.headers.get('cookie'), context.now);
  if (!waiting) return { state: 'none' };
  const leave = await takeAttempt(context, 'mailed-code', { email: waiting.email });
  if (!leave.isAllowed) return { state: 'later', retryAfterSeconds: leave.retryAfterSeconds };
  const { id, browserKey } = waiting;
  const redeemed = await context.mailedCodes.redeem({ id, browserKey, purpose, code }, context.now);
  switch (redeemed.state) {
    case 'right':
      await leave.refund();
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
}

/** A `Set-Cookie` value for a browser that waits no longer. */
export function removeWaitingCode(context: PageContext, purpose: TypedCodePurpose): string {
  return context.cookies[COOKIES[purpose]].clear();
}

async function send(
  context: PageContext,
  { email, userId, ...rest }: Omit<SentCode, 'isDecoy'> & { code: string | null },
): Promise<void> {
  const content = contentOf(context, rest);
  const expiresAt = new Date(context.now.getTime() + CODE_LIFETIME_MS);
  await context.mailer.send(content && { to: email, userId, content, expiresAt }, context.now);
}

function contentOf(
  { origin }: PageContext,
  {
    purpose,
    code,
    payload,
  }: { purpose: TypedCodePurpose; code: string | null; payload: CodePayload },
): MailContent | null {
  const { name } = payload;
  // Behind the "#": no server is told of it, and no log.
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
}
