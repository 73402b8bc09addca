import type {
  ActivityEvent,
  ActivitySource,
  AttemptTarget,
  FailedFactor,
  RecentFailures,
} from './activity-log.server.ts';
import type { PageContext } from '#app/context.server.ts';
import type { NoticeEvent } from '#app/mail/mail.ts';
import { mailNotice, sendNotice } from './notices.server.ts';

/** Wrong passwords within a day that people mistype; more than that their owner should know of. */
const MANY_PASSWORDS = 5;
/** Of second factors it takes fewer: whoever gets there had the first one right. */
const MANY_SECOND_FACTORS = 3;

/**
 * Writes down what has just happened to an account, and tells its owner by mail where that is due.
 * Call it after the fact: it must have happened.
 *
 * @param sessionId the session in which it happened; left out: that of this request, if it is live.
 * @throws what the database throws when it is down. Mail that cannot be made costs nobody anything.
 */
export async function recordActivity(
  context: PageContext,
  userId: string,
  event: ActivityEvent,
  sessionId?: string,
): Promise<void> {
  if (event.kind === 'sign-in-failed') return noteFailedAttempt(context, { userId }, event.what);
  const held = await context.session();
  const current = held.state === 'live' && held.session.userId === userId ? held.session.id : null;
  const source = sourceOf(context, sessionId ?? current);
  const recorded = await context.activity.record(userId, event, source, context.now);
  if (!context.mailer.isOn) return;
  if (event.kind === 'signed-in') {
    if (!(await context.activity.isFromNewDevice(recorded))) return;
    return mailNotice(context, userId, { what: 'new-device' });
  }
  const notice = noticeFor(event);
  if (notice) await mailNotice(context, userId, notice);
}

/**
 * Writes down that somebody typed this e-mail and a password that does not belong to it. It does, and
 * takes, the same for an e-mail that nobody has.
 */
export function recordWrongPassword(context: PageContext, email: string): Promise<void> {
  return noteFailedAttempt(context, { email }, 'password');
}

/**
 * What is mailed of an event besides a sign-in. Signing other devices out is not: each of them says so
 * itself, and whoever did it was signed in, of which the owner was told. The changes of the e-mail
 * have mails of their own.
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

async function noteFailedAttempt(
  context: PageContext,
  attempted: AttemptTarget,
  what: FailedFactor,
): Promise<void> {
  const source = sourceOf(context, null);
  const failures = await context.activity.recordFailure(attempted, what, source, context.now);
  if (!context.mailer.isOn) return;
  // Nothing is left out where nobody has that e-mail: the answer would come sooner.
  const whose = isSuspicious(failures) ? failures.user : null;
  const isFirst = await context.activity.claimFailureNotice(whose?.id ?? null, context.now);
  await sendNotice(context, isFirst ? whose : null, {
    event: { what: 'many-failed-attempts' },
    // Who only guesses at passwords is nowhere in: there is nothing to sign out.
    canBeDisputed: what === 'second-factor',
  });
}

function isSuspicious({ passwords, secondFactors }: RecentFailures): boolean {
  return passwords + secondFactors >= MANY_PASSWORDS || secondFactors >= MANY_SECOND_FACTORS;
}

function sourceOf({ device }: PageContext, sessionId: string | null): ActivitySource {
  const { userAgent, ipAddress, country } = device;
  return { userAgent, ipAddress, country, sessionId };
}
