import { redirect, type TypedResponse } from '@remix-run/node';
import type { PageContext } from '#app/context.server.ts';
import { endAllAccess } from '#app/tokens/access-tokens.server.ts';
import { recordActivity } from '#app/activity/record-activity.server.ts';
import { signedOutHeaders } from '#app/sign-in/sign-in.server.ts';
import { startReset } from './start-reset.server.ts';

/**
 * What "This wasn't me" does: signs the account out everywhere, this browser too, since whoever says
 * it cannot know which of the sessions are theirs alone; writes it down; and starts the reset of the
 * password.
 */
export async function secureAccount(
  context: PageContext,
  userId: string,
): Promise<TypedResponse<never>> {
  await endAllAccess(context, userId, 'not-me');
  const user = await context.db.user.findUnique({
    where: { id: userId },
    select: { email: true },
  });
  // The account was deleted meanwhile.
  if (!user) return redirect('/', { headers: signedOutHeaders(context) });
  await recordActivity(context, userId, { kind: 'not-me' });
  return startReset(context, user.email);
}
