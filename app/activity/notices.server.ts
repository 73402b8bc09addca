import type { MailedCodes } from '#app/credentials/mailed-codes/mailed-codes.server.ts';
import { isDatabaseUnavailable, isUserGone } from '#app/database/errors.server.ts';
import type { UserSummary, Users } from '#app/database/users.server.ts';
import type { Mail, Mailer, NoticeEvent } from '#app/mail/mail.ts';
import type { Places } from '#app/network/places.server.ts';
import { describeDevice } from '#app/sessions/device.ts';
import { DAY_MS } from '#app/sessions/time.ts';
import type { Visit } from '#app/visit/visit.ts';

/** A notice is of use for as long as its key works. */
const NOTICE_MS = 7 * DAY_MS;

interface Notice {
  event: NoticeEvent;
  /** Adds a link to say "This wasn't me". */
  canBeDisputed: boolean;
}

interface NoticesOptions {
  mailedCodes: Pick<MailedCodes, 'createLinkKey'>;
  mailer: Mailer;
  users: Pick<Users, 'find'>;
  places: Pick<Places, 'describe'>;
  origin: string;
}

export type Notices = ReturnType<typeof createNotices>;

/** Mails about what happened to an account. */
export function createNotices(options: NoticesOptions) {
  const { mailedCodes, mailer, users, places, origin } = options;

  const noticeMail = async (
    { device, now }: Visit,
    { id: userId, name, email }: UserSummary,
    { event, canBeDisputed }: Notice,
  ): Promise<Mail> => {
    const notMe = { purpose: 'not-me', userId, email } as const;
    const key = canBeDisputed ? await mailedCodes.createLinkKey(notMe, NOTICE_MS, now) : null;
    return {
      to: email,
      userId,
      content: {
        kind: 'notice',
        name,
        event,
        // Behind the "#", which no server and no log sees.
        notMeLink: key === null ? null : `${origin}/not-me#${key}`,
        device: describeDevice(device.userAgent).detail,
        place: places.describe(device.ipAddress, device.country),
        at: now.toISOString(),
      },
      expiresAt: new Date(now.getTime() + NOTICE_MS),
    };
  };

  /**
   * Sends a notice. `null` as recipient sends nothing, in the same time. A mail that cannot be made is
   * logged, because the event it reports has happened.
   *
   * @throws what the database throws if it is down.
   */
  const sendTo = async (visit: Visit, to: UserSummary | null, notice: Notice): Promise<void> => {
    try {
      await mailer.send(to && (await noticeMail(visit, to, notice)), visit.now);
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      // The account was erased meanwhile.
      if (isUserGone(error)) return;
      visit.log.error({ err: error }, 'a notice could not be mailed');
    }
  };

  return {
    /** False if this application sends no mail. */
    isOn: mailer.isOn,

    sendTo,

    /** Mails a user what happened, with the device of this visit. Does nothing if the user is gone. */
    async send(visit: Visit, userId: string, event: NoticeEvent): Promise<void> {
      const user = await users.find(userId);
      if (user) await sendTo(visit, user, { event, canBeDisputed: true });
    },
  };
}
