import * as z from 'zod';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';
import { SECOND_MS } from '#app/sessions/time.ts';
import type { Visit } from '#app/visit/visit.ts';
import { PASSKEY_CHALLENGE_MS } from './passkeys.server.ts';

const challengeSchema = z.object({
  challenge: z.string(),
  /** Public id of the session that asked for it; `null` for a browser that is not signed in. */
  sessionId: z.string().nullable(),
});

/** What a challenge was issued for; it is valid for nothing else. */
type PasskeyPurpose = 'sign-in' | 'registration' | 'confirm';

/** Keeps a challenge in the browser that asked for it, one for each purpose. */
export function createPasskeyChallenges(sealedCookie: SealedCookieFactory) {
  const cookieFor = (purpose: PasskeyPurpose) =>
    sealedCookie({
      name: `passkey-${purpose}`,
      schema: challengeSchema,
      maxAgeSeconds: PASSKEY_CHALLENGE_MS / SECOND_MS,
    });
  const cookies = {
    'sign-in': cookieFor('sign-in'),
    registration: cookieFor('registration'),
    confirm: cookieFor('confirm'),
  };
  return {
    /**
     * Returns the response with the options of a ceremony, and keeps their challenge.
     *
     * @param sessionId the session that it is for; `null` for a sign-in.
     */
    answer(
      visit: Visit,
      purpose: PasskeyPurpose,
      options: { challenge: string },
      sessionId: string | null,
    ): Response {
      cookies[purpose].write(visit, { challenge: options.challenge, sessionId });
      return Response.json(options);
    },

    /**
     * Returns the challenge that this browser was given for this purpose; `null` if there is none, it is
     * older than five minutes, or it was for another session.
     */
    find(visit: Visit, purpose: PasskeyPurpose, sessionId: string | null): string | null {
      const stored = cookies[purpose].read(visit);
      return stored && stored.sessionId === sessionId ? stored.challenge : null;
    },
  };
}
