import * as z from 'zod';
import type { PageContext } from '#app/context.server.ts';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';

/** As `PASSKEY_CHALLENGE_MS` says. */
const MAX_AGE_SECONDS = 300;

const challengeSchema = z.object({
  challenge: z.string(),
  /** Public id of the session in which it was asked for; null: of a browser that is not signed in. */
  sessionId: z.string().nullable(),
});

/** What a challenge was issued for. It answers for nothing else. */
export type PasskeyPurpose = 'sign-in' | 'registration' | 'confirm';

/** The cookies that keep a challenge in the browser that asked for it, one for each purpose. */
export function passkeyChallengeCookies(sealedCookie: SealedCookieFactory) {
  const cookieFor = (purpose: PasskeyPurpose) =>
    sealedCookie({
      name: `passkey-${purpose}`,
      schema: challengeSchema,
      maxAgeSeconds: MAX_AGE_SECONDS,
    });
  return {
    'sign-in': cookieFor('sign-in'),
    registration: cookieFor('registration'),
    confirm: cookieFor('confirm'),
  };
}

/**
 * Answers a script that asks for the options of a ceremony, and keeps their challenge in its browser.
 *
 * @param sessionId of the session that it is for; null: for signing in, when there is none.
 */
export function answerPasskeyOptions(
  context: PageContext,
  purpose: PasskeyPurpose,
  options: { challenge: string },
  sessionId: string | null,
): Response {
  const { challenge } = options;
  const cookie = context.cookies.passkeyChallenges[purpose];
  return Response.json(options, {
    headers: { 'Set-Cookie': cookie.write({ challenge, sessionId }, context.now) },
  });
}

/**
 * The challenge that this browser was given for this purpose; null when there is none, it is older
 * than five minutes, or was for another session.
 */
export function findPasskeyChallenge(
  context: PageContext,
  request: Request,
  purpose: PasskeyPurpose,
  sessionId: string | null,
): string | null {
  const cookie = context.cookies.passkeyChallenges[purpose];
  const kept = cookie.read(request.headers.get('cookie'), context.now);
  return kept && kept.sessionId === sessionId ? kept.challenge : null;
}
