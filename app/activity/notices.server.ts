import type { PageContext } from '#app/context.server.ts';
import { isDatabaseUnavailable, isUserGone } from '#app/database/errors.server.ts';
import type { Mail, NoticeEvent } from '#app/mail/mail.ts';
import { DAY_MS } from '#app/sessions/index.ts';
import { describeDevice } from '#app/sessions/device.ts';

/** A notice is of use for as long as its key works. */
const NOTICE_MS = 7 * DAY_MS;

interface Addressee {
  id: string;
  name: string;
  email: string;
}

interface Notice {
  event: NoticeEvent;
  /** With a link to say "This wasn't me". */
  canBeDisputed: boolean;
}

/** Mails the owner of the account what happened, with the device of this request; a no-op for one that is gone. */
export async function mailNotice(
  context: PageContext,
  userId: string,
  event: NoticeEvent,
): Promise<void> {
  const user = await context.db.user.findUnique({
    where: { id: userId },
    select: { id: true, name: true, email: true },
  });
  if (user) await sendNotice(context, user, { event, canBeDisputed: true });
}

/**
 * Hands a notice to the mailer. null: nobody is told, in the same time. A mail that cannot be made is
 * logged, for what it tells of has happened; only a database that is down is an error.
 */
export async function sendNotice(
  context: PageContext,
  to: Addressee | null,
  notice: Notice,
): Promise<void> {
  try {
    await context.mailer.send(to && (await noticeMail(context, to, notice)), context.now);
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error;
    // The account was erased meanwhile.
    if (isUserGone(error)) return;
    context.log.error({ err: error }, 'a notice could not be mailed');
  }
}

async function noticeMail(
  { mailedCodes, origin, places, device, now }: PageContext,
  { id: userId, name, email }: Addressee,
  { event, canBeDisputed }: Notice,
): Promise<Mail> {
  const notMe = { purpose: 'not-me', userId, email } as const;
  const key = canBeDisputed ? await mailedCodes.createLinkKey(notMe, NOTICE_MS, now) : null;
  return {
    to: email,
    userId,
    content: {
      kind: 'notice',
      name,
      event,
      // Behind the "#", where no server and no log sees it.
      notMeLink: key === null ? null : `${origin}/not-me#${key}`,
      device: describeDevice(device.userAgent).detail,
      place: places.describe(device.ipAddress, device.country),
      at: now.toISOString(),
    },
    expiresAt: new Date(now.getTime() + NOTICE_MS),
  };
}
