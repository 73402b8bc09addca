import * as z from 'zod';
import type { ReplayGuard } from '#app/database/replay-guard.server.ts';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';
import { SECOND_MS } from '#app/sessions/time.ts';
import type { SignedIn, Visit } from '#app/visit/visit.ts';

const MAX_AGE_SECONDS = 900;

const setUpSchema = z.object({
  userId: z.string(),
  sessionId: z.string(),
  secret: z.string(),
});

interface TotpSetUpsOptions {
  sealedCookie: SealedCookieFactory;
  replayGuard: Pick<ReplayGuard, 'claim'>;
}

/** Secrets that wait for a first code from the user's app; until then there is no row. */
export function createTotpSetUps({ sealedCookie, replayGuard }: TotpSetUpsOptions) {
  const cookie = sealedCookie({
    name: 'totp-set-up',
    schema: setUpSchema,
    maxAgeSeconds: MAX_AGE_SECONDS,
  });
  return {
    /** Keeps the secret in this browser for a quarter of an hour. */
    write(visit: Visit, { user, session }: SignedIn, secret: string): void {
      cookie.write(visit, { userId: user.id, sessionId: session.id, secret });
    },

    remove: (visit: Visit) => cookie.remove(visit),

    /**
     * Returns the secret that this session is setting up; `null` if there is none or it expired. The
     * secret of another session does not count, so that an attacker cannot plant one.
     */
    find(visit: Visit, { user, session }: SignedIn): string | null {
      const setUp = cookie.read(visit);
      return setUp?.userId === user.id && setUp.sessionId === session.id ? setUp.secret : null;
    },

    /** True for the first caller that turns two-factor sign-in on with this secret. */
    use({ now }: Visit, secret: string): Promise<boolean> {
      const refusedFrom = new Date(now.getTime() + MAX_AGE_SECONDS * SECOND_MS);
      return replayGuard.claim(`totp-set-up ${secret}`, refusedFrom);
    },
  };
}
