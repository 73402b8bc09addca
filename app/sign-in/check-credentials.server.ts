import type { Activity } from '#app/activity/record-activity.server.ts';
import type { Passwords } from '#app/credentials/password/passwords.server.ts';
import type { RecoveryCodes } from '#app/credentials/recovery-codes/recovery-codes.server.ts';
import type { SecondFactorCode } from '#app/credentials/second-factor-schema.ts';
import type { Totp } from '#app/credentials/totp/totp.server.ts';
import type { Attempts } from '#app/limits/attempts.server.ts';
import type { Visit } from '#app/visit/visit.ts';

/** The outcome of a check of something that a user typed. */
type CheckResult<Correct> =
  | ({ state: 'right' } & Correct)
  | { state: 'wrong'; text: string }
  /** Too many attempts. */
  | { state: 'later'; retryAfterSeconds: number };

interface CredentialChecksOptions {
  passwords: Pick<Passwords, 'authenticate'>;
  totp: Pick<Totp, 'use'>;
  recoveryCodes: Pick<RecoveryCodes, 'use'>;
  attempts: Pick<Attempts, 'take'>;
  activity: Pick<Activity, 'record' | 'recordWrongPassword'>;
}

export type CredentialChecks = ReturnType<typeof createCredentialChecks>;

/** Checks of typed credentials, within the rate limits and with a record of what was wrong. */
export function createCredentialChecks(options: CredentialChecksOptions) {
  const { passwords, totp, recoveryCodes, attempts, activity } = options;

  const isCorrect = async (
    visit: Visit,
    userId: string,
    { kind, code }: NonNullable<SecondFactorCode>,
  ): Promise<boolean> => {
    if (kind === 'totp') return totp.use(userId, code, visit.now);
    const used = await recoveryCodes.use(userId, code, visit.now);
    if (used) await activity.record(visit, userId, { kind: 'recovery-code-used', left: used.left });
    return used !== null;
  };

  return {
    /**
     * Checks an e-mail and a password, the first step of signing in. The answer and its cost are the
     * same if no user has the e-mail.
     */
    async password(
      visit: Visit,
      { email, password }: { email: string; password: string },
    ): Promise<CheckResult<{ userId: string }>> {
      const permit = await attempts.take(visit, 'password', { email });
      if (!permit.isAllowed) return { state: 'later', retryAfterSeconds: permit.retryAfterSeconds };
      const userId = await passwords.authenticate(email, password);
      if (userId === null) {
        await activity.recordWrongPassword(visit, email);
        return { state: 'wrong', text: 'Wrong e-mail or password.' };
      }
      await permit.refund();
      return { state: 'right', userId };
    },

    /** Checks a second factor. A correct code is used up. */
    async secondFactor(
      visit: Visit,
      userId: string,
      typed: SecondFactorCode,
    ): Promise<CheckResult<{ second: 'totp' | 'recovery-code' }>> {
      if (!typed) return { state: 'wrong', text: 'Enter the 6 digits that your app shows.' };
      const permit = await attempts.take(visit, 'second-factor', { userId });
      if (!permit.isAllowed) return { state: 'later', retryAfterSeconds: permit.retryAfterSeconds };
      const { kind } = typed;
      if (await isCorrect(visit, userId, typed)) {
        await permit.refund();
        return { state: 'right', second: kind };
      }
      await activity.record(visit, userId, { kind: 'sign-in-failed', what: 'second-factor' });
      return {
        state: 'wrong',
        text:
          kind === 'totp'
            ? 'That code is wrong or was used before. Enter the one shown now.'
            : 'That recovery code is wrong or was used before.',
      };
    },
  };
}
