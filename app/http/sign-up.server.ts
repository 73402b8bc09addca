import type { TypedResponse } from '@remix-run/node';
import type { LatchkeyContext } from '#app/context.server.ts';
import { passwordProof } from '#app/credentials/proof.ts';
import { noteActivity } from './note-activity.server.ts';
import type { Leave } from './rate-limits.server.ts';
import { startSession } from './sign-in.server.ts';
import { takeMail } from './try.server.ts';

/** Leave to make an account, and to have the mail sent that it takes. */
export async function takeSignUp(context: LatchkeyContext, email: string): Promise<Leave> {
  const leave = await context.limits.takeSignUp(context.device.ipAddress);
  if (!leave.isGiven || !context.mailer.isOn) return leave;
  return takeMail(context, email);
}

/** Signs the owner of a new account in, for the first time. */
export async function welcome(
  context: LatchkeyContext,
  account: { userId: string; remember: boolean; redirectTo: unknown },
): Promise<TypedResponse<never>> {
  await noteActivity(context, account.userId, { kind: 'signed-up' });
  return startSession(context, { ...account, proof: passwordProof, toast: { kind: 'welcome' } });
}
