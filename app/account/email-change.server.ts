import * as z from 'zod';
import type { Activity } from '#app/activity/record-activity.server.ts';
import type { MailedCodes } from '#app/credentials/mailed-codes/mailed-codes.server.ts';
import type { Mailer } from '#app/mail/mail.ts';
import { DAY_MS } from '#app/sessions/time.ts';
import type { Visit } from '#app/visit/visit.ts';
import type { EndAllAccess } from './end-all-access.server.ts';

/** How long the old address can undo a change. */
const UNDO_MS = 7 * DAY_MS;
const CODES_OF_OLD_ADDRESS = ['password-reset', 'email-change'] as const;

const undoSchema = z.object({ from: z.string() });

/** A change of e-mail that is to be undone. */
interface EmailUndo {
  userId: string;
  /** The address that the account had. */
  from: string;
  /** When the key was mailed. */
  issuedAt: Date;
}

interface EmailChangeOptions {
  mailedCodes: Pick<
    MailedCodes,
    'discard' | 'createLinkKey' | 'redeemLinkKey' | 'discardCreatedSince'
  >;
  mailer: Pick<Mailer, 'send'>;
  activity: Pick<Activity, 'record'>;
  endAllAccess: EndAllAccess;
  origin: string;
}

export function createEmailChange(options: EmailChangeOptions) {
  const { mailedCodes, mailer, activity, endAllAccess, origin } = options;
  return {
    /**
     * After an account has moved to another address: discards the codes that went to the old one, and
     * mails the old one a way to undo it.
     */
    async notifyOldAddress(
      { now }: Visit,
      { id: userId, name }: { id: string; name: string },
      { from, to }: { from: string; to: string },
    ): Promise<void> {
      await mailedCodes.discard(userId, [...CODES_OF_OLD_ADDRESS]);
      const undo = {
        purpose: 'email-change-undo',
        userId,
        email: from,
        payload: { from },
      } as const;
      const key = await mailedCodes.createLinkKey(undo, UNDO_MS, now);
      const undoUntil = new Date(now.getTime() + UNDO_MS);
      await mailer.send(
        {
          to: from,
          userId,
          content: {
            kind: 'email-changed',
            name,
            newEmail: to,
            undoLink: `${origin}/email-change/undo#${key}`,
            undoUntil: undoUntil.toISOString(),
          },
          expiresAt: undoUntil,
        },
        now,
      );
    },

    /** Uses up the key that went to the old address; `null` if it is used, too old, or not ours. */
    async redeemUndo({ now }: Visit, key: string): Promise<EmailUndo | null> {
      const redeemed = await mailedCodes.redeemLinkKey('email-change-undo', key, now);
      if (redeemed.state !== 'right' || redeemed.userId === null) return null;
      const { from } = undoSchema.parse(redeemed.payload);
      return { userId: redeemed.userId, from, issuedAt: redeemed.issuedAt };
    },

    /**
     * After an account has its old address back: signs every device out, because an attacker may know
     * the password, and discards the codes and keys that were mailed since.
     *
     * Keys of earlier changes stay valid: an attacker who changed the address twice must not void the
     * undo of the first change.
     */
    async secureAfterUndo(visit: Visit, { userId, from, issuedAt }: EmailUndo): Promise<void> {
      await endAllAccess(visit, userId, 'email-restored');
      await mailedCodes.discard(userId, [...CODES_OF_OLD_ADDRESS]);
      await mailedCodes.discardCreatedSince(userId, 'email-change-undo', issuedAt);
      await activity.record(visit, userId, { kind: 'email-change-undone', to: from });
    },
  };
}
