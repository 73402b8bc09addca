import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { ReplayGuard } from '#app/database/replay-guard.server.ts';
import { SECOND_MS } from '#app/sessions/time.ts';
import type { SignedIn, Visit } from '#app/visit/visit.ts';
import type { SealedCookie, SealedCookieFactory } from './sealed-cookie.server.ts';

const MAX_AGE_SECONDS = 600;

interface Envelope<Value> {
  id: string;
  userId: string;
  sessionId: string;
  value: Value;
}

/** Carries a secret from the form that made it to the page that shows it, once. */
interface OneTimeCookie<Value> {
  /** Has the next page of this session show the value to its user. */
  write(visit: Visit, signedIn: SignedIn, value: Value): void;
  /**
   * Returns what this session has not shown yet and removes the cookie; `null` if there is nothing, or
   * it was shown before. A copy of the cookie shows nothing either.
   */
  take(visit: Visit, signedIn: SignedIn): Promise<Value | null>;
  remove(visit: Visit): void;
}

interface OneTimeCookieOptions<Value> {
  name: string;
  schema: z.ZodType<Value>;
  sealedCookie: SealedCookieFactory;
  replayGuard: Pick<ReplayGuard, 'claim'>;
}

/** Sealed, because the database keeps only a digest of the value, and an address must not carry it. */
export function createOneTimeCookie<Value>(
  options: OneTimeCookieOptions<Value>,
): OneTimeCookie<Value> {
  const { name, schema, sealedCookie, replayGuard } = options;
  const cookie: SealedCookie<Envelope<Value>> = sealedCookie({
    name,
    schema: z.object({ id: z.string(), userId: z.string(), sessionId: z.string(), value: schema }),
    maxAgeSeconds: MAX_AGE_SECONDS,
  });
  return {
    write(visit, { user, session }, value) {
      cookie.write(visit, { id: randomUUID(), userId: user.id, sessionId: session.id, value });
    },
    async take(visit, { user, session }) {
      const held = cookie.read(visit);
      if (held?.userId !== user.id || held.sessionId !== session.id) return null;
      const refusedFrom = new Date(visit.now.getTime() + MAX_AGE_SECONDS * SECOND_MS);
      if (!(await replayGuard.claim(`${name} ${held.id}`, refusedFrom))) return null;
      cookie.remove(visit);
      return held.value;
    },
    remove: (visit) => cookie.remove(visit),
  };
}
