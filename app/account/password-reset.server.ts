import type { PageContext } from '#app/context.server.ts';
import { DAY_MS } from '#app/sessions/index.ts';
import { endAllAccess } from '#app/tokens/access-tokens.server.ts';
import type { PasswordReset } from '#app/credentials/mailed-codes/code-cookies.server.ts';
import { sendCode } from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import { recordActivity } from '#app/activity/record-activity.server.ts';

/**
 * Sends a code that allows a new password, if there is an account of this address; the answer is
 * the same, at the same cost, when there is none. Answers the `Set-Cookie` value of the browser that
 * waits for it.
 */
export async function startPasswordReset(context: PageContext, email: string): Promise<string> {
  const user = await context.db.user.findUnique({
    where: { email },
    select: { id: true, name: true },
  });
  return sendCode(context, {
    purpose: 'password-reset',
    userId: user?.id ?? null,
    email,
    payload: { name: user?.name ?? '' },
    isDecoy: user === null,
  });
}

/**
 * The reset that this browser may finish: it brought the code back within the last ten minutes, and
 * neither the address nor the password has changed since. Null otherwise.
 */
export async function findPasswordReset(
  context: PageContext,
  request: Request,
): Promise<PasswordReset | null> {
  const reset = context.cookies.passwordReset.read(request.headers.get('cookie'), context.now);
  if (!reset) return null;
  const user = await context.db.user.findUnique({
    where: { id: reset.userId },
    select: { email: true, password: { select: { changedAt: true } } },
  });
  if (user?.email !== reset.email) return null;
  const isChanged = user.password && user.password.changedAt.getTime() > reset.provenAt;
  return isChanged ? null : reset;
}

/**
 * Sets the password, signs every device out, revokes every token and makes all codes worthless that wait for this account.
 * False when this reset was finished before.
 */
export async function finishPasswordReset(
  context: PageContext,
  { userId, codeId, provenAt }: PasswordReset,
  newPassword: string,
): Promise<boolean> {
  const { now, passwords, replayGuard, mailedCodes } = context;
  // First: should that fail, nothing else has happened, and the same form can be sent again.
  await endAllAccess(context, userId, 'password-changed');
  const isFirst = await replayGuard.claim(`password reset ${codeId}`, new Date(provenAt + DAY_MS));
  if (!isFirst) return false;
  await passwords.set(userId, newPassword, now);
  // Once more: somebody may have signed in with the old one in between.
  await endAllAccess(context, userId, 'password-changed');
  await mailedCodes.discard(userId, ['password-reset', 'email-change']);
  await recordActivity(context, userId, { kind: 'password-reset' });
  return true;
}
