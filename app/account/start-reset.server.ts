import { redirect, type TypedResponse } from '@remix-run/node';
import type { PageContext } from '#app/context.server.ts';
import { startPasswordReset } from './password-reset.server.ts';
import { signedOutHeaders } from '#app/sign-in/sign-in.server.ts';
import { takeMailAttempt } from '#app/limits/attempts.server.ts';
import { writeToast, type ToastMessage } from '#app/http/toast.server.ts';

/**
 * Starts the reset of a password for somebody whom everything was just signed out for: mails the code
 * and leads to where it is typed, with this browser signed out as well. Where no mail can be sent, it
 * goes on at the login page; where too many were asked for, at the page that says so.
 */
export async function startReset(
  context: PageContext,
  email: string,
  toast: ToastMessage = { kind: 'everything-ended' },
): Promise<TypedResponse<never>> {
  const headers = signedOutHeaders(context);
  headers.append('Set-Cookie', writeToast(toast, context.origin));
  if (!context.mailer.isOn) return redirect('/login', { headers });
  const leave = await takeMailAttempt(context, email);
  if (!leave.isAllowed) return redirect('/forgot-password', { headers });
  headers.append('Set-Cookie', await startPasswordReset(context, email));
  return redirect('/reset-password', { headers });
}
