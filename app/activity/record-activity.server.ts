import type { NoticeEvent } from '#app/mail/mail.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { ActivityEvent, FailedFactor } from './activity-event.ts';
import type {
  ActivityEntry,
  ActivityLog,
  ActivitySource,
  AttemptTarget,
  RecentFailures,
} from './activity-log.server.ts';
import type { Notices } from './notices.server.ts';

/** Users mistype passwords; more wrong ones than this within a day are reported to them. */
const MANY_PASSWORDS = 5;
/** Fewer for second factors: an attacker who gets there knows the first factor. */
const MANY_SECOND_FACTORS = 3;

interface ActivityOptions {
  activityLog: ActivityLog;
  notices: Pick<Notices, 'isOn' | 'send' | 'sendTo'>;
}

export type Activity = ReturnType<typeof createActivity>;

/** Records what happens to accounts, and mails their users where that is due. */
export function createActivity({ activityLog, notices }: ActivityOptions) {
  const recordFailedAttempt = async (
    visit: Visit,
    target: AttemptTarget,
    what: FailedFactor,
  ): Promise<void> => {
    const source = sourceOf(visit, null);
    const failures = await activityLog.recordFailure(target, what, source, visit.now);
    if (!notices.isOn) return;
    // No step is left out for an unknown e-mail: the answer would come sooner.
    const user = isSuspicious(failures) ? failures.user : null;
    const isFirst = await activityLog.claimFailureNotice(user?.id ?? null, visit.now);
    await notices.sendTo(visit, isFirst ? user : null, {
      event: { what: 'many-failed-attempts' },
      // A guess at a password opened nothing, so there is nothing to sign out.
      canBeDisputed: what === 'second-factor',
    });
  };

  return {
    /**
     * Records an event after the fact, and mails the user where that is due.
     *
     * @param sessionId the session in which it happened; left out: that of this visit, if it is live.
     * @throws what the database throws if it is down. A mail that cannot be made is only logged.
     */
    async record(
      visit: Visit,
      userId: string,
      event: ActivityEvent,
      sessionId?: string,
    ): Promise<void> {
      if (event.kind === 'sign-in-failed') {
        return recordFailedAttempt(visit, { userId }, event.what);
      }
      const held = await visit.session();
      const isOwn = held.state === 'live' && held.session.userId === userId;
      const source = sourceOf(visit, sessionId ?? (isOwn ? held.session.id : null));
      const recorded = await activityLog.record(userId, event, source, visit.now);
      if (!notices.isOn) return;
      if (event.kind === 'signed-in') {
        if (!(await activityLog.isFromNewDevice(recorded))) return;
        return notices.send(visit, userId, { what: 'new-device' });
      }
      const notice = noticeFor(event);
      if (notice) await notices.send(visit, userId, notice);
    },

    /** Records a wrong password for this e-mail. The work is the same if no user has the e-mail. */
    recordWrongPassword: (visit: Visit, email: string): Promise<void> =>
      recordFailedAttempt(visit, { email }, 'password'),

    /** Returns an entry of this user's log; `null` for an unknown id, or another user's. */
    find: async (userId: string, id: string | undefined): Promise<ActivityEntry | null> =>
      id === undefined ? null : activityLog.find(id, userId),
  };
}

/**
 * Returns the mail for an event other than a sign-in; `null` if none is due. Signing other devices out
 * is not mailed: each of them says so itself. Changes of the e-mail have mails of their own.
 */
function noticeFor({ kind, ...detail }: ActivityEvent): NoticeEvent | null {
  switch (kind) {
    case 'password-changed':
    case 'password-reset':
    case 'totp-on':
    case 'totp-off':
    case 'recovery-codes-new':
    case 'recovery-code-used':
    case 'passkey-added':
    case 'passkey-removed':
    case 'connection-added':
    case 'connection-removed':
    case 'token-made':
    case 'download-made':
      return { what: kind, ...detail } as NoticeEvent;
    default:
      return null;
  }
}

function isSuspicious({ passwords, secondFactors }: RecentFailures): boolean {
  return passwords + secondFactors >= MANY_PASSWORDS || secondFactors >= MANY_SECOND_FACTORS;
}

function sourceOf({ device }: Visit, sessionId: string | null): ActivitySource {
  const { userAgent, ipAddress, country } = device;
  return { userAgent, ipAddress, country, sessionId };
}
