import { z } from 'zod';
import type { LatchkeyContext } from '#app/context.server.ts';
import { noteActivity } from './note-activity.server.ts';
import { takeTry } from './try.server.ts';

const MAX_CHARACTERS = 64;
const TOTP = /^\d{6}$/;

/** A code of the authenticator or a recovery code, as it is typed; '' when the form does not ask for one. */
export const typedSecondFactorSchema = z
  .string()
  .max(MAX_CHARACTERS, 'That is longer than any code.')
  .default('')
  .transform((text) => text.trim());

export type SecondFactorTried =
  | { state: 'right'; second: 'totp' | 'recovery-code' }
  | { state: 'wrong'; text: string }
  | { state: 'later'; retryAfterSeconds: number };

/** Tries what was typed as either kind of second factor of this user. A right one is used up. */
export async function trySecondFactor(
  context: LatchkeyContext,
  userId: string,
  typed: string,
): Promise<SecondFactorTried> {
  if (typed === '') return { state: 'wrong', text: 'Enter the code from your authenticator.' };
  const leave = await takeTry(context, 'second-factor', { userId });
  if (!leave.isGiven) return { state: 'later', retryAfterSeconds: leave.retryAfterSeconds };
  const digits = typed.replaceAll(/[\s-]/g, '');
  if (TOTP.test(digits)) {
    if (await context.totp.use(userId, digits, context.now)) {
      await leave.giveBack();
      return { state: 'right', second: 'totp' };
    }
  } else {
    const used = await context.recoveryCodes.use(userId, typed, context.now);
    if (used) {
      await leave.giveBack();
      await noteActivity(context, userId, { kind: 'recovery-code-used', left: used.left });
      return { state: 'right', second: 'recovery-code' };
    }
  }
  await noteActivity(context, userId, { kind: 'sign-in-failed', what: 'second-factor' });
  return {
    state: 'wrong',
    text: 'This code is not right, or it was used before. Take the one that is shown now.',
  };
}
