import { redirect, type TypedResponse } from '@remix-run/node';
import * as z from 'zod';
import type { ConnectedAccount } from '#app/database/connected-sign-up.server.ts';
import type { PageContext } from '#app/context.server.ts';
import type { Proof } from '#app/visit/proof.ts';
import { recordActivity } from '#app/activity/record-activity.server.ts';
import { pendingConnectionSchema } from './pending-connection.server.ts';
import type { AttemptPermit } from '#app/limits/rate-limits.server.ts';
import { startSession } from '#app/sign-in/sign-in.server.ts';
import { writeToast } from '#app/http/toast.server.ts';
import { takeMailAttempt } from '#app/limits/attempts.server.ts';

const typed = { name: z.string(), remember: z.boolean(), redirectTo: z.string().optional() };

/**
 * What was typed at a sign-up, and the way in that the account will have: sealed until the code came
 * back.
 */
export const signUpPayloadSchema = z.union([
  z.object({ ...typed, passwordHash: z.string() }),
  z.object({
    ...typed,
    connection: pendingConnectionSchema.pick({
      provider: true,
      issuer: true,
      subject: true,
      displayName: true,
      tokens: true,
    }),
  }),
]);

export type SignUpPayload = z.infer<typeof signUpPayloadSchema>;

/** Leave to make an account, and to have the mail sent that it takes. */
export async function takeSignUp(context: PageContext, email: string): Promise<AttemptPermit> {
  const leave = await context.limits.takeSignUp(context.device.ipAddress);
  if (!leave.isAllowed || !context.mailer.isOn) return leave;
  return takeMailAttempt(context, email);
}

/** Signs the owner of a new account in, for the first time. */
export async function finishSignUp(
  context: PageContext,
  account: { userId: string; proof: Proof; remember: boolean; redirectTo?: unknown },
): Promise<TypedResponse<never>> {
  await recordActivity(context, account.userId, { kind: 'signed-up' });
  const { redirectTo } = account;
  return startSession(context, { ...account, redirectTo, toast: { kind: 'welcome' } });
}

/**
 * Signs somebody in whom a provider knows and who has an account now. When the identity had one by
 * then, nothing that they have shown opens it: they sign in to it as anybody does.
 */
export async function finishConnectedSignUp(
  context: PageContext,
  made: Exclude<ConnectedAccount, { state: 'email-taken' }>,
  { provider, ...rest }: { provider: string; remember: boolean; redirectTo?: unknown },
): Promise<TypedResponse<never>> {
  const name = context.providers.find(provider)?.name ?? provider;
  const toast = writeToast({ kind: 'connected-meanwhile', provider: name }, context.origin);
  const answer =
    made.state === 'created'
      ? await finishSignUp(context, {
          userId: made.userId,
          proof: { by: 'provider', second: null, provider: name },
          ...rest,
        })
      : redirect('/login', { headers: { 'Set-Cookie': toast } });
  answer.headers.append('Set-Cookie', context.cookies.pendingConnection.clear());
  return answer;
}
