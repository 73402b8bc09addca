import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { PageContext } from '#app/context.server.ts';
import type { SignedIn } from './signed-in.server.ts';
import type { SealedCookie, SealedCookieFactory } from './sealed-cookie.server.ts';

const MAX_AGE_SECONDS = 600;
const SECOND_MS = 1000;

interface Envelope<Value> {
  id: string;
  userId: string;
  sessionId: string;
  value: Value;
}

/** Carries something from the form that made it to the page that shows it, once. */
export interface OneTimeCookie<Value> {
  /** A `Set-Cookie` value that has the next page show this to this person in this session. */
  write(now: Date, signedIn: SignedIn, value: Value): string;
  /**
   * What this session's person has not seen yet; null when there is nothing, or it was shown: it is
   * shown once, whatever copies there are of the cookie.
   */
  take(
    context: Pick<PageContext, 'replayGuard' | 'now'>,
    request: Request,
    signedIn: SignedIn,
  ): Promise<Value | null>;
  /** A `Set-Cookie` value that takes it away. */
  clear(): string;
}

/** Sealed: the database has only a digest of what it holds, and an address is no place for it. */
export function shownOnce<Value>(
  sealedCookie: SealedCookieFactory,
  { name, schema }: { name: string; schema: z.ZodType<Value> },
): OneTimeCookie<Value> {
  const cookie: SealedCookie<Envelope<Value>> = sealedCookie({
    name,
    schema: z.object({ id: z.string(), userId: z.string(), sessionId: z.string(), value: schema }),
    maxAgeSeconds: MAX_AGE_SECONDS,
  });
  return {
    write: (now, { user, session }, value) =>
      cookie.write({ id: randomUUID(), userId: user.id, sessionId: session.id, value }, now),
    async take({ replayGuard, now }, request, { user, session }) {
      const held = cookie.read(request.headers.get('cookie'), now);
      if (held?.userId !== user.id || held.sessionId !== session.id) return null;
      const refusedFrom = new Date(now.getTime() + MAX_AGE_SECONDS * SECOND_MS);
      const isFirst = await replayGuard.claim(`${name} ${held.id}`, refusedFrom);
      return isFirst ? held.value : null;
    },
    clear: () => cookie.clear(),
  };
}

/** New recovery codes. */
export const newRecoveryCodesCookie = (sealedCookie: SealedCookieFactory) =>
  shownOnce(sealedCookie, { name: 'new-recovery-codes', schema: z.array(z.string()) });

/** A new personal access token, with its name. */
export const newTokenCookie = (sealedCookie: SealedCookieFactory) =>
  shownOnce(sealedCookie, {
    name: 'new-access-token',
    schema: z.object({ name: z.string(), token: z.string() }),
  });
