import * as z from 'zod';
import type { PageContext } from '#app/context.server.ts';
import { proofSchema } from '#app/visit/proof.ts';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';

const MAX_AGE_SECONDS = 600;
const SECOND_MS = 1000;
const CARRIED = 'carried sign-in';

const pendingSchema = z.object({
  /** What is spent when the sign-in finishes: the cookie's text could be written in another way. */
  id: z.string(),
  userId: z.string(),
  /** The factor that was proven. */
  proof: proofSchema,
  remember: z.boolean(),
  redirectTo: z.string(),
  /** When it was proven, in milliseconds since 1970. */
  provenAt: z.number(),
});

/** Somebody who has proven one factor and owes another. There is no session yet. */
export type PendingSignIn = z.infer<typeof pendingSchema>;

/** The cookie that carries it. It names the user: only that user's code finishes the sign-in. */
export const pendingSignInCookie = (sealedCookie: SealedCookieFactory) =>
  sealedCookie<PendingSignIn>({
    name: 'pending-sign-in',
    schema: pendingSchema,
    maxAgeSeconds: MAX_AGE_SECONDS,
  });

/**
 * The sign-in that waits for its second factor in this browser; null when there is none, it is older
 * than ten minutes, or the account or its password has changed since the first factor was proven.
 */
export async function findPendingSignIn(
  context: PageContext,
  request: Request,
): Promise<PendingSignIn | null> {
  const pending = context.cookies.pendingSignIn.read(request.headers.get('cookie'), context.now);
  return pending && isStillValid(context, pending);
}

/** The same for an application, which carries it along in its own hands. */
export async function unsealPendingSignIn(
  context: PageContext,
  carried: string,
): Promise<PendingSignIn | null> {
  const text = context.keyring.open(CARRIED, carried);
  const parsed = pendingSchema.safeParse(text === null ? null : JSON.parse(text));
  if (!parsed.success) return null;
  const isTooOld = context.now.getTime() >= untilWhen(parsed.data).getTime();
  return isTooOld ? null : isStillValid(context, parsed.data);
}

/** What an application is given to carry; no cookie of ours opens as one, nor the other way round. */
export function sealPendingSignIn(
  { keyring }: Pick<PageContext, 'keyring'>,
  pending: PendingSignIn,
): { carried: string; expiresAt: Date } {
  return {
    carried: keyring.seal(CARRIED, JSON.stringify(pending)),
    expiresAt: untilWhen(pending),
  };
}

async function isStillValid(
  context: PageContext,
  pending: PendingSignIn,
): Promise<PendingSignIn | null> {
  const user = await context.db.user.findUnique({
    where: { id: pending.userId },
    select: { password: { select: { changedAt: true } } },
  });
  if (!user || (user.password && user.password.changedAt.getTime() > pending.provenAt)) return null;
  return pending;
}

/** True for the first who finishes this sign-in, false for everybody after: it must not finish twice. */
export function usePendingSignIn(
  { replayGuard }: Pick<PageContext, 'replayGuard'>,
  pending: PendingSignIn,
): Promise<boolean> {
  return replayGuard.claim(`pending-sign-in ${pending.id}`, untilWhen(pending));
}

const untilWhen = ({ provenAt }: PendingSignIn) => new Date(provenAt + MAX_AGE_SECONDS * SECOND_MS);
