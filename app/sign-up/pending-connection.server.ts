import * as z from 'zod';
import type { Identity } from '#app/credentials/providers/provider.ts';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';

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
  tokens: z
    .object({
      accessToken: z.string(),
      refreshToken: z.string().nullable(),
      idToken: z.string().nullable(),
    })
    .nullable(),
  remember: z.boolean(),
  redirectTo: z.string(),
});

/** Somebody whom a provider knows and nobody here: an account is made only when they say so. */
export type PendingConnection = z.infer<typeof pendingConnectionSchema>;

/** The cookie that carries it. */
export const pendingConnectionCookie = (sealedCookie: SealedCookieFactory) =>
  sealedCookie<PendingConnection>({
    name: 'pending-connection',
    schema: pendingConnectionSchema,
    maxAgeSeconds: MAX_AGE_SECONDS,
  });

/** What goes into the cookie; tokens too large for it are left out, the next sign-in brings new ones. */
export function pendingConnectionOf(
  identity: Identity,
  rest: Pick<PendingConnection, 'provider' | 'remember' | 'redirectTo'>,
): PendingConnection {
  const { issuer, subject, displayName, name, email, isEmailVerified, tokens } = identity;
  const pending = { issuer, subject, displayName, name, email, isEmailVerified, tokens, ...rest };
  if (fits(pending)) return pending;
  const withoutTokens = { ...pending, tokens: null };
  return fits(withoutTokens) ? withoutTokens : { ...withoutTokens, redirectTo: '/' };
}

const fits = (pending: PendingConnection) =>
  Buffer.byteLength(JSON.stringify(pending)) <= MAX_BYTES;
