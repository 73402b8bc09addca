import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { LatchkeyContext } from '#app/context.server.ts';
import type { SignedIn } from './guards.server.ts';
import type { SealedCookieFactory } from './sealed-cookie.server.ts';

const MAX_AGE_SECONDS = 600;
const SECOND_MS = 1000;

const newCodesSchema = z.object({
  id: z.string(),
  userId: z.string(),
  sessionId: z.string(),
  codes: z.array(z.string()),
});

/**
 * Carries new recovery codes from the form that made them to the page that shows them, sealed: the
 * database has only their digests, and an address is no place for them.
 */
export const newRecoveryCodesCookie = (sealedCookie: SealedCookieFactory) =>
  sealedCookie<z.infer<typeof newCodesSchema>>({
    name: 'new-recovery-codes',
    schema: newCodesSchema,
    maxAgeSeconds: MAX_AGE_SECONDS,
  });

/** A `Set-Cookie` value that has the next page show these codes to this person in this session. */
export function writeNewRecoveryCodes(
  { cookies, now }: Pick<LatchkeyContext, 'cookies' | 'now'>,
  { person, session }: SignedIn,
  codes: string[],
): string {
  const value = { id: randomUUID(), userId: person.id, sessionId: session.id, codes };
  return cookies.newRecoveryCodes.write(value, now);
}

/**
 * The codes that this session's person has not seen yet; null when there are none, or they were
 * shown: they are shown once, whatever copies there are of the cookie.
 */
export async function takeNewRecoveryCodes(
  { cookies, spent, now }: Pick<LatchkeyContext, 'cookies' | 'spent' | 'now'>,
  request: Request,
  { person, session }: SignedIn,
): Promise<string[] | null> {
  const held = cookies.newRecoveryCodes.read(request.headers.get('cookie'), now);
  if (held?.userId !== person.id || held.sessionId !== session.id) return null;
  const refusedFrom = new Date(now.getTime() + MAX_AGE_SECONDS * SECOND_MS);
  const isFirst = await spent.spend(`new-recovery-codes ${held.id}`, refusedFrom);
  return isFirst ? held.codes : null;
}
