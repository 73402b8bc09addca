import { randomBytes } from 'node:crypto';
import { redirect } from '@remix-run/node';
import * as z from 'zod';
import type { PageContext } from '#app/context.server.ts';
import type { Provider, ProviderRequest } from './provider.ts';
import type { SignedIn } from '#app/http/signed-in.server.ts';
import { problemPath } from './provider-problems.server.ts';
import { localPath, safeReturnPath } from '#app/http/return-path.server.ts';
import type { SealedCookieFactory } from '#app/http/sealed-cookie.server.ts';
import { logProviderTrouble } from './provider-problems.server.ts';

const MAX_AGE_SECONDS = 600;
const SECRET_BYTES = 32;

const visitSchema = z.object({
  /** What it is good for: whoever comes back from one finds no other begun. */
  purpose: z.enum(['sign-in', 'link', 'confirm']),
  /** Id of the provider. */
  provider: z.string(),
  state: z.string(),
  nonce: z.string(),
  codeVerifier: z.string(),
  /** Whose session began it, and which; null for a sign-in, which has none. */
  begunBy: z.object({ userId: z.string(), sessionId: z.string() }).nullable(),
  remember: z.boolean(),
  /** Every other device is to be signed out once an account is connected. */
  signOutOthers: z.boolean(),
  redirectTo: z.string(),
  /** In milliseconds since 1970. */
  begunAt: z.number(),
});

/** A visit to a provider that this browser has begun and not come back from. */
export type PendingProviderRequest = z.infer<typeof visitSchema>;

/**
 * The cookie that carries it. It binds what comes back to the browser, the purpose, the provider and
 * the session with which it began: an address with somebody else's code in it does nothing here.
 */
export const providerVisitCookie = (sealedCookie: SealedCookieFactory) =>
  sealedCookie<PendingProviderRequest>({
    name: 'provider-visit',
    schema: visitSchema,
    maxAgeSeconds: MAX_AGE_SECONDS,
  });

type Beginning = Pick<PendingProviderRequest, 'purpose'> & {
  signedIn: SignedIn | null;
  remember?: boolean;
  signOutOthers?: boolean;
  redirectTo?: unknown;
};

/**
 * Sends the person on to the page that leads to the provider; back to where they were, with words,
 * when the provider cannot be reached.
 */
export async function beginProviderRequest(
  context: PageContext,
  provider: Provider,
  { purpose, signedIn, remember = false, signOutOthers = false, redirectTo }: Beginning,
) {
  const begun: PendingProviderRequest = {
    purpose,
    provider: provider.id,
    state: newSecret(),
    nonce: newSecret(),
    codeVerifier: newSecret(),
    begunBy: signedIn && { userId: signedIn.user.id, sessionId: signedIn.session.id },
    remember,
    signOutOthers,
    // What was being done when a proof was asked for may be anything of ours.
    redirectTo: purpose === 'sign-in' ? safeReturnPath(redirectTo) : (localPath(redirectTo) ?? '/'),
    begunAt: context.now.getTime(),
  };
  const ready = await provider.prepare(toProviderRequest(context, begun));
  if (ready.state === 'unavailable') {
    logProviderTrouble(context, provider.id, ready);
    return redirect(problemPath(begun, 'unavailable'));
  }
  return redirect(`/login/provider/${provider.id}`, {
    headers: { 'Set-Cookie': context.cookies.providerVisit.write(begun, context.now) },
  });
}

/** The visit to this provider that waits in this browser; null when there is none, or it is too old. */
export function findProviderRequest(
  context: PageContext,
  request: Request,
  provider: Provider,
): PendingProviderRequest | null {
  const begun = context.cookies.providerVisit.read(request.headers.get('cookie'), context.now);
  return begun?.provider === provider.id ? begun : null;
}

/** True for the first who comes back from this visit, and for nobody after. */
export function useProviderRequest(
  context: PageContext,
  { state, begunAt }: PendingProviderRequest,
): Promise<boolean> {
  const expiresAt = new Date(begunAt + MAX_AGE_SECONDS * 1000);
  return context.replayGuard.claim(`provider visit ${state}`, expiresAt);
}

/** What the provider gets to see of it. */
export function toProviderRequest(
  { origin }: PageContext,
  begun: PendingProviderRequest,
): ProviderRequest {
  const { provider, state, nonce, codeVerifier, purpose } = begun;
  return {
    redirectUri: `${origin}/login/provider/${provider}/callback`,
    state,
    nonce,
    codeVerifier,
    again: purpose === 'confirm',
  };
}

const newSecret = () => randomBytes(SECRET_BYTES).toString('base64url');
