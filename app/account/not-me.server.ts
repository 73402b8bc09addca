import { redirect, type TypedResponse } from '@remix-run/node';
import type { Activity } from '#app/activity/record-activity.server.ts';
import type { Users } from '#app/database/users.server.ts';
import type { SessionCookie } from '#app/http/session-cookie.server.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { EndAllAccess } from './end-all-access.server.ts';
import type { PasswordReset } from './password-reset.server.ts';

interface NotMeOptions {
  users: Pick<Users, 'find'>;
  activity: Pick<Activity, 'record'>;
  endAllAccess: EndAllAccess;
  passwordReset: Pick<PasswordReset, 'startSignedOut'>;
  sessionCookie: Pick<SessionCookie, 'remove'>;
}

export function createNotMe(options: NotMeOptions) {
  const { users, activity, endAllAccess, passwordReset, sessionCookie } = options;
  return {
    /**
     * Does what "This wasn't me" promises: signs the account out everywhere, this browser too because
     * the user cannot know which sessions are theirs; records it; and starts a password reset.
     */
    async secureAccount(visit: Visit, userId: string): Promise<TypedResponse<never>> {
      await endAllAccess(visit, userId, 'not-me');
      const user = await users.find(userId);
      // The account was deleted meanwhile.
      if (!user) {
        sessionCookie.remove(visit);
        return redirect('/');
      }
      await activity.record(visit, userId, { kind: 'not-me' });
      return passwordReset.startSignedOut(visit, user.email);
    },
  };
}
