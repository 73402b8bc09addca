import type { LatchkeyContext } from '#app/context.server.ts';
import type { SecondFactorCode } from '#app/credentials/second-factor-schema.ts';
import { noteActivity } from '#app/activity/record-activity.server.ts';
import { takeTry } from '#app/limits/attempts.server.ts';

export type SecondFactorTried =
  | { state: 'right'; second: 'totp' | 'recovery-code' }
  | { state: 'wrong'; text: string }
  | { state: 'later'; retryAfterSeconds: number };

/** Tries what was typed as a second factor of this user. A right one is used up. */
export async function trySecondFactor(
  context: LatchkeyContext,
  userId: string,
  typed: SecondFactorCode,
): Promise<SecondFactorTried> {
  if (!typed) return { state: 'wrong', text: 'Enter the 6 digits that your app shows.' };
  const leave = await takeTry(context, 'second-factor', { userId });
  if (!leave.isGiven) return { state: 'later', retryAfterSeconds: leave.retryAfterSeconds };
  const { kind } = typed;
  if (await isRight(context, userId, typed)) {
    await leave.giveBack();
    return { state: 'right', second: kind };
  }
  await noteActivity(context, userId, { kind: 'sign-in-failed', what: 'second-factor' });
  return {
    state: 'wrong',
    text:
      kind === 'totp'
        ? 'That code is wrong or was used before. Enter the one shown now.'
        : 'That recovery code is wrong or was used before.',
  };
}

async function isRight(
  context: LatchkeyContext,
  userId: string,
  { kind, code }: NonNullable<SecondFactorCode>,
): Promise<boolean> {
  if (kind === 'totp') return context.totp.use(userId, code, context.now);
  const used = await context.recoveryCodes.use(userId, code, context.now);
  if (used) await noteActivity(context, userId, { kind: 'recovery-code-used', left: used.left });
  return used !== null;
}
