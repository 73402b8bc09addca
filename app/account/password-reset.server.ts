import { redirect, type TypedResponse } from '@remix-run/node';
import * as z from 'zod';
import type { Activity } from '#app/activity/record-activity.server.ts';
import type { CodeByMail } from '#app/credentials/mailed-codes/code-by-mail.server.ts';
import type { MailedCodes } from '#app/credentials/mailed-codes/mailed-codes.server.ts';
import type { Passwords } from '#app/credentials/password/passwords.server.ts';
import type { ReplayGuard } from '#app/database/replay-guard.server.ts';
import type { Users } from '#app/database/users.server.ts';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';
import type { SessionCookie } from '#app/http/session-cookie.server.ts';
import type { Toast } from '#app/http/toast.server.ts';
import type { Attempts } from '#app/limits/attempts.server.ts';
import type { Mailer } from '#app/mail/mail.ts';
import { DAY_MS } from '#app/sessions/time.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { EndAllAccess } from './end-all-access.server.ts';

/** Time to think of a new password. */
const MAX_AGE_SECONDS = 600;

const resetSchema = z.object({
  userId: z.string(),
  email: z.string(),
  /** Id of the code that was typed. */
  codeId: z.string(),
  provenAt: z.number(),
});

/** A browser that typed the mailed code, and may set a new password. */
type PendingReset = z.infer<typeof resetSchema>;

interface PasswordResetOptions {
  sealedCookie: SealedCookieFactory;
  users: Pick<Users, 'findByEmail' | 'findSecurity'>;
  codeByMail: Pick<CodeByMail, 'send'>;
  mailedCodes: Pick<MailedCodes, 'discard'>;
  passwords: Pick<Passwords, 'set'>;
  replayGuard: Pick<ReplayGuard, 'claim'>;
  attempts: Pick<Attempts, 'takeMail'>;
  mailer: Pick<Mailer, 'isOn'>;
  activity: Pick<Activity, 'record'>;
  endAllAccess: EndAllAccess;
  sessionCookie: Pick<SessionCookie, 'remove'>;
  toast: Pick<Toast, 'show'>;
}

export type PasswordReset = ReturnType<typeof createPasswordReset>;

export function createPasswordReset(options: PasswordResetOptions) {
  const { users, codeByMail, mailedCodes, passwords, replayGuard, attempts } = options;
  const { mailer, activity, endAllAccess, sessionCookie, toast } = options;
  const cookie = options.sealedCookie<PendingReset>({
    name: 'password-reset',
    schema: resetSchema,
    maxAgeSeconds: MAX_AGE_SECONDS,
  });

  /**
   * Mails a code that allows a new password, if a user has this address. The answer and its cost are
   * the same if none has.
   */
  const start = async (visit: Visit, email: string): Promise<void> => {
    const user = await users.findByEmail(email);
    await codeByMail.send(visit, {
      purpose: 'password-reset',
      userId: user?.id ?? null,
      email,
      payload: { name: user?.name ?? '' },
      isDecoy: user === null,
    });
  };

  return {
    start,

    /** Allows this browser to set a new password. */
    allow: (visit: Visit, pending: PendingReset) => cookie.write(visit, pending),

    /** Removes that permission from this browser. */
    remove: (visit: Visit) => cookie.remove(visit),

    /**
     * Returns the reset that this browser may finish: it typed the code within the last ten minutes,
     * and neither the address nor the password has changed since. Otherwise `null`.
     */
    async find(visit: Visit): Promise<PendingReset | null> {
      const pending = cookie.read(visit);
      if (!pending) return null;
      const user = await users.findSecurity(pending.userId);
      if (user?.email !== pending.email) return null;
      const changedAt = user.passwordChangedAt?.getTime() ?? 0;
      return changedAt > pending.provenAt ? null : pending;
    },

    /**
     * Sets the password, signs every device out, revokes every token and discards all codes of the
     * account. False if this reset was finished before.
     */
    async finish(
      visit: Visit,
      { userId, codeId, provenAt }: PendingReset,
      newPassword: string,
    ): Promise<boolean> {
      // First: if this fails, nothing else has happened and the form can be sent again.
      await endAllAccess(visit, userId, 'password-changed');
      const refusedUntil = new Date(provenAt + DAY_MS);
      if (!(await replayGuard.claim(`password reset ${codeId}`, refusedUntil))) return false;
      await passwords.set(userId, newPassword, visit.now);
      // Again: an attacker may have signed in with the old password in between.
      await endAllAccess(visit, userId, 'password-changed');
      await mailedCodes.discard(userId, ['password-reset', 'email-change']);
      await activity.record(visit, userId, { kind: 'password-reset' });
      return true;
    },

    /**
     * Starts the reset for a user whose devices were all signed out just now, and signs this browser
     * out. Redirects to where the code is typed; to the login page if no mail can be sent; to the page
     * that says so if too many mails were requested.
     */
    async startSignedOut(
      visit: Visit,
      email: string,
      message = 'Every device is signed out.',
    ): Promise<TypedResponse<never>> {
      sessionCookie.remove(visit);
      toast.show(visit, message);
      if (!mailer.isOn) return redirect('/login');
      const permit = await attempts.takeMail(visit, email);
      if (!permit.isAllowed) return redirect('/forgot-password');
      await start(visit, email);
      return redirect('/reset-password');
    },
  };
}
