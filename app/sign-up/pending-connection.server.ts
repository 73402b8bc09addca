import * as z from 'zod';
import type { Identity } from '#app/credentials/providers/provider.ts';
import type { SealedCookie, SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';

const MAX_AGE_SECONDS = 600;
/** Sealed and with its name it must stay below the 4096 bytes that browsers keep. */
const MAX_BYTES = 2700;

export const pendingConnectionSchema = z.object({
  /** Id of the provider. */
  provider: z.string(),
  issuer: z.string(),
  subject: z.string(),
  displayName: z.string(),
  name: z.string().nullable(),
  email: z.string().nullable(),
  isEmailVerified: z.boolean(),
  remember: z.boolean(),
  redirectTo: z.string(),
});

/** An identity that a provider confirmed and that has no account here: the visitor decides. */
export type PendingConnection = z.infer<typeof pendingConnectionSchema>;

export type PendingConnections = SealedCookie<PendingConnection>;

/** Keeps the identity in the visitor's browser. */
export const createPendingConnections = (sealedCookie: SealedCookieFactory): PendingConnections =>
  sealedCookie({
    name: 'pending-connection',
    schema: pendingConnectionSchema,
    maxAgeSeconds: MAX_AGE_SECONDS,
  });

/** Returns what goes into the cookie. A destination that does not fit is left out. */
export function toPendingConnection(
  identity: Identity,
  rest: Pick<PendingConnection, 'provider' | 'remember' | 'redirectTo'>,
): PendingConnection {
  const { issuer, subject, displayName, name, email, isEmailVerified } = identity;
  const pending = { issuer, subject, displayName, name, email, isEmailVerified, ...rest };
  const isFitting = Buffer.byteLength(JSON.stringify(pending)) <= MAX_BYTES;
  return isFitting ? pending : { ...pending, redirectTo: '/' };
}
