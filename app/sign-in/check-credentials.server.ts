import type { PageContext } from '#app/context.server.ts';
import { recordWrongPassword } from '#app/activity/record-activity.server.ts';
import { takeAttempt } from '#app/limits/attempts.server.ts';

export type PasswordCheckResult =
  | { state: 'right'; userId: string }
  | { state: 'wrong'; text: string }
  | { state: 'later'; retryAfterSeconds: number };

/**
 * Tries an e-mail and a password as the first step of signing in. The answer is the same, at the same
 * cost, for an e-mail that nobody has.
 */
export async function checkPassword(
  context: PageContext,
  { email, password }: { email: string; password: string },
): Promise<PasswordCheckResult> {
  const leave = await takeAttempt(context, 'password', { email });
  if (!leave.isAllowed) return { state: 'later', retryAfterSeconds: leave.retryAfterSeconds };
  const userId = await context.passwords.authenticate(email, password);
  if (userId === null) {
    await recordWrongPassword(context, email);
    return { state: 'wrong', text: 'That e-mail and password do not belong together.' };
  }
  await leave.refund();
  return { state: 'right', userId };
}
