import type { PageContext, User } from '#app/context.server.ts';
import type { SecondFactorCode } from '#app/credentials/second-factor-schema.ts';
import { recordActivity } from '#app/activity/record-activity.server.ts';
import { checkSecondFactor } from './second-factor.server.ts';
import { takeAttempt } from '#app/limits/attempts.server.ts';

export interface Factors {
  hasPassword: boolean;
  hasTotp: boolean;
}

export type FactorsCheckResult =
  | { state: 'right' }
  /** The account has nothing that could be typed: a passkey or a provider has to do. */
  | { state: 'nothing-to-type' }
  | { state: 'wrong'; field: 'password' | 'secondFactor'; text: string }
  | { state: 'later'; retryAfterSeconds: number };

/** What this person can prove by typing it who they are. */
export async function factorsOf(
  { passwords, totp }: Pick<PageContext, 'passwords' | 'totp'>,
  userId: string,
): Promise<Factors> {
  const [hasPassword, hasTotp] = await Promise.all([passwords.isSet(userId), totp.isOn(userId)]);
  return { hasPassword, hasTotp };
}

/** Tries what somebody who is signed in typed to prove it again: all factors that the account has. */
export async function confirmWithFactors(
  context: PageContext,
  user: Pick<User, 'id' | 'email'>,
  { password, secondFactor }: { password: string; secondFactor: SecondFactorCode },
): Promise<FactorsCheckResult> {
  const { hasPassword, hasTotp } = await factorsOf(context, user.id);
  if (!hasPassword && !hasTotp) return { state: 'nothing-to-type' };
  // A form without it costs no try, and is nothing that the log should tell of.
  if (hasPassword && password === '') {
    return { state: 'wrong', field: 'password', text: 'Enter your password.' };
  }
  if (hasPassword) {
    const leave = await takeAttempt(context, 'password', { email: user.email });
    if (!leave.isAllowed) return { state: 'later', retryAfterSeconds: leave.retryAfterSeconds };
    if (!(await context.passwords.confirm(user.id, password))) {
      await recordActivity(context, user.id, { kind: 'sign-in-failed', what: 'password' });
      return { state: 'wrong', field: 'password', text: 'This is not your password.' };
    }
    await leave.refund();
  }
  if (!hasTotp) return { state: 'right' };
  const tried = await checkSecondFactor(context, user.id, secondFactor);
  if (tried.state === 'wrong') return { ...tried, field: 'secondFactor' };
  return tried.state === 'later' ? tried : { state: 'right' };
}
