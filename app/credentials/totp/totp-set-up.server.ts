import * as z from 'zod';
import type { PageContext } from '#app/context.server.ts';
import type { SignedIn } from '#app/http/signed-in.server.ts';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';

const MAX_AGE_SECONDS = 900;
const SECOND_MS = 1000;

const setUpSchema = z.object({
  userId: z.string(),
  sessionId: z.string(),
  secret: z.string(),
});

/** A secret that waits for a code to prove that it reached an app; until then there is no row. */
export type TotpSetUp = z.infer<typeof setUpSchema>;

/** The cookie that carries it, for a quarter of an hour. */
export const totpSetUpCookie = (sealedCookie: SealedCookieFactory) =>
  sealedCookie<TotpSetUp>({
    name: 'totp-set-up',
    schema: setUpSchema,
    maxAgeSeconds: MAX_AGE_SECONDS,
  });

/**
 * The secret that this person is setting up in this very session; null when there is none or it is
 * too old. That of another session is none: nobody has another person set up a secret they know.
 */
export function findTotpSetUp(
  { cookies, now }: Pick<PageContext, 'cookies' | 'now'>,
  request: Request,
  { user, session }: SignedIn,
): string | null {
  const setUp = cookies.totpSetUp.read(request.headers.get('cookie'), now);
  return setUp?.userId === user.id && setUp.sessionId === session.id ? setUp.secret : null;
}

/** True for the first who turns it on with this secret: a copy of the cookie does it no second time. */
export function spendTotpSetUp(
  { replayGuard, now }: Pick<PageContext, 'replayGuard' | 'now'>,
  secret: string,
): Promise<boolean> {
  const refusedFrom = new Date(now.getTime() + MAX_AGE_SECONDS * SECOND_MS);
  return replayGuard.claim(`totp-set-up ${secret}`, refusedFrom);
}
