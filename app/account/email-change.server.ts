import * as z from 'zod';
import type { PageContext } from '#app/context.server.ts';
import { DAY_MS } from '#app/sessions/index.ts';
import { endAllAccess } from '#app/tokens/access-tokens.server.ts';
import { recordActivity } from '#app/activity/record-activity.server.ts';

/** How long the old address can take a change back. */
const UNDO_MS = 7 * DAY_MS;
const CODES_OF_OLD_ADDRESS = ['password-reset', 'email-change'] as const;

const undoSchema = z.object({ from: z.string() });

/**
 * After an account has moved to another address: makes codes worthless that went to the old one, and
 * tells the old one, with a way to take it back.
 */
export async function tellOldAddress(
  context: PageContext,
  { id: userId, name }: { id: string; name: string },
  { from, to }: { from: string; to: string },
): Promise<void> {
  const { mailedCodes, mailer, now, origin } = context;
  await mailedCodes.discard(userId, [...CODES_OF_OLD_ADDRESS]);
  const undo = { purpose: 'email-change-undo', userId, email: from, payload: { from } } as const;
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
}

/** A change of address that is to be taken back. */
export interface EmailUndo {
  userId: string;
  /** The address that the account had. */
  from: string;
  /** When the key went out. */
  issuedAt: Date;
}

/** Uses the key up that went to the old address; null when it is used, too old, or none of ours. */
export async function redeemEmailUndo(
  { mailedCodes, now }: PageContext,
  key: string,
): Promise<EmailUndo | null> {
  const redeemed = await mailedCodes.redeemLinkKey('email-change-undo', key, now);
  if (redeemed.state !== 'right' || redeemed.userId === null) return null;
  const { from } = undoSchema.parse(redeemed.payload);
  return { userId: redeemed.userId, from, issuedAt: redeemed.issuedAt };
}

/**
 * After an account has its old address back: signs every device out, since whoever changed it may
 * know the password, and makes worthless what went out since.
 *
 * The keys of later changes die, those of earlier ones do not: an address that somebody put in
 * between must not be able to void the way back of the one before.
 */
export async function secureRestoredAccount(
  context: PageContext,
  { userId, from, issuedAt }: EmailUndo,
): Promise<void> {
  const { mailedCodes } = context;
  await endAllAccess(context, userId, 'email-restored');
  await mailedCodes.discard(userId, [...CODES_OF_OLD_ADDRESS]);
  await mailedCodes.discardCreatedSince(userId, 'email-change-undo', issuedAt);
  await recordActivity(context, userId, { kind: 'email-change-undone', to: from });
}
