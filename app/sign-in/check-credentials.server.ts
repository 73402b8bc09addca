import type { LatchkeyContext } from '#app/context.server.ts';
import { noteWrongPassword } from '#app/activity/record-activity.server.ts';
import { takeTry } from '#app/limits/attempts.server.ts';

export type PasswordTried =
  | { state: 'right'; userId: string }
  | { state: 'wrong'; text: string }
  | { state: 'later'; retryAfterSeconds: number };

/**
 * Tries an e-mail and a password as the first step of signing in. The answer is the same, at the same
 * cost, for an e-mail that nobody has.
 */
export async function tryPassword(
  context: LatchkeyContext,
  { email, password }: { email: string; password: string },
): Promise<PasswordTried> {
  const leave = await takeTry(context, 'password', { email });
  if (!leave.isGiven) return { state: 'later', retryAfterSeconds: leave.retryAfterSeconds };
  const userId = await context.passwords.authenticate(email, password);
  if (userId === null) {
    await noteWrongPassword(context, email);
    return { state: 'wrong', text: 'That e-mail and password do not belong together.' };
  }
  await leave.giveBack();
  return { state: 'right', userId };
}
