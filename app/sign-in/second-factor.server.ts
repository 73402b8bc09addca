import type { PageContext } from '#app/context.server.ts';
import type { SecondFactorCode } from '#app/credentials/second-factor-schema.ts';
import { recordActivity } from '#app/activity/record-activity.server.ts';
import { takeAttempt } from '#app/limits/attempts.server.ts';

export type SecondFactorCheckResult =
  | { state: 'right'; second: 'totp' | 'recovery-code' }
  | { state: 'wrong'; text: string }
  | { state: 'later'; retryAfterSeconds: number };

/** Tries what was typed as a second factor of this user. A right one is used up. */
export async function checkSecondFactor(
  context: PageContext,
  userId: string,
  typed: SecondFactorCode,
): Promise<SecondFactorCheckResult> {
  if (!typed) return { state: 'wrong', text: 'Enter the 6 digits that your app shows.' };
  const leave = await takeAttempt(context, 'second-factor', { userId });
  if (!leave.isAllowed) return { state: 'later', retryAfterSeconds: leave.retryAfterSeconds };
  const { kind } = typed;
  if (await isRight(context, userId, typed)) {
    await leave.refund();
    return { state: 'right', second: kind };
  }
  await recordActivity(context, userId, { kind: 'sign-in-failed', what: 'second-factor' });
  return {
    state: 'wrong',
    text:
      kind === 'totp'
        ? 'That code is wrong or was used before. Enter the one shown now.'
        : 'That recovery code is wrong or was used before.',
  };
}

async function isRight(
  context: PageContext,
  userId: string,
  { kind, code }: NonNullable<SecondFactorCode>,
): Promise<boolean> {
  if (kind === 'totp') return context.totp.use(userId, code, context.now);
  const used = await context.recoveryCodes.use(userId, code, context.now);
  if (used) await recordActivity(context, userId, { kind: 'recovery-code-used', left: used.left });
  return used !== null;
}
